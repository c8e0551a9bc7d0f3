"""The page of an experience login through a browser: its headers, and what it never shows."""

import json

import pytest

from accounts.models import LoginEvent
from applications.models import Application
from identity_sources.models import IdentitySource
from identity_sources.sandbox import openid_of, unionid_of
from tests.accounts.experience.browsing import PAGE, come_back, set_out, starts, try_out
from tests.support.client import GuardedClient
from tests.support.login_steps import confirmed
from tests.support.pages import Page
from tests.support.website import SITE_APP_ID

pytestmark = pytest.mark.usefixtures("site")

SCRIPT = "<script>alert(1)</script>"


@pytest.mark.parametrize("ending", ["logged in", "refused", "astray", "to WeChat"])
def test_no_page_is_stored_framed_or_runs_anything_foreign(admin_client, ending):
    at_wechat = set_out(admin_client)
    response = {
        "logged in": lambda: come_back(admin_client, at_wechat),
        "refused": lambda: come_back(admin_client, at_wechat, code="made-up"),
        "astray": lambda: come_back(admin_client, at_wechat, state="x"),
        "to WeChat": lambda: admin_client.get(starts(admin_client)[0]),
    }[ending]()

    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]


def test_no_code_state_or_identity_is_shown_or_kept(admin_client):
    at_wechat, code = set_out(admin_client), confirmed()

    response = come_back(admin_client, at_wechat, code=code)

    kept = json.dumps(list(LoginEvent.objects.values()), default=str)
    hidden = (
        code,
        at_wechat.state,
        openid_of(SITE_APP_ID, "alice"),
        unionid_of(SITE_APP_ID, "alice"),
    )
    for secret in hidden:
        assert secret not in response.content.decode()
        assert secret not in kept


def test_another_language_is_chosen_without_logging_in_again(admin_client, client, shared_site):
    """The page's own address holds a code that was used."""
    mine, guests = try_out(admin_client), try_out(client, page=shared_site)

    assert Page(mine).form_to("setlang/").fields["next"] == PAGE
    assert Page(guests).form_to("setlang/").fields["next"] == shared_site.replace(":", "%3A")


def test_hostile_names_are_text(admin_client: GuardedClient, second):
    Application.objects.update(name=SCRIPT)
    IdentitySource.objects.update(display_name=SCRIPT)

    for response in (admin_client.get(PAGE), try_out(admin_client)):
        assert SCRIPT not in response.content.decode()
        assert SCRIPT in Page(response).text
