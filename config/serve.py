"""``make serve``: the production server, configured only by environment variables.

Refuses to start on a missing or contradictory setting, a failed system check or unapplied
migrations, each with a message that says what to do.
"""

import fcntl
import hashlib
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError

from config.kernel.database import UNAPPLIED_MIGRATIONS, unapplied_migrations
from config.wiring.server import become_server

STAMP = ".collected"


def main() -> None:
    """Check everything, collect static files if they changed, and serve."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
        refuse_failed_checks()
        refuse_unapplied_migrations()
    except ImproperlyConfigured as error:
        sys.exit(f"Unionpass can't start. {error}")
    collect_static_files()
    print(f"Unionpass serves {settings.PUBLIC_URL} on {settings.BIND}.", flush=True)  # noqa: T201
    become_server(workers=settings.WEB_CONCURRENCY)


def refuse_failed_checks() -> None:
    """Print the warnings of the deployment checks; stop on an error.

    Raises:
        ImproperlyConfigured: a check failed.

    """
    for message in checks.run_checks(include_deployment_checks=True):
        if message.is_silenced():
            continue
        if message.is_serious():
            raise ImproperlyConfigured(f"{message.msg} {message.hint or ''}")
        print(f"Warning: {message.msg} {message.hint or ''}", file=sys.stderr)  # noqa: T201


def refuse_unapplied_migrations() -> None:
    """Stop if the database is not of this version.

    Raises:
        ImproperlyConfigured: it has unapplied migrations, or can't be reached.

    """
    try:
        behind = unapplied_migrations()
    except OperationalError:
        raise ImproperlyConfigured(
            "The database can't be reached. Check DATABASE_URL and that the database runs."
        ) from None
    if behind:
        raise ImproperlyConfigured(UNAPPLIED_MIGRATIONS)


def collect_static_files() -> None:
    """Collect static files into ``STATIC_ROOT`` if they changed.

    Servers that start from the same folder wait for each other.
    """
    root = Path(settings.STATIC_ROOT)
    root.mkdir(exist_ok=True)
    with (root.parent / f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, wanted = root / STAMP, _fingerprint_of_static_files()
        if not stamp.exists() or stamp.read_text() != wanted:
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
            stamp.write_text(wanted)


def _fingerprint_of_static_files() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            size, modified = storage.size(path), storage.get_modified_time(path)
            digest.update(f"{path}\n{size}\n{modified.timestamp()}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
