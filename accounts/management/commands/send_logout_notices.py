from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.backchannel.notices import deliver_due


class Command(BaseCommand):
    help = "Tell applications of sessions that ended, as far as that is due."

    def handle(self, *args: Any, **options: Any) -> None:
        tally = deliver_due(due_by=timezone.now())
        self.stdout.write(
            f"Delivered {tally.delivered} logout notices; {tally.failed} weren't taken."
        )
