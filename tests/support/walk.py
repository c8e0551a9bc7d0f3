"""The walk of a function call through our files: the files, and the moves between them."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "applications", "config", "identity_sources", "userpools")
# The sandbox stands for WeChat, which is another server.
ELSEWHERE = "identity_sources/sandbox/"


@dataclass
class Walk:
    """The files in the order in which they are entered, and the moves from file to file.

    A call of a function in another file is a move, and so is the return. Libraries are ignored: a
    function that Django calls counts as called from the file that called Django.
    """

    files: list[str] = field(default_factory=list)
    moves: int = 0
    _open: list[str] = field(default_factory=list)

    def observe(self, frame: FrameType, event: str, _argument: Any) -> None:
        """Handle one event of `sys.setprofile`."""
        if event not in {"call", "return"}:
            return
        name = _name_of(frame.f_code.co_filename)
        if not name:
            return
        if event == "return":
            if self._open:
                self._open.pop()
                self.moves += self._here != name
            return
        self.moves += self._here != name
        self._open.append(name)
        if name not in self.files:
            self.files.append(name)

    @property
    def _here(self) -> str:
        return self._open[-1] if self._open else ""

    def __str__(self) -> str:
        return f"{len(self.files)} files, {self.moves} moves\n  " + "\n  ".join(self.files)


def walk(work: Callable[[], Any]) -> tuple[Walk, Any]:
    """Call a function; return its walk, and its result."""
    taken = Walk()
    sys.setprofile(taken.observe)
    try:
        outcome = work()
    finally:
        sys.setprofile(None)
    return taken, outcome


@cache
def _name_of(file: str) -> str:
    """Return the path of one of our files; empty for any other."""
    path = Path(file)
    if not path.is_absolute() or not path.is_relative_to(ROOT):
        return ""
    name = str(path.relative_to(ROOT))
    ours = name.split("/", maxsplit=1)[0] in APPS and not name.startswith(ELSEWHERE)
    return name if ours else ""
