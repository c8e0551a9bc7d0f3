"""The single steps of a login in a browser, for tests that do something between them."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from django.http import HttpResponse

from identity_sources.gateway import sandbox
from tests.support.client import GuardedClient
from tests.support.pages import Page
from tests.support.website import SITE_APP_ID, authorize


@dataclass(frozen=True)
class AtWeChat:
    """A browser at WeChat: its redirect URI, and its state."""

    callback: str
    state: str


def open_login(browser: GuardedClient, client_id: str = "acme-spa", **changes: str | None) -> str:
    """Open an authorization request; return the address of the page that asks for a login."""
    response = authorize(browser, client_id, **changes)
    assert (response.status_code, response["Location"][:7]) == (303, "/login/")
    address: str = response["Location"]
    return address


def way_to_wechat(browser: GuardedClient, page: str) -> str:
    """Return the first link to WeChat on a login page."""
    return next(link for link in Page(browser.get(page)).links if "/wechat/" in link)


def set_out(browser: GuardedClient, page: str) -> AtWeChat:
    """Go to WeChat from a login page."""
    response = browser.get(way_to_wechat(browser, page))
    sent = parse_qs(urlsplit(response["Location"]).query)
    return AtWeChat(callback=urlsplit(sent["redirect_uri"][0]).path, state=sent["state"][0])


def confirmed(person: str = "alice", app_id: str = SITE_APP_ID) -> str:
    """Return the code with which WeChat redirects the browser after a confirmation."""
    return sandbox().qrconnect(app_id, person)


def come_back(
    browser: GuardedClient, at_wechat: AtWeChat, person: str = "alice", **changes: str | None
) -> HttpResponse:
    """Come back from WeChat; None leaves a parameter out."""
    query = {"code": confirmed(person), "state": at_wechat.state} | changes
    return browser.get(at_wechat.callback, {name: text for name, text in query.items() if text})


def log_in_on(browser: GuardedClient, page: str, person: str = "alice") -> HttpResponse:
    """Go to WeChat from a login page and come back as this person."""
    return come_back(browser, set_out(browser, page), person)


AGREE, DECLINE = {"decision": "agree"}, {"decision": "decline"}


def decide(browser: GuardedClient, page: str, decision: dict[str, str] = AGREE) -> HttpResponse:
    """Open a page that asks for a decision, and answer it if it is shown."""
    shown = browser.get(page)
    fields = Page(shown).form.fields if shown.status_code == 200 else {}
    return browser.post(page, fields | decision)


def assert_gone(response: HttpResponse) -> None:
    """Assert that a page shows an error and doesn't redirect."""
    assert response.status_code == 400
    assert "This login is over" in response.content.decode()
    assert "Location" not in response
