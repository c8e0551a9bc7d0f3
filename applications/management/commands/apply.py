"""Bring the database to what a YAML file says: user pools, identity sources, applications."""

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, IntegrityError

from applications.manifest.applying import ApplyInterrupted, apply_manifest, preview
from applications.manifest.entries import read_entries
from applications.manifest.plan import NO_CHANGES
from applications.manifest.problems import ManifestRefused
from applications.manifest.reading import read_document
from config.kernel.database import UNAPPLIED_MIGRATIONS, unapplied_migrations
from config.kernel.redaction import redact

STANDARD_INPUT = "-"


class Command(BaseCommand):
    """Never deletes; what the file doesn't mention stays. All of the file, or nothing of it."""

    help = "Make user pools, identity sources and applications as a YAML (or JSON) file says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the YAML file, or - for standard input")
        parser.add_argument("--plan", action="store_true", help="only print what would be done")
        parser.add_argument(
            "--overwrite",
            action="store_true",
            help="also replace what was changed in the console since the last apply",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        file: str = options["file"]
        text = _read(file)
        try:
            manifest = read_entries(read_document(text), os.environ)
            carry_out = preview if options["plan"] else apply_manifest
            plan = str(carry_out(manifest, overwrite=options["overwrite"]))
        except ManifestRefused as refused:
            raise CommandError(_listing(file, refused)) from None
        except ApplyInterrupted:
            raise CommandError(
                "Somebody else is changing the same things; nothing was applied. Try again."
            ) from None
        except IntegrityError as error:
            # Not raised on: a traceback would quote the row.
            raise CommandError(
                "The database refused what was to be written; nothing was applied. This is a fault "
                f"of the server's: {redact(str(error))}"
            ) from None
        except DatabaseError:
            if unapplied_migrations():
                raise CommandError(UNAPPLIED_MIGRATIONS) from None
            raise
        self.stdout.write(plan)
        if plan != NO_CHANGES:
            done = "Nothing was written: --plan only prints." if options["plan"] else "Applied."
            self.stdout.write(done)


def _read(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}.") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CommandError(f"{_name(file)}:{line}: this isn't UTF-8.") from None


def _name(file: str) -> str:
    return "<stdin>" if file == STANDARD_INPUT else file


def _listing(file: str, refused: ManifestRefused) -> str:
    name = _name(file)
    lines = [f"{name}:{problem}" for problem in refused.problems]
    return "\n".join([f"{name} is refused; nothing was applied.", *lines])
