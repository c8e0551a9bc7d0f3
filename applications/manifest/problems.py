"""The errors of a manifest: always with the line and the key, never with a secret."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]

_KEY = re.compile(r"[A-Za-z_-]{1,25}")


@dataclass(frozen=True)
class Problem:
    """One reason why nothing is applied."""

    line: int
    path: Path
    reason: str
    column: int | None = None

    def __str__(self) -> str:
        column = f"{self.column}:" if self.column is not None else ""
        where = f" {written(self.path)}:" if self.path else ""
        return f"{self.line}:{column}{where} {self.reason}"


class ManifestRefused(Exception):
    """The file can't be applied; ``problems`` has every reason, in the order of the lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        # Two rules may find the same error; it is reported once.
        self.problems = sorted(
            dict.fromkeys(problems), key=lambda problem: (problem.line, written(problem.path))
        )
        super().__init__(f"{len(self.problems)} problems")


def written(path: Path) -> str:
    """Return a path as the documentation writes it: ``user_pools[0].name``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{quotable(step)}"
    return text.removeprefix(".")


def quotable(key: str) -> str:
    """Return a key of the file fit to be printed.

    In ``{app_secret:0123…}``, where the blank after the colon is missing, the "key" holds the
    secret; in ``{0123…}`` it is one. So only what looks like a key is shown: letters, and fewer
    than any secret has.
    """
    word, colon, _rest = key.partition(":")
    if not _KEY.fullmatch(word):
        return "…"
    return f"{word}…" if colon else word
