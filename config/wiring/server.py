"""Granian, as both ``make run`` and ``make serve`` start it."""

import os
import sys
from typing import NoReturn

from django.conf import settings

# A thread spends most of its time waiting for WeChat, so there are many per core.
THREADS_PER_WORKER = 32


def granian_command(*, workers: int) -> list[str]:
    """Return the command line that serves the application at ``settings.BIND``."""
    host, _, port = settings.BIND.rpartition(":")
    # fmt: off
    return [
        sys.executable, "-m", "granian", "config.wsgi:application",
        "--interface", "wsgi",
        "--host", host.strip("[]"),
        "--port", port,
        "--workers", str(workers),
        "--blocking-threads", str(THREADS_PER_WORKER),
        # Without it Granian stops altogether when one worker is killed.
        "--respawn-failed-workers",
        "--respawn-interval", "1",
        "--workers-kill-timeout", "15",
        "--no-ws",
        "--log-level", "error",  # its warning about the number of threads, which is intended
    ]
    # fmt: on


def become_server(*, workers: int) -> NoReturn:
    """Replace this process by the server, so that signals reach it directly."""
    sys.stdout.flush()
    # glibc gives each of the threads a heap of its own, and each grows to the thread's largest
    # request. The interpreter's lock lets one thread allocate at a time anyway.
    # https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    os.execv(sys.executable, granian_command(workers=workers))  # noqa: S606 - no shell is meant
