from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db.models import QuerySet
from django.utils import timezone

from accounts.binding.exact_limits import WINDOW
from accounts.models import (
    AuthorizationCode,
    AuthorizationRequest,
    BindingTicket,
    CodeExchange,
    LogoutNotice,
    PushedRequest,
    RefreshToken,
    RevokedAccessToken,
    Tally,
    WeChatEvent,
)
from accounts.oidc.endpoints.device_authorization import past_devices
from accounts.sessions.signing_keys import delete_spent_keys
from applications.models import ClientAssertion

# By then WeChat doesn't repeat an event any more.
EVENTS_WITHOUT_EFFECT_LAST = timedelta(days=30)
# Time to find out why an application didn't get a logout token.
NOTICES_LAST = timedelta(days=30)
# For a day, a used code is distinguished from an unknown one.
SPENT_CODES_LAST = timedelta(days=1)


class Command(BaseCommand):
    help = (
        "Delete what has expired: tokens, codes, requests, tickets, notices, retired signing "
        "keys, operators' sessions, and WeChat's events that changed nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        call_command("clearsessions")
        # Each process does it as well, as long as refresh tokens are used.
        RefreshToken.objects.with_outdated_successor(now).update(successor_ciphertext=None)
        counts = [(what, _delete(rows)) for what, rows in _expired(now)]
        counts.append(("retired signing keys", delete_spent_keys(now=now)))
        self.stdout.write("Deleted " + ", ".join(f"{count} {what}" for what, count in counts) + ".")


def _expired(now: datetime) -> Iterator[tuple[str, QuerySet[Any]]]:
    yield "refresh tokens", RefreshToken.objects.filter(family_expires_at__lt=now)
    yield "code exchanges", CodeExchange.objects.filter(expires_at__lt=now)
    yield "binding tickets", BindingTicket.objects.filter(expires_at__lt=now)
    yield "tallies", Tally.objects.filter(begins_at__lt=now - WINDOW)
    yield "authorization requests", AuthorizationRequest.objects.filter(expires_at__lt=now)
    yield "pushed requests", PushedRequest.objects.filter(expires_at__lt=now)
    spent_before = now - SPENT_CODES_LAST
    yield "authorization codes", AuthorizationCode.objects.filter(expires_at__lt=spent_before)
    yield "device codes", past_devices(now)
    yield "client assertions", ClientAssertion.objects.filter(expires_at__lt=now)
    yield "revoked access tokens", RevokedAccessToken.objects.filter(expires_at__lt=now)
    old_notices = LogoutNotice.objects.filter(created_at__lt=now - NOTICES_LAST)
    yield "logout notices", old_notices.filter(due_at__isnull=True)
    old_events = WeChatEvent.objects.filter(received_at__lt=now - EVENTS_WITHOUT_EFFECT_LAST)
    yield "events of WeChat's", old_events.exclude(outcome=WeChatEvent.Outcome.APPLIED)


def _delete(rows: QuerySet[Any]) -> int:
    _all, deleted = rows.delete()
    return deleted.get(rows.model._meta.label, 0)
