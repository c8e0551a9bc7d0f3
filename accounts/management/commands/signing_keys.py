"""List, prepare, promote and revoke the keys that a user pool signs with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.sessions.signing_keys import revoke_key
from config.kernel.database import one_or_none
from userpools.key_rotation import (
    KeyRotationRefused,
    PromotionTooEarly,
    prepare_key,
    promotable_from,
    promote_key,
)
from userpools.models import SigningKey, UserPool

_COLUMNS = ("kid", "algorithm", "state", "published", "promoted", "retired", "may be promoted from")


class Command(BaseCommand):
    """Works for both algorithms unless one is given; if one fails, nothing is changed."""

    help = "Rotate the keys that a user pool's tokens are signed with (docs/operations.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pool", metavar="POOL", help="the user pool's identifier")
        parser.add_argument(
            "action",
            nargs="?",
            default="list",
            choices=["list", "prepare", "promote", "revoke"],
            help=(
                "list the keys; prepare: make and publish the next one; promote: sign with it from "
                "now on; revoke: remove one and end the sessions that it signed for"
            ),
        )
        parser.add_argument(
            "--algorithm",
            choices=SigningKey.Algorithm.values,
            help="prepare or promote the key of this algorithm alone",
        )
        parser.add_argument(
            "--kid", help="the key to revoke, as --kid=…: it may begin with a hyphen"
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="promote a key that was published less than 24 hours ago",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        pool = one_or_none(UserPool.objects.filter(identifier=options["pool"]))
        if pool is None:
            raise CommandError(f"There is no user pool {options['pool']!r}.")
        chosen = options["algorithm"]
        algorithms = [chosen] if chosen else list(SigningKey.Algorithm.values)
        try:
            said = _carry_out(pool, algorithms, options)
        except PromotionTooEarly as refusal:
            raise CommandError(
                f"{refusal} Nothing was changed. With --force it is promoted now, and clients "
                "that fetched the keys before it was published refuse its tokens for up to an hour."
            ) from None
        except KeyRotationRefused as refusal:
            raise CommandError(f"{refusal} Nothing was changed.") from None
        self.stdout.write("\n".join(said))


def _carry_out(pool: UserPool, algorithms: Sequence[str], options: dict[str, Any]) -> list[str]:
    match options["action"]:
        case "prepare":
            return _prepare(pool, algorithms)
        case "promote":
            return _promote(pool, algorithms, force=options["force"])
        case "revoke":
            return _revoke(pool, options["kid"])
        case _:
            return _table(pool)


@transaction.atomic
def _prepare(pool: UserPool, algorithms: Sequence[str]) -> list[str]:
    keys = [prepare_key(pool, algorithm) for algorithm in algorithms]
    return [
        f"{key.algorithm}: {key.kid} is published. It may be promoted from "
        f"{_time(promotable_from(key))}."
        for key in keys
    ]


@transaction.atomic
def _promote(pool: UserPool, algorithms: Sequence[str], *, force: bool) -> list[str]:
    now = timezone.now()
    keys = [promote_key(pool, algorithm, now=now, force=force) for algorithm in algorithms]
    return [f"{key.algorithm}: {key.kid} signs from now on." for key in keys]


def _revoke(pool: UserPool, kid: str | None) -> list[str]:
    if not kid:
        raise CommandError(
            f"Say which key, by --kid=…. `signing_keys {pool.identifier}` lists them."
        )
    ended = revoke_key(pool, kid, now=timezone.now())
    return [f"{kid} is revoked. Sessions that ended: {ended}."]


def _table(pool: UserPool) -> list[str]:
    keys = SigningKey.objects.filter(pool=pool).order_by("algorithm", "created_at", "pk")
    rows = [_COLUMNS, *(_row(key) for key in keys)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(key: SigningKey) -> tuple[str, ...]:
    is_next = key.state == SigningKey.State.NEXT
    return (
        key.kid,
        key.algorithm,
        key.state,
        _time(key.created_at),
        _time(key.promoted_at),
        _time(key.retired_at),
        _time(promotable_from(key) if is_next else None),
    )


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "-"
