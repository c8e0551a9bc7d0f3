"""WeChat's complaints about a source, in an operator's language, with a remedy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from identity_sources.health import ACCOUNT_BANNED, NOTICES_LAST, PUNISHMENT, REMOVED, is_notice
from identity_sources.models import IdentitySource, SourceFailure
from identity_sources.wechat.catalogue import APPEAL, explain

_SUBJECTS: Mapping[str, Any] = {
    "jscode2session": gettext_lazy("Login: AppID and AppSecret"),
    "oauth2_access_token": gettext_lazy("Login: AppID and AppSecret"),
    "stable_token": gettext_lazy("Server calls: phone numbers, codes to scan"),
    "getuserphonenumber": gettext_lazy("Phone numbers"),
}
_PUNISHMENTS: Mapping[object, Any] = {
    1: gettext_lazy("WeChat has warned the account about a violation."),
    2: gettext_lazy("WeChat has banned functions of the app."),
    REMOVED: gettext_lazy("WeChat has removed the app (下架): nobody can open it."),
    ACCOUNT_BANNED: gettext_lazy("WeChat has banned the account."),
    10: gettext_lazy("WeChat has banned pages of the app."),
}


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """A call whose settings WeChat refuses, or a punishment of the app by WeChat.

    For a punishment ``errcode`` is None, and ``facts`` has its details, by WeChat's names. With a
    notice the source still works.
    """

    subject: str
    meaning: str
    remedy: str
    call: str
    errcode: int | None
    errmsg: str
    rid: str
    facts: Mapping[str, str | int]
    since: datetime
    last_at: datetime
    is_notice: bool


def complaints_about(source: IdentitySource, *, now: datetime) -> list[Complaint]:
    """Return the failures, the first one first, then the notices of the last `NOTICES_LAST`.

    One query, none where ``failures`` were prefetched.
    """
    rows = sorted(source.failures.all(), key=lambda row: (is_notice(row), row.since, row.call))
    return [
        _of_punishment(row) if row.errcode is None else _of_call(row)
        for row in rows
        if not is_notice(row) or now - row.last_at < NOTICES_LAST
    ]


def _of_call(row: SourceFailure) -> Complaint:
    errcode = row.errcode or 0
    explanation = explain(errcode)
    return Complaint(
        subject=str(_SUBJECTS.get(row.call, row.call)),
        meaning=_(explanation.meaning),
        remedy=_(explanation.remedy),
        **_common(row),
    )


def _of_punishment(row: SourceFailure) -> Complaint:
    unknown = gettext_lazy("WeChat has taken a measure against the app that isn't known here.")
    return Complaint(
        subject=_("Notice from WeChat"),
        meaning=str(_PUNISHMENTS.get(row.facts.get("event_type"), unknown)),
        remedy=_("Read the notices of the account in WeChat's console and do what they ask for.")
        if is_notice(row)
        else _(APPEAL),
        **_common(row),
    )


def _common(row: SourceFailure) -> dict[str, Any]:
    return {
        "call": PUNISHMENT if row.errcode is None else row.call,
        "errcode": row.errcode,
        "errmsg": row.errmsg,
        "rid": row.rid,
        # The database keeps no order; the event itself comes first.
        "facts": dict(sorted(row.facts.items(), key=lambda fact: (fact[0] != "event_type", fact))),
        "since": row.since,
        "last_at": row.last_at,
        "is_notice": is_notice(row),
    }
