"""What ``python app.py setup`` does."""

import json
import sys
from collections.abc import Callable
from typing import Any

from django.core.management import call_command


def run(prepare: Callable[[], dict[str, Any]]) -> None:
    """Migrate the database, and print what the scenarios must know of what was prepared."""
    if sys.argv[1:] != ["setup"]:
        sys.exit(f"Usage: {sys.argv[0]} setup")
    call_command("migrate", interactive=False, run_syncdb=True, verbosity=0)
    print(json.dumps(prepare()))  # noqa: T201 - the caller reads it
