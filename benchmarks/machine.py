"""What a result says of the machine and the versions: nothing that names a host or a path."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("django", "djangorestframework", "granian", "psycopg", "requests", "cryptography")


def machine() -> dict[str, str | int | float]:
    """Return cores, CPU model and memory."""
    return {
        "cores": os.cpu_count() or 1,
        "cpu": _cpu_model() or platform.machine(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
    }


def versions(postgresql: str) -> dict[str, str]:
    """Return the versions of what was measured."""
    return {
        "python": platform.python_version(),
        "postgresql": postgresql,
        "redis": _redis(),
        **{name: version(name) for name in LIBRARIES},
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), ""
    )


def _redis() -> str:
    program = shutil.which("redis-server")
    if program is None:
        return ""
    said = subprocess.run(  # noqa: S603 - Redis's own
        [program, "--version"], capture_output=True, text=True, check=False
    ).stdout
    words = [word for word in said.split() if word.startswith("v=")]
    return words[0][2:] if words else ""
