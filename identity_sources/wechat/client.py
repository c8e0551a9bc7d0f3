"""Call WeChat's server APIs.

No exception of the HTTP library leaves this module: it quotes the URL, which contains a secret. A
user's code works once, so a call is repeated only if WeChat can't have received it, or answered
that it was busy.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import requests

from config.kernel.http import HTTP_FAILURES, reason_of
from identity_sources.wechat import answers
from identity_sources.wechat.answers import (
    Answer,
    AppAccessToken,
    MiniProgramSession,
    OAuthIdentity,
    PhoneNumber,
)
from identity_sources.wechat.errcodes import Credential, refusal, settings_accepted
from identity_sources.wechat.errors import SystemBusy, WeChatError, WeChatRefusal, WeChatUnavailable
from identity_sources.wechat.masking import errmsg_without, shown_answer, shown_request
from identity_sources.wechat.transport import Call, exchange

ATTEMPTS = 2
REPEAT_PAUSE = 0.2

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRecord:
    """The record of a call, repetition included, for traces and metrics.

    `errcode` is 0 for success and None without a usable answer, whose `reason` is then set;
    `errmsg` is empty except for a refusal. `request` is one line, `answer` that of the last
    attempt: neither contains a secret, a code, a token or personal data (see `masking`).
    `settings_accepted` tells whether WeChat accepts the operator's settings: True, False, or None
    if the answer doesn't show it (see `errcodes`).
    """

    call: str
    request: str
    answer: Mapping[str, str | int]
    milliseconds: int
    attempts: int
    errcode: int | None
    errmsg: str
    rid: str | None
    reason: str | None
    settings_accepted: bool | None


@dataclass(frozen=True, slots=True)
class _Attempt(Generic[Parsed]):
    outcome: Parsed | WeChatError
    answer: Answer = field(repr=False)


def _ignore(_record: CallRecord) -> None:
    """Observe nothing."""


class WeChatClient:
    """The calls, on one HTTP session that may be shared by threads.

    `api_url` is `https://api.weixin.qq.com`, one of its fallback hosts, or a sandbox; `timeout` is
    (connect, read) in seconds. `observer` is called after every call, before its result is
    returned or its error raised; it mustn't raise. `pause` waits before a repetition.

    All calls raise WeChatUnavailable or a WeChatRefusal (see `errors`). They don't check their
    arguments: check codes with `shapes` first.
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        api_url: str,
        timeout: tuple[float, float],
        observer: Callable[[CallRecord], None] = _ignore,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session
        self._api_url = api_url.rstrip("/")
        self._timeout = timeout
        self._observer = observer
        self._pause = pause

    def jscode2session(self, *, app_id: str, app_secret: str, js_code: str) -> MiniProgramSession:
        """Exchange the code of `wx.login`, valid once within five minutes.

        Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session
        """
        call = Call(
            name="jscode2session",
            method="GET",
            path="/sns/jscode2session",
            credential=Credential.APP_SECRET,
            query={
                "appid": app_id,
                "secret": app_secret,
                "js_code": js_code,
                "grant_type": "authorization_code",
            },
            secrets=(app_secret, js_code),
        )
        return self._perform(call, MiniProgramSession.parse)

    def oauth2_access_token(self, *, app_id: str, app_secret: str, code: str) -> OAuthIdentity:
        """Exchange the code of an OAuth login: of a website, official account or mobile app.

        Valid once: within ten minutes, from an official account within five.
        Source: https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login
        and https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
        """
        call = Call(
            name="oauth2_access_token",
            method="GET",
            path="/sns/oauth2/access_token",
            credential=Credential.APP_SECRET,
            query={
                "appid": app_id,
                "secret": app_secret,
                "code": code,
                "grant_type": "authorization_code",
            },
            secrets=(app_secret, code),
        )
        return self._perform(call, OAuthIdentity.parse)

    def stable_token(
        self, *, app_id: str, app_secret: str, force_refresh: bool = False
    ) -> AppAccessToken:
        """Get the application's access token; the same one until five minutes before its expiry.

        `force_refresh` invalidates the current token at once: only for a leak, 20 times a day.
        Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken
        """
        call = Call(
            name="stable_token",
            method="POST",
            path="/cgi-bin/stable_token",
            credential=Credential.APP_SECRET,
            body={
                "grant_type": "client_credential",
                "appid": app_id,
                "secret": app_secret,
                "force_refresh": force_refresh,
            },
            secrets=(app_secret,),
        )
        return self._perform(call, AppAccessToken.parse)

    def getuserphonenumber(self, *, access_token: str, code: str, openid: str) -> PhoneNumber:
        """Exchange the code of the phone number button, valid once within five minutes.

        The OpenID is always sent, so that WeChat refuses a code of another person. The watermark's
        AppID must be compared by the caller.
        Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber
        """
        call = Call(
            name="getuserphonenumber",
            method="POST",
            path="/wxa/business/getuserphonenumber",
            credential=Credential.ACCESS_TOKEN,
            query={"access_token": access_token},
            body={"code": code, "openid": openid},
            secrets=(access_token, code, openid),
        )
        return self._perform(call, PhoneNumber.parse)

    def _perform(self, call: Call, parse: Callable[[Answer], Parsed]) -> Parsed:
        started = time.perf_counter()
        for number in range(1, ATTEMPTS + 1):
            attempt = self._attempt(call, parse)
            outcome = attempt.outcome
            if number == ATTEMPTS or not _may_repeat(outcome):
                break
            self._pause(REPEAT_PAUSE)
        milliseconds = round((time.perf_counter() - started) * 1000)
        self._observer(_record(call, self._api_url, milliseconds, number, attempt))
        if isinstance(outcome, WeChatError):
            raise outcome
        return outcome

    def _attempt(self, call: Call, parse: Callable[[Answer], Parsed]) -> _Attempt[Parsed]:
        answer: Answer = {}
        try:
            reply = exchange(self._session, self._api_url, call, timeout=self._timeout)
            answer = answers.read(*reply)
            errcode = answers.errcode_of(answer)
            return _Attempt(_refusal(call, errcode, answer) if errcode else parse(answer), answer)
        except WeChatError as error:
            return _Attempt(error, answer)
        except HTTP_FAILURES as failure:
            # Returned, not raised: raised here, it would have the library's exception, and with it
            # the URL, as its context.
            return _Attempt(WeChatUnavailable(reason_of(failure)), answer)


def _refusal(call: Call, errcode: int, answer: Answer) -> WeChatRefusal:
    errmsg = errmsg_without(answer, call.secrets)
    return refusal(call=call.name, credential=call.credential, errcode=errcode, errmsg=errmsg)


def _may_repeat(outcome: object) -> bool:
    if isinstance(outcome, WeChatUnavailable):
        return outcome.reason == "connect_failed"
    return isinstance(outcome, SystemBusy)


def _record(
    call: Call, api_url: str, milliseconds: int, attempts: int, last: _Attempt[Parsed]
) -> CallRecord:
    outcome = last.outcome
    unavailable_because = outcome.reason if isinstance(outcome, WeChatUnavailable) else None
    refused = outcome if isinstance(outcome, WeChatRefusal) else None
    errcode = refused.errcode if refused else 0
    return CallRecord(
        call=call.name,
        request=shown_request(call.method, api_url + call.path, call.query, call.body),
        answer=shown_answer(last.answer, call.secrets),
        milliseconds=milliseconds,
        attempts=attempts,
        errcode=None if unavailable_because else errcode,
        errmsg=refused.errmsg if refused else "",
        rid=refused.rid if refused else None,
        reason=unavailable_because,
        settings_accepted=None
        if unavailable_because
        else settings_accepted(call.name, errcode, call.credential),
    )
