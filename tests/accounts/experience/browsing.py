"""An experience login through a browser, one step at a time: a test does something between them."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from django.http import HttpResponse

from accounts.models import LoginEvent, Session
from tests.support.client import GuardedClient
from tests.support.login_steps import confirmed
from tests.support.pages import Page, see
from tests.support.wechat import Line

PAGE = "/experience/acme-web"
CALLBACK = f"{PAGE}/callback"


@dataclass(frozen=True)
class AtWeChat:
    """A browser at WeChat: where that is, where it comes back to, and the state that it holds."""

    at: str
    sent: dict[str, str]

    @property
    def redirect_uri(self) -> str:
        return self.sent["redirect_uri"]

    @property
    def state(self) -> str:
        return self.sent["state"]


def starts(client: GuardedClient, page: str = PAGE) -> list[str]:
    """Return the links on the page that lead to WeChat."""
    return [link for link in see(client, page).links if "/wechat/" in link]


def set_out(client: GuardedClient, page: str = PAGE, *, number: int = 0) -> AtWeChat:
    """Press the button, or one of several."""
    response = client.get(starts(client, page)[number])
    assert response.status_code == 302
    address = urlsplit(response["Location"])
    sent = {name: values[0] for name, values in parse_qs(address.query).items()}
    return AtWeChat(f"{address.scheme}://{address.netloc}{address.path}", sent)


def come_back(
    client: GuardedClient, at_wechat: AtWeChat, person: str = "alice", **changes: str | None
) -> HttpResponse:
    """Come back from WeChat as this person; None leaves a parameter out."""
    address = urlsplit(at_wechat.redirect_uri)
    kept = {name: values[0] for name, values in parse_qs(address.query).items()}
    sent = kept | {"code": confirmed(person), "state": at_wechat.state} | changes
    return client.get(address.path, {name: text for name, text in sent.items() if text is not None})


def try_out(client: GuardedClient, person: str = "alice", page: str = PAGE) -> HttpResponse:
    """Press the button and come back."""
    return come_back(client, set_out(client, page), person)


def refused(response: HttpResponse) -> str:
    """Return the refusal's word, which the page shows, too."""
    attempt = response.context["attempt"]
    assert not attempt.succeeded
    assert attempt.error in Page(response).text
    error: str = attempt.error
    return error


def assert_nothing_happened(wechat: Line) -> None:
    """Assert that WeChat wasn't asked, and nothing was recorded."""
    assert wechat.calls == []
    assert LoginEvent.objects.count() == 0
    assert Session.objects.count() == 0


SECOND_SITE_APP_ID = "wxsandbox000000006"
