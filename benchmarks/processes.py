"""A program that the bench starts: its processes' CPU time and memory, pausing and stopping.

A process's children are found in /proc, so this works on Linux only.
"""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
_KEPT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")
_TICKS = os.sysconf("SC_CLK_TCK")
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ProgramFailed(Exception):
    """A program of the bench didn't do what it should; the message has the end of its log."""


@dataclass(frozen=True)
class Process:
    """What /proc says of one process; ``seconds`` is its CPU time, ``reaped`` its children's."""

    pid: int
    parent: int
    seconds: float
    reaped: float
    resident: int


def read_process(pid: int) -> Process | None:
    """Return what /proc says of a process; None if it has ended."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name may contain blanks and parentheses.
    numbers = line.rpartition(")")[2].split()
    user, system, reaped_user, reaped_system = (int(number) for number in numbers[11:15])
    return Process(
        pid=pid,
        parent=int(numbers[1]),
        seconds=(user + system) / _TICKS,
        reaped=(reaped_user + reaped_system) / _TICKS,
        resident=int(numbers[21]) * _PAGE,
    )


def tree(root: int) -> list[Process]:
    """Return a process and all that descend from it."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    every = [read_process(pid) for pid in pids]
    found = [process for process in every if process and process.pid == root]
    for parent in found:
        found += [process for process in every if process and process.parent == parent.pid]
    return found


def cpu_seconds(root: int) -> float:
    """Return the CPU time of a process, its descendants, and those that it has outlived."""
    return sum(process.seconds + process.reaped for process in tree(root))


def bare_environment() -> dict[str, str]:
    """Return the environment of every program, without the settings of the caller."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path = ROOT) -> str:
    """Run a program to its end; return its standard output.

    Raises:
        ProgramFailed: it failed.

    """
    done = subprocess.run(  # noqa: S603 - our own programs
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProgramFailed(
            f"{' '.join(command[1:4])} failed:\n{(done.stdout + done.stderr)[-2000:]}"
        )
    return done.stdout


class Running:
    """A program that runs until the block ends."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path = ROOT
    ) -> None:
        self._log = log
        self._output: IO[bytes] = log.open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            command, env=environment, cwd=folder, stdout=self._output, stderr=self._output
        )
        self.pid = self._process.pid

    def wait_for(self, url: str) -> None:
        """Wait until the program answers 200 at this URL.

        Raises:
            ProgramFailed: it ended, or didn't answer in time.

        """
        self._wait_until(lambda: _answers(url), url)

    def first_line(self) -> str:
        """Return the first line that the program prints.

        Raises:
            ProgramFailed: it ended, or printed none in time.

        """
        self._wait_until(lambda: "\n" in self._log.read_text(), "the first line")
        return self._log.read_text().partition("\n")[0]

    def wait_for_port(self, port: int) -> None:
        """Wait until the program accepts connections.

        Raises:
            ProgramFailed: it ended, or didn't in time.

        """
        self._wait_until(lambda: _accepts(port), f"port {port}")

    def _wait_until(self, is_ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ProgramFailed(f"Waiting for {what}:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.01)

    def pause(self) -> None:
        """Take the program's processes off the CPU."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused program go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill the program; a server would take seconds to end, and its database is dropped."""
        # Paused first, so that none is replaced by its parent.
        self.pause()
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._output.close()

    def cpu_seconds(self) -> float:
        """Return the CPU time of the program's processes."""
        return cpu_seconds(self.pid)

    def worker_memory(self) -> float:
        """Return the mean resident memory of the worker processes, in MB."""
        workers = [process for process in tree(self.pid) if process.parent == self.pid]
        # multiprocessing's resource tracker is a small child that serves nothing.
        largest = max((process.resident for process in workers), default=0)
        sizes = [process.resident for process in workers if process.resident > largest / 2]
        return sum(sizes) / len(sizes) / 1e6 if sizes else 0.0

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            for process in tree(self.pid):
                try:
                    os.kill(process.pid, number)
                except ProcessLookupError:
                    continue


def _answers(url: str) -> bool:
    try:
        with _OPENER.open(url, timeout=5) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except (HTTPError, URLError, ConnectionError, TimeoutError):
        return False


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
