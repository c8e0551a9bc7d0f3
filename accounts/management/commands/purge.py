from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.exchange import sweep
from accounts.models import RefreshToken


class Command(BaseCommand):
    help = "Delete refresh tokens of families that have expired, and what is left of exchanges."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        tokens, _ = RefreshToken.objects.filter(family_expires_at__lt=now).delete()
        self.stdout.write(f"Deleted {tokens} refresh tokens and {sweep(now)} code exchanges.")
