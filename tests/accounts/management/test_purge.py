"""``manage.py purge``: what has expired goes, what still opens something stays."""

import io
from datetime import timedelta

import time_machine
from django.contrib.sessions.models import Session as OperatorSession
from django.core.management import call_command
from django.utils import timezone

from accounts.models import (
    BindingTicket,
    CodeExchange,
    LoginEvent,
    RefreshToken,
    Session,
    WeChatEvent,
)
from identity_sources.models import IdentitySource


def purge():
    said = io.StringIO()
    call_command("purge", stdout=said)
    return said.getvalue()


def said(tokens, exchanges, tickets, wechat_events):
    return (
        f"Deleted {tokens} refresh tokens, {exchanges} code exchanges, {tickets} binding tickets "
        f"and {wechat_events} events of WeChat's.\n"
    )


def test_what_is_alive_stays(acme, log_in):
    log_in()

    assert purge() == said(0, 0, 0, 0)
    assert RefreshToken.objects.count() == CodeExchange.objects.count() == 1


def test_an_expired_family_goes_and_the_session_and_its_event_stay(acme, log_in):
    log_in()

    with time_machine.travel(timezone.now() + timedelta(days=181)):
        words = purge()

    assert words == said(1, 1, 0, 0)
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
        assert purge() == said(0, 1, 1, 0)

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
        assert purge() == said(0, 0, 0, len(WeChatEvent.Outcome) - 1)

    assert WeChatEvent.objects.get().outcome == "applied"
