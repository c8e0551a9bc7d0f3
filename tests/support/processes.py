"""Starting the server as a separate process and waiting for it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 30


def start(module: str, environment: dict[str, str], url: str, log: Path) -> subprocess.Popen[bytes]:
    """Start ``python -m module`` and return when it is ready."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server stopped: {log.read_text()}"
        try:
            if requests.get(f"{url}/readyz", timeout=5).ok:
                return process
        except requests.ConnectionError:
            time.sleep(0.1)
    process.kill()
    pytest.fail(f"the server doesn't answer: {log.read_text()}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the server as an operator's process manager does."""
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=STOP_SECONDS)


def bare_environment() -> dict[str, str]:
    """Return the environment of every process, without the settings of the test run."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
