from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.binding.tallies import WINDOW
from accounts.exchange import sweep
from accounts.models import BindingTicket, RefreshToken, Tally, WeChatEvent

# Long after WeChat has given up sending one again.
EVENTS_WITHOUT_EFFECT_LAST = timedelta(days=30)


class Command(BaseCommand):
    help = (
        "Delete what has expired: refresh tokens, code exchanges, binding tickets, operators' "
        "sessions, and WeChat's events that changed nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        call_command("clearsessions")
        tokens, _ = RefreshToken.objects.filter(family_expires_at__lt=now).delete()
        _, deleted = BindingTicket.objects.filter(expires_at__lt=now).delete()
        tickets = deleted.get(BindingTicket._meta.label, 0)
        Tally.objects.filter(begins_at__lt=now - WINDOW).delete()
        old = WeChatEvent.objects.filter(received_at__lt=now - EVENTS_WITHOUT_EFFECT_LAST)
        events, _ = old.exclude(outcome=WeChatEvent.Outcome.APPLIED).delete()
        self.stdout.write(
            f"Deleted {tokens} refresh tokens, {sweep(now)} code exchanges, {tickets} binding "
            f"tickets and {events} events of WeChat's."
        )
