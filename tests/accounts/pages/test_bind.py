"""A WeChat that nobody has here yet: on a page the person says whose it is, and proves it."""

import pytest

from accounts.models import AuthorizationCode, BindingTicket, Session, User
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.login_steps import assert_gone, log_in_on, open_login
from tests.support.pages import Page, see
from tests.support.website import SPA_URI, answered, authorize, log_in_by_browser

TICKET = "unionpass_ticket_acme"
ANN = {"email": "ann@example.com", "password": builders.MEMBERS_PASSWORD, "action": "bind"}
CREATE = {"action": "create"}


@pytest.fixture(autouse=True)
def asking(site):
    """The source asks whose a new WeChat account is."""
    IdentitySource.objects.filter(pk=site.source.pk).update(association="ask")


@pytest.fixture
def page(client):
    """Where Alice is asked, whom nobody knows."""
    return log_in_on(client, open_login(client))["Location"]


@pytest.fixture
def ann(site):
    return builders.make_member(site.pool)


def assert_nobody_is_in():
    assert not Session.objects.exists()
    assert not AuthorizationCode.objects.exists()


def test_the_ticket_is_in_a_cookie_alone(client, page):
    ticket = client.cookies[TICKET]

    html = client.get(page).content.decode()

    assert page.endswith("/bind")
    assert (ticket["httponly"], ticket["samesite"], ticket["path"]) == (True, "Lax", "/")
    assert ticket.value not in html + page
    assert_nobody_is_in()


def test_whoever_is_new_becomes_a_user(client, page):
    response = client.post(page, CREATE)

    assert response["Location"].startswith(f"{SPA_URI}?code=")
    assert client.cookies[TICKET].value == ""
    assert User.objects.count() == 1
    assert "code" in answered(authorize(client, prompt="none"))


@pytest.mark.parametrize(
    ("hint", "filled_in"),
    [
        ("ann@example.com", "ann@example.com"),
        (None, ""),
        ("+8613800000001", ""),
        ('"><script>alert(1)</script>', ""),
        (f"ann@{'x' * 250}.example.com", ""),
    ],
)
def test_whom_the_application_expects_is_filled_in(client, hint, filled_in):
    page = log_in_on(client, open_login(client, login_hint=hint))["Location"]

    (form,) = [form for form in see(client, page).forms if "email" in form.fields]
    assert form.fields["email"] == filled_in


def test_whoever_has_an_account_proves_it(client, page, ann):
    assert "code" in answered(client.post(page, ANN))

    assert Session.objects.get().user == ann
    assert log_in_by_browser(GuardedClient())["code"]
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "wrong", [{"password": "wrong"}, {"email": "bob@example.com"}, {"email_code": "000000"}]
)
def test_a_wrong_proof_lets_nobody_in(client, page, ann, wrong):
    shown = client.post(page, ANN | wrong)

    assert shown.status_code == 200
    assert builders.MEMBERS_PASSWORD not in shown.content.decode()
    assert_nobody_is_in()
    assert "code" in answered(client.post(page, ANN))


def test_wrong_and_unknown_are_told_alike(client, page, ann):
    wrong = Page(client.post(page, ANN | {"password": "wrong"})).text
    unknown = Page(client.post(page, ANN | {"email": "nobody@example.com"})).text

    assert wrong == unknown


def test_five_wrong_proofs_end_it(client, page, ann):
    for _time in range(5):
        client.post(page, ANN | {"password": "wrong"})

    response = client.post(page, ANN)

    assert response["Location"] == page.removesuffix("/bind")
    assert "Log in to Spa" in see(client, response["Location"]).text
    assert_nobody_is_in()


@pytest.mark.parametrize("changes", [{"email": ""}, {"email": "x"}, {"password": ""}])
def test_a_form_that_is_not_filled_in_is_shown_again(client, page, ann, changes):
    assert client.post(page, ANN | changes).status_code == 200
    assert_nobody_is_in()


def test_nobody_becomes_a_user_where_registration_is_closed(client, page, site):
    IdentitySource.objects.filter(pk=site.source.pk).update(registration="closed")

    shown = client.post(page, CREATE)

    assert "new ones aren't opened here" in Page(shown).text
    assert not User.objects.exists()


def test_the_form_is_ours_alone():
    strict = GuardedClient(enforce_csrf_checks=True)
    page = log_in_on(strict, open_login(strict))["Location"]

    assert strict.post(page, CREATE).status_code == 403
    assert_nobody_is_in()


def test_the_page_is_open_in_its_own_browser_alone(client, page):
    thief = GuardedClient()
    thief.cookies[TICKET] = client.cookies[TICKET].value
    open_login(thief)

    assert_gone(thief.post(page, CREATE))


def test_a_ticket_is_of_its_own_request_alone(client, page):
    """Stolen into another login, it would make its thief the person's."""
    thief = GuardedClient()
    theirs = open_login(thief)
    thief.cookies[TICKET] = client.cookies[TICKET].value

    response = thief.post(f"{theirs}/bind", CREATE)

    assert response["Location"] == theirs
    assert_nobody_is_in()


@pytest.mark.parametrize("ticket", ["", "x", "0" * 43, "\u00e9"])
def test_without_a_ticket_the_login_begins_anew(client, page, ticket):
    client.cookies[TICKET] = ticket

    for response in (client.get(page), client.post(page, CREATE)):
        assert response["Location"] == page.removesuffix("/bind")
    assert_nobody_is_in()


def test_a_ticket_is_good_once(client, page):
    ticket = client.cookies[TICKET].value
    client.post(page, CREATE)
    client.cookies[TICKET] = ticket

    assert_gone(client.post(page, CREATE))
    assert Session.objects.count() == BindingTicket.objects.count() == 1
