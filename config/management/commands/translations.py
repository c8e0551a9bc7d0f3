from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.wiring import translations


class Command(BaseCommand):
    help = "Collect translatable strings and compile the Chinese catalogue."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; fail if stale.")

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        left = translations.problems() if check else translations.update()
        for problem in left:
            self.stderr.write(str(problem))
        if left:
            raise CommandError(f"{len(left)} to fix.")
        self.stdout.write("The catalogue is complete.")
