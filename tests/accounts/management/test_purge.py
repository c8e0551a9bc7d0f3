"""``manage.py purge``: what has expired goes, what still opens something stays."""

import io
from datetime import timedelta

import time_machine
from django.contrib.sessions.models import Session as OperatorSession
from django.core.management import call_command
from django.utils import timezone

from accounts.models import CodeExchange, LoginEvent, RefreshToken, Session


def purge():
    said = io.StringIO()
    call_command("purge", stdout=said)
    return said.getvalue()


def test_what_is_alive_stays(acme, log_in):
    log_in()

    assert purge() == "Deleted 0 refresh tokens and 0 code exchanges.\n"
    assert RefreshToken.objects.count() == CodeExchange.objects.count() == 1


def test_an_expired_family_goes_and_the_session_and_its_event_stay(acme, log_in):
    log_in()

    with time_machine.travel(timezone.now() + timedelta(days=181)):
        said = purge()

    assert said == "Deleted 1 refresh tokens and 1 code exchanges.\n"
    assert not RefreshToken.objects.exists()
    assert Session.objects.count() == LoginEvent.objects.count() == 1


def test_an_operators_session_goes_when_it_has_expired(admin_client):
    purge()
    assert OperatorSession.objects.count() == 1

    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        purge()

    assert not OperatorSession.objects.exists()
