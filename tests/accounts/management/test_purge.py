"""``manage.py purge``: what has expired goes, what still opens something stays."""

import io
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.contrib.sessions.models import Session as OperatorSession
from django.core.management import call_command
from django.utils import timezone

from accounts.models import (
    AuthorizationCode,
    AuthorizationRequest,
    BindingTicket,
    CodeExchange,
    DeviceAuthorization,
    LoginEvent,
    LogoutNotice,
    PushedRequest,
    RefreshToken,
    RevokedAccessToken,
    Session,
    WeChatEvent,
)
from applications.models import ClientAssertion
from identity_sources.models import IdentitySource
from userpools.key_rotation import prepare_key, promote_key

pytestmark = pytest.mark.rsa


def purge():
    said = io.StringIO()
    call_command("purge", stdout=said)
    return said.getvalue()


KINDS = (
    "refresh tokens",
    "code exchanges",
    "binding tickets",
    "tallies",
    "authorization requests",
    "pushed requests",
    "authorization codes",
    "device codes",
    "client assertions",
    "revoked access tokens",
    "logout notices",
    "events of WeChat's",
    "retired signing keys",
)


def said(**counts):
    """What the command says, where only these kinds were there to delete."""
    named = {name.replace("_", " "): count for name, count in counts.items()}
    assert named.keys() <= set(KINDS)
    return "Deleted " + ", ".join(f"{named.get(kind, 0)} {kind}" for kind in KINDS) + ".\n"


def test_what_is_alive_stays(acme, log_in):
    log_in()

    assert purge() == said()
    assert RefreshToken.objects.count() == CodeExchange.objects.count() == 1


def test_an_expired_family_goes_and_the_session_and_its_event_stay(acme, log_in):
    log_in()

    with time_machine.travel(timezone.now() + timedelta(days=181)):
        words = purge()

    assert words == said(refresh_tokens=1, code_exchanges=1)
    assert not RefreshToken.objects.exists()
    assert Session.objects.count() == LoginEvent.objects.count() == 1


def test_an_operators_session_goes_when_it_has_expired(admin_client):
    purge()
    assert OperatorSession.objects.count() == 1

    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        purge()

    assert not OperatorSession.objects.exists()


def test_a_binding_ticket_goes_when_it_has_run_out(acme, log_in):
    IdentitySource.objects.filter(pk=acme.source.pk).update(association="ask")
    assert log_in().json()["error"] == "account_binding_required"
    purge()
    assert BindingTicket.objects.count() == 1

    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert purge() == said(code_exchanges=1, binding_tickets=1)

    assert not BindingTicket.objects.exists()


def test_wechats_events_that_changed_nothing_go_after_a_month(acme):
    for outcome in WeChatEvent.Outcome:
        WeChatEvent.objects.create(
            pool=acme.pool,
            identity_source=acme.source,
            event="an_event",
            mode="safe",
            outcome=outcome,
            content_hash=outcome,
            received_at=timezone.now(),
        )
    purge()
    assert WeChatEvent.objects.count() == len(WeChatEvent.Outcome)

    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert purge() == said(**{"events of WeChat's": len(WeChatEvent.Outcome) - 1})

    assert WeChatEvent.objects.get().outcome == "applied"


DAY = timedelta(days=1)


def keep_of_each_kind(acme, session, moment):
    """One row of everything that the provider keeps for a while, of this moment."""
    pool, application = acme.pool, acme.application
    of_application = {"pool": pool, "application": application, "expires_at": moment}
    AuthorizationRequest.objects.create(
        **of_application, handle_hash=moment.isoformat().encode(), browser_hash=b"b"
    )
    PushedRequest.objects.create(**of_application, handle_hash=moment.isoformat().encode())
    DeviceAuthorization.objects.create(
        **of_application,
        device_code_hash=moment.isoformat().encode(),
        user_code_hash=moment.isoformat(),
        interval=5,
    )
    AuthorizationCode.objects.create(
        pool=pool, session=session, code_hash=moment.isoformat().encode(), expires_at=moment
    )
    ClientAssertion.objects.create(
        application=application, jti_hash=moment.isoformat().encode(), expires_at=moment
    )
    RevokedAccessToken.objects.create(pool=pool, jti=uuid4(), expires_at=moment)


def test_what_the_provider_keeps_for_a_while_goes_when_it_has_run_out(acme, log_in):
    log_in()
    session, now = Session.objects.get(), timezone.now()
    keep_of_each_kind(acme, session, now - 2 * DAY)
    keep_of_each_kind(acme, session, now + DAY)

    assert purge() == said(
        authorization_requests=1,
        pushed_requests=1,
        authorization_codes=1,
        device_codes=1,
        client_assertions=1,
        revoked_access_tokens=1,
    )
    assert purge() == said()


def test_spent_grants_stay_for_a_day(acme, log_in):
    log_in()
    keep_of_each_kind(acme, Session.objects.get(), timezone.now() - DAY / 2)

    purge()

    assert AuthorizationCode.objects.count() == DeviceAuthorization.objects.count() == 1


def test_a_notice_goes_30_days_later_unless_it_is_still_to_be_told(acme, log_in):
    log_in()
    log_in("bob")
    long_ago = timezone.now() - 31 * DAY
    told, untold = Session.objects.order_by("pk")
    LogoutNotice.objects.create(pool=acme.pool, session=told, created_at=long_ago)
    LogoutNotice.objects.create(
        pool=acme.pool, session=untold, created_at=long_ago, due_at=long_ago
    )

    assert purge() == said(logout_notices=1)
    assert LogoutNotice.objects.get().session == untold


def test_a_retired_key_goes_once_nothing_that_it_signed_is_of_use(acme):
    prepare_key(acme.pool, "ES256")
    promote_key(acme.pool, "ES256", now=timezone.now(), force=True)
    assert purge() == said()

    with time_machine.travel(timezone.now() + 31 * DAY):
        assert purge() == said(retired_signing_keys=1)
