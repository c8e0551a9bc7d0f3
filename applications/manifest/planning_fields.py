"""File against database, field by field: equal, changed by the file, or changed in the console."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError

from applications.manifest.entries import Entry, Manifest
from applications.manifest.plan import Action, FieldChange, shown
from applications.manifest.problems import Path, Problem
from applications.manifest.state import APPLICATION_DEFAULTS, SECRET_FIELDS, Rows, Value, digest
from applications.models import Application
from identity_sources.models import IdentitySource
from userpools.models import UserPool

Row = UserPool | IdentitySource | Application

_WAY_OUT = (
    "Put the console's value into the file, or run again with --overwrite to bring the file's back."
)
_UNREADABLE = (
    "can't be compared: no key of ENCRYPTION_KEYS decrypts the present one. Add that key, or run "
    "again with --overwrite to replace the secret."
)
# Field → another key of the file that affects it.
_KEYS = {"client_authentication": "client_secret"}


@dataclass(frozen=True)
class Planning:
    """One comparison of a file with the database, and the problems found."""

    manifest: Manifest
    rows: Rows
    overwrite: bool
    now: datetime
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, path: Path, reason: str) -> None:
        """Note a problem at this key, or at its object if the key isn't there."""
        self.problems.append(Problem(self.manifest.document.line(path), path, reason))

    def require(self, entry: Entry, keys: Iterable[str], why: str = "") -> bool:
        """Refuse keys that are missing; tell whether all are there and valid."""
        for key in keys:
            if key not in entry.values and key not in entry.refused:
                self.refuse((*entry.path, key), f"is required{why}.")
        return all(key in entry.values for key in keys)

    def check_immutable(self, entry: Entry, row: Row, keys: Iterable[str]) -> None:
        """Refuse keys that would change a fixed field of a row."""
        for key in keys:
            if key in entry.values and entry.values[key] != getattr(row, key):
                now = shown(getattr(row, key))
                self.refuse((*entry.path, key), f"can't be changed: it is {now}.")

    def check_new(self, entry: Entry, row: Row, *, exclude: Iterable[str]) -> None:
        """Refuse what the model refuses for a new row."""
        try:
            row.full_clean(
                {*exclude, *entry.refused}, validate_unique=False, validate_constraints=False
            )
        except ValidationError as error:
            for key, reasons in error.message_dict.items():
                if key in entry.values:
                    self.refuse((*entry.path, key), " ".join(reasons))

    def compare(
        self, entry: Entry, row: Row, current: Mapping[str, Value], wanted: Mapping[str, Value]
    ) -> tuple[FieldChange, ...]:
        """Return the fields that the file changes; refuse those that the console changed since."""
        changes = []
        for name, value in wanted.items():
            if is_same(current[name], value):
                continue
            if not self.overwrite and not _is_as_applied(row, name, current[name]):
                reason = _console(name, current[name], is_known=name in row.applied)
                key = name if name in entry.values else _KEYS.get(name, name)
                self.refuse((*entry.path, key), reason)
            changes.append(field_change(name, current[name], value))
        return tuple(changes)


def is_same(current: Value, wanted: Value) -> bool:
    """Compare two values, texts in constant time: some of them are secrets."""
    if isinstance(current, str) and isinstance(wanted, str):
        return hmac.compare_digest(current.encode(), wanted.encode())
    return current == wanted


def field_change(name: str, current: Value, wanted: Value) -> FieldChange:
    """Return a change of an existing row's field, without the value if that is a secret."""
    if name in SECRET_FIELDS:
        return FieldChange(name, None, "(set)" if current is None else "(changed)")
    return FieldChange(name, shown(current), shown(wanted))


def first_values(wanted: Mapping[str, Value]) -> tuple[FieldChange, ...]:
    """Return the fields of a row that is to be made, secrets without their values."""
    return tuple(
        FieldChange(name, None, "(set)" if name in SECRET_FIELDS else shown(value))
        for name, value in wanted.items()
    )


def action_of(changes: tuple[FieldChange, ...]) -> Action:
    """Return what happens to a row that exists."""
    return Action.CHANGE if changes else Action.LEAVE


def _is_as_applied(row: Row, name: str, current: Value) -> bool:
    if name not in row.applied and name in APPLICATION_DEFAULTS:
        # The row is older than the field, so the field was never set.
        return bool(row.applied) and current == APPLICATION_DEFAULTS[name]
    remembered = row.applied.get(name, "")
    return hmac.compare_digest(remembered, digest(row.pk, name, current))


def _console(name: str, current: Value, *, is_known: bool) -> str:
    if name == "app_secret" and current is None:
        return _UNREADABLE
    what = "changed in the console since the last apply" if is_known else "set in the console"
    now = "" if name in SECRET_FIELDS else f" (it is {shown(current)} now)"
    return f"was {what}{now}. {_WAY_OUT}"
