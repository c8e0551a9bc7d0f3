"""Single sign-on: who enters a second application without a new login, and who doesn't."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.merging.merge import merge_by_hand
from accounts.models import BrowserSession, LinkedAccount, LoginEvent, Session, User
from accounts.sessions.browsers import (
    SignedOff,
    end_browser_session,
    find_browser_session,
    session_in,
    take_over,
)
from accounts.users.linking import unlink
from accounts.users.suspension import suspend
from applications.models import Application, LoginMethod
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.login_steps import decide
from tests.support.oidc import claims_of, exchange
from tests.support.records import event, events
from tests.support.website import (
    SCHEME_URI,
    SPA_URI,
    answered,
    authorize,
    log_in_by_browser,
    make_site,
)

pytestmark = pytest.mark.usefixtures("site")


@pytest.fixture
def signed_on(client):
    """Alice's browser, in which she logged in to the single-page application."""
    log_in_by_browser(client)
    return client


@pytest.fixture
def alice(signed_on):
    return User.objects.get()


def enters_at_once(browser, client_id="acme-native", **changes):
    told = answered(authorize(browser, client_id, prompt="none", **changes))
    assert ("code" in told) is not (told.get("error") == "login_required")
    return "code" in told


def test_a_second_application_is_entered_without_a_login(signed_on, alice):
    code = answered(authorize(signed_on, "acme-native"))["code"]

    first, second = Session.objects.order_by("pk")
    assert claims_of(exchange(code, "acme-native").json()["id_token"])["sub"] == alice.sub
    assert (first.browser_session, first.auth_time) == (second.browser_session, second.auth_time)
    assert (second.application.client_id, second.way) == ("acme-native", "website_qr")


def test_entering_without_a_login_is_an_event_of_its_own(signed_on, alice):
    authorize(signed_on, "acme-native")

    assert events()[-1] == event(
        application__client_id="acme-native",
        identity_source__identifier="acme-site",
        user__sub=alice.sub,
        door="single_sign_on",
        way="website_qr",
        decision="signed_on",
        wechat_milliseconds=None,
    )
    assert LoginEvent.objects.latest("pk").sid == Session.objects.latest("pk").pk


def test_an_application_has_one_session_in_a_browser(signed_on):
    for _time in range(3):
        assert enters_at_once(signed_on, "acme-spa")
        assert enters_at_once(signed_on, "acme-native")

    assert Session.objects.count() == 2


def test_an_application_that_was_entered_before_a_new_login_hears_of_the_new_one(signed_on):
    an_hour_later = timezone.now() + timedelta(hours=1)
    with time_machine.travel(an_hour_later):
        log_in_by_browser(signed_on, "acme-native", prompt="login")

        code = answered(authorize(signed_on, "acme-spa", max_age="60"))["code"]
        id_token = claims_of(exchange(code).json()["id_token"])

    assert id_token["auth_time"] >= int(an_hour_later.timestamp())


def test_a_session_that_ended_is_not_gone_on_with(signed_on):
    Session.objects.all().end(now=timezone.now(), reason=Session.EndReason.TOKEN_REVOKED)

    assert enters_at_once(signed_on, "acme-spa")
    assert Session.objects.filter(ended_at=None).count() == 1


def test_an_application_that_offers_another_source_alone_is_not_entered(signed_on, site):
    other = builders.make_source(
        site.pool, identifier="acme-two", type="wechat_website", app_id="wxsandbox000000007"
    )
    LoginMethod.objects.filter(application=site.native).update(identity_source=other)

    assert not enters_at_once(signed_on)


def test_an_application_that_offers_another_way_alone_is_not_entered(signed_on, site):
    LoginMethod.objects.filter(application=site.native).update(way="mobile_app")

    assert not enters_at_once(signed_on)


@pytest.mark.parametrize("switched_off", ["method", "source"])
def test_an_application_that_no_longer_offers_it_is_not_entered(signed_on, site, switched_off):
    {
        "method": LoginMethod.objects.filter(application=site.native),
        "source": IdentitySource.objects.filter(pk=site.source.pk),
    }[switched_off].update(enabled=False)

    assert not enters_at_once(signed_on)


def test_an_application_that_is_switched_off_is_not_entered(signed_on, site):
    Application.objects.filter(pk=site.native.pk).update(enabled=False)

    assert authorize(signed_on, "acme-native").status_code == 400


def test_another_pool_knows_nobody(signed_on, globex):
    make_site(globex.pool, "wxsandbox000000006")
    # Even with the very value of the cookie under the name of the other pool's.
    signed_on.cookies["unionpass_login_globex"] = signed_on.cookies["unionpass_login_acme"].value

    told = answered(
        authorize(signed_on, "globex-spa", pool="globex", prompt="none", redirect_uri=SPA_URI)
    )

    assert told["error"] == "login_required"


def test_another_browser_knows_nobody(signed_on):
    assert not enters_at_once(GuardedClient())


@pytest.mark.parametrize("secret", ["", "x", "0" * 43, "\u00e9", "\x00", "a" * 4000])
def test_a_secret_that_nobody_was_given_is_nobodys(signed_on, site, secret):
    assert find_browser_session(site.pool, secret, now=timezone.now()) is None


def test_the_hash_in_the_database_opens_nothing(signed_on, site):
    stored = bytes(BrowserSession.objects.get().secret_hash)

    for secret in (stored.hex(), stored.decode("latin-1")):
        assert find_browser_session(site.pool, secret, now=timezone.now()) is None


def test_it_lasts_a_day_from_the_login(signed_on):
    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        assert enters_at_once(signed_on)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert not enters_at_once(signed_on)


def test_suspension_ends_it(signed_on, alice):
    suspend(alice, now=timezone.now())

    assert not enters_at_once(signed_on)


@pytest.mark.parametrize("status", ["suspended", "closed", "merged"])
def test_whoever_is_not_active_does_not_enter_whatever_their_sessions_say(signed_on, status):
    into = builders.make_user(User.objects.get().pool) if status == "merged" else None
    User.objects.exclude(pk=into and into.pk).update(status=status, merged_into=into)

    assert not enters_at_once(signed_on)


def test_a_merge_ends_it_for_the_user_who_is_no_more(signed_on, alice, site):
    survivor = builders.make_user(site.pool)
    User.objects.filter(pk=survivor.pk).update(created_at=alice.created_at - timedelta(days=1))
    survivor.refresh_from_db()

    operator = builders.make_operator("ada", site.pool)
    merge_by_hand(survivor, alice, operator=operator, now=timezone.now())

    assert not enters_at_once(signed_on)


def test_unlinking_the_wechat_account_ends_it(signed_on, alice, site):
    builders.link_unionid(alice, "another-unionid")
    linked = LinkedAccount.objects.get(kind="openid")

    unlink(alice, site.spa, linked.wechat_identity, now=timezone.now())

    assert not enters_at_once(signed_on)


def test_a_login_always_gets_a_secret_of_its_own(client):
    """Session fixation: what was planted beforehand is worth nothing afterwards."""
    client.cookies["unionpass_login_acme"] = "planted"
    log_in_by_browser(client)
    first = client.cookies["unionpass_login_acme"].value

    log_in_by_browser(client, prompt="login")
    second = client.cookies["unionpass_login_acme"].value

    assert len({"planted", first, second}) == 3
    assert len(second) == 43
    thief = GuardedClient()
    thief.cookies["unionpass_login_acme"] = first
    assert not enters_at_once(thief)


def test_no_session_begins_where_the_person_was_just_signed_off(signed_on, site):
    found = BrowserSession.objects.get()
    end_browser_session(found, now=timezone.now())
    before = Session.objects.count()

    with pytest.raises(SignedOff):
        session_in(found, site.native, now=timezone.now())

    assert Session.objects.count() == before


def test_ending_it_ends_every_session_in_it_and_no_other(signed_on, alice):
    authorize(signed_on, "acme-native")
    log_in_by_browser(GuardedClient())
    here = BrowserSession.objects.earliest("pk")

    end_browser_session(here, now=timezone.now())

    ended = Session.objects.exclude(ended_at=None)
    assert set(ended.values_list("browser_session", "end_reason")) == {(here.pk, "logged_out")}
    assert (ended.count(), Session.objects.count()) == (2, 3)


def test_a_login_that_ended_meanwhile_is_not_taken_over(signed_on):
    """What ended with it stays with it."""
    earlier = BrowserSession.objects.get()
    end_browser_session(earlier, now=timezone.now())
    log_in_by_browser(GuardedClient())
    later = Session.objects.get(ended_at=None)

    take_over(earlier, later, now=timezone.now())

    assert Session.objects.filter(browser_session=later.browser_session).get() == later


def test_nobody_enters_silently_where_another_program_could_take_the_answer(signed_on):
    """By a native application's own scheme, or on loopback: the person is asked each time."""
    asked = {"client_id": "acme-native", "redirect_uri": SCHEME_URI}
    refused = answered(authorize(signed_on, **asked, prompt="none"))
    assert refused["error"] == "consent_required"

    for _time in range(2):
        page = authorize(signed_on, **asked)["Location"]
        assert page.endswith("/consent")
        assert "code" in answered(decide(signed_on, page))
