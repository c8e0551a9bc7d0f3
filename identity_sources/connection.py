"""Testing an AppID and AppSecret without a person's login."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.database import release_connection
from identity_sources.gateway import wechat_client
from identity_sources.models import IdentitySource
from identity_sources.wechat.catalogue import explain
from identity_sources.wechat.client import WeChatClient
from identity_sources.wechat.errors import CodeRefused, Reason, WeChatError, WeChatRefusal

# It looks like a code, but WeChat never issued it.
NO_CODE = "unionpass-tries-the-connection"

_OUTAGES: dict[Reason, Any] = {
    "connect_failed": gettext_lazy("no connection"),
    "proxy_failed": gettext_lazy("the proxy failed"),
    "tls_failed": gettext_lazy("the certificate wasn't accepted"),
    "timed_out": gettext_lazy("no answer in time"),
    "broken_connection": gettext_lazy("the connection broke"),
    "bad_status": gettext_lazy("an HTTP error"),
    "empty_answer": gettext_lazy("an empty answer"),
    "too_large": gettext_lazy("an answer that is too large"),
    "unreadable": gettext_lazy("an answer that can't be read"),
}


class Verdict(StrEnum):
    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one test, for an operator, with a remedy if it failed."""

    verdict: Verdict
    subject: str
    sentence: str
    remedy: str = ""
    errcode: int | None = None
    errmsg: str = ""
    """WeChat's own text, which has the address of the call"""
    rid: str = ""


def try_connection(source: IdentitySource) -> list[Finding]:
    """Make the calls that need no person, and return their results.

    Raises:
        DecryptionError: ENCRYPTION_KEYS lacks the key that encrypted the AppSecret.

    """
    app_secret = source.app_secret()
    client = wechat_client(source)
    release_connection()
    findings = [trial(client, source.app_id, app_secret) for trial in _TRIALS[source.type]]
    if source.type in _BOUND_BY_AN_OPERATOR:
        findings.append(_unionid_is_unknown())
    return findings


def _try_mini_program_login(client: WeChatClient, app_id: str, app_secret: str) -> Finding:
    return _try_login(
        lambda: client.jscode2session(app_id=app_id, app_secret=app_secret, js_code=NO_CODE)
    )


def _try_oauth_login(client: WeChatClient, app_id: str, app_secret: str) -> Finding:
    return _try_login(
        lambda: client.oauth2_access_token(app_id=app_id, app_secret=app_secret, code=NO_CODE)
    )


def _try_login(exchange: Callable[[], object]) -> Finding:
    subject = _("Login: AppID and AppSecret")
    try:
        exchange()
    except CodeRefused:
        # Only the made-up code was wrong.
        return Finding(verdict=Verdict.GOOD, subject=subject, sentence=_("WeChat accepts both."))
    except WeChatError as error:
        return _failure(subject, error)
    return Finding(
        verdict=Verdict.UNKNOWN,
        subject=subject,
        sentence=_("WeChat accepted a code that doesn't exist. Whoever answers isn't WeChat."),
    )


def _try_server_call(client: WeChatClient, app_id: str, app_secret: str) -> Finding:
    subject = _("Server calls: phone numbers, codes to scan")
    try:
        client.stable_token(app_id=app_id, app_secret=app_secret)
    except WeChatError as error:
        return _failure(subject, error)
    return Finding(
        verdict=Verdict.GOOD,
        subject=subject,
        sentence=_("WeChat accepts calls from this server's address."),
    )


def _unionid_is_unknown() -> Finding:
    return Finding(
        verdict=Verdict.UNKNOWN,
        subject=_("UnionID: binding to an Open Platform account"),
        sentence=_("WeChat tells only with a person's login. The first login's event will say."),
    )


def outage_in_words(reason: str) -> str:
    """Return the meaning of a reason of `WeChatUnavailable`; an unknown reason unchanged."""
    return next((str(words) for known, words in _OUTAGES.items() if known == reason), reason)


def _failure(subject: str, error: WeChatError) -> Finding:
    if not isinstance(error, WeChatRefusal):
        return Finding(
            verdict=Verdict.BAD,
            subject=subject,
            sentence=_("WeChat gave no usable answer (%(reason)s).")
            % {"reason": outage_in_words(getattr(error, "reason", ""))},
            remedy=_("Check that this server reaches WeChat, by WECHAT_PROXY_URL where it must."),
        )
    explanation = explain(error.errcode)
    return Finding(
        verdict=Verdict.UNKNOWN if error.is_outage else Verdict.BAD,
        subject=subject,
        sentence=_(explanation.meaning),
        remedy=_(explanation.remedy),
        errcode=error.errcode,
        errmsg=error.errmsg,
        rid=error.rid or "",
    )


_Trial = Callable[[WeChatClient, str, str], Finding]
_TRIALS: dict[str, tuple[_Trial, ...]] = {
    IdentitySource.Type.WECHAT_MINI_PROGRAM: (_try_mini_program_login, _try_server_call),
    IdentitySource.Type.WECHAT_OFFICIAL_ACCOUNT: (_try_server_call,),
    IdentitySource.Type.WECHAT_WEBSITE: (_try_oauth_login,),
    IdentitySource.Type.WECHAT_MOBILE_APP: (_try_oauth_login,),
}

# The others always belong to an Open Platform account, so there are UnionIDs.
_BOUND_BY_AN_OPERATOR = frozenset(
    {IdentitySource.Type.WECHAT_MINI_PROGRAM, IdentitySource.Type.WECHAT_OFFICIAL_ACCOUNT}
)
