from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.exchange import sweep
from accounts.models import RefreshToken


class Command(BaseCommand):
    help = "Delete what has expired: refresh tokens, code exchanges, operators' sessions."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        call_command("clearsessions")
        tokens, _ = RefreshToken.objects.filter(family_expires_at__lt=now).delete()
        self.stdout.write(f"Deleted {tokens} refresh tokens and {sweep(now)} code exchanges.")
