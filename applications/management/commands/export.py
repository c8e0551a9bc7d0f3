"""Print the YAML that `apply` reads, of one user pool or of all."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from applications.manifest.exporting import UnknownPool, export_manifest
from config.kernel.database import UNAPPLIED_MIGRATIONS, unapplied_migrations


class Command(BaseCommand):
    """Secrets are references to environment variables, so the output may be kept with the code."""

    help = "Print user pools, identity sources and applications as the YAML that apply reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pool", metavar="POOL", nargs="?", help="only this user pool")

    def handle(self, *_args: Any, **options: Any) -> None:
        if unapplied_migrations():
            raise CommandError(UNAPPLIED_MIGRATIONS)
        try:
            manifest = export_manifest(options["pool"])
        except UnknownPool:
            raise CommandError(f"There is no user pool {options['pool']!r}.") from None
        self.stdout.write(manifest, ending="")
