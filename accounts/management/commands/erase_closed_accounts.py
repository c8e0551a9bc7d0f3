from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.users.closing import erase_due


class Command(BaseCommand):
    help = (
        "Erase the personal data of accounts whose grace period is over "
        "(CLOSED_ACCOUNT_GRACE_DAYS), and what merged users kept for undoing. Run it every day."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Erased {erase_due(now=timezone.now())} closed accounts.")
