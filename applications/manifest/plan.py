"""What `apply` will do, and its output. The plan has secrets, the output never."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from applications.manifest.state import Value

NO_CHANGES = "No changes."


class Action(Enum):
    """What happens to an object; the value is the word that is printed."""

    CREATE = "create"
    TAKE_UP = "take up again"
    CHANGE = "change"
    LEAVE = "leave as it is"


@dataclass(frozen=True)
class FieldChange:
    """One field: ``before`` and ``after`` as printed, None if there was no value."""

    field: str
    before: str | None
    after: str

    def __str__(self) -> str:
        return f"{self.field}: {'' if self.before is None else f'{self.before} → '}{self.after}"


class Method(NamedTuple):
    """A login method that the file lists."""

    source: str
    way: str
    enabled: bool

    def __str__(self) -> str:
        return f"{self.source}:{self.way}"


@dataclass(frozen=True)
class Intent:
    """The file's values of one object, in the form of state.py."""

    values: Mapping[str, Value] = field(repr=False)
    methods: tuple[Method, ...] = ()


@dataclass(frozen=True)
class ObjectPlan:
    """What happens to one pool, source or application."""

    kind: str
    pool: str
    identifier: str
    action: Action
    changes: tuple[FieldChange, ...]
    intent: Intent

    @property
    def changed(self) -> frozenset[str]:
        """The names of the fields that change."""
        return frozenset(change.field for change in self.changes)

    def __str__(self) -> str:
        where = self.identifier if self.kind == "user pool" else f"{self.pool}/{self.identifier}"
        lines = [f"{self.kind} {where}: {self.action.value}"]
        return "\n".join([*lines, *(f"  {change}" for change in self.changes)])


@dataclass(frozen=True)
class PoolPlan:
    """One pool with its objects, in the file's order."""

    pool: ObjectPlan
    sources: tuple[ObjectPlan, ...]
    applications: tuple[ObjectPlan, ...]

    def __iter__(self) -> Iterator[ObjectPlan]:
        yield self.pool
        yield from self.sources
        yield from self.applications


@dataclass(frozen=True)
class Plan:
    """Everything that one `apply` does."""

    pools: tuple[PoolPlan, ...]

    def __str__(self) -> str:
        objects = [part for pool in self.pools for part in pool]
        moving = [part for part in objects if part.action is not Action.LEAVE]
        if not moving:
            return NO_CHANGES
        counts = [(action, sum(part.action is action for part in objects)) for action in Action]
        summary = ", ".join(f"{count} to {action.value}" for action, count in counts if count)
        return "\n".join([*(str(part) for part in moving), f"In all: {summary}."])


def shown(value: Value) -> str:
    """Return a value as it stands in YAML and JSON; control characters are escaped."""
    return "none" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
