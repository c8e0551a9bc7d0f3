"""The sandbox itself: the actions of a phone, and the calls of a server.

https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session
https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken
https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getaccesstoken
https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber
https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
"""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable, Container
from typing import Any

from identity_sources.sandbox.codes import OAUTH, CodeKind, Codes, IssuedCode
from identity_sources.sandbox.damage import damaged, replacement
from identity_sources.sandbox.exceptions import BlockedError, PhoneUnavailableError, RefusedError
from identity_sources.sandbox.faults import Fault
from identity_sources.sandbox.messages import (
    Payload,
    SandboxAnswer,
    SandboxRequest,
    answer,
    refusal_payload,
)
from identity_sources.sandbox.scripts import CALLS, Scripts
from identity_sources.sandbox.store import Clock, Store
from identity_sources.sandbox.tokens import TOKEN_TTL_SECONDS, AccessToken, Tokens, token_text
from identity_sources.sandbox.world import (
    PEOPLE,
    Person,
    find_person,
    is_sandbox_app_id,
    openid_of,
    require_sandbox_app_id,
    sandbox_app_secret,
    unionid_of,
)

Call = Callable[[SandboxRequest], Payload]

_SCOPES = {
    CodeKind.WEBSITE: "snsapi_login",
    CodeKind.OFFICIAL_ACCOUNT: "snsapi_userinfo",
    CodeKind.MOBILE_APP: "snsapi_userinfo",
}


class Sandbox:
    """An emulated WeChat with all of its state in `store`; `clock` returns Unix seconds."""

    def __init__(self, store: Store, clock: Clock = time.time) -> None:
        self._clock = clock
        self._codes = Codes(store, clock)
        self._tokens = Tokens(store, clock)
        self._scripts = Scripts(store)
        self._calls: dict[str, Call] = {
            "/sns/jscode2session": self._jscode2session,
            "/sns/oauth2/access_token": self._oauth2_access_token,
            "/cgi-bin/stable_token": self._stable_token,
            "/cgi-bin/token": self._token,
            "/wxa/business/getuserphonenumber": self._getuserphonenumber,
        }

    def wx_login(self, app_id: str, person: str) -> str:
        """Emulate `wx.login` on the person's phone: return a code for 300 s.

        Blocked people get a code as well. Raises `InvalidFieldError` for an AppID or a person
        that the sandbox doesn't have.
        """
        require_sandbox_app_id(app_id)
        return self._codes.issue(CodeKind.LOGIN, app_id=app_id, person=find_person(person).key)

    def get_phone_number(self, app_id: str, person: str) -> str:
        """Emulate the `getPhoneNumber` button: return a code for 300 s.

        Raises `PhoneUnavailableError` for a person without a number, `InvalidFieldError` for an
        AppID or a person that the sandbox doesn't have.
        """
        require_sandbox_app_id(app_id)
        if find_person(person).phone is None:
            raise PhoneUnavailableError
        return self._codes.issue(CodeKind.PHONE, app_id=app_id, person=person)

    def qrconnect(self, app_id: str, person: str) -> str:
        """Emulate scanning and confirming a website's login: return a code for 600 s.

        Raises `BlockedError` for a blocked person, `InvalidFieldError` for an AppID or a person
        that the sandbox doesn't have.
        """
        require_sandbox_app_id(app_id)
        if find_person(person).risk_blocked:
            raise BlockedError(person)
        return self._codes.issue(CodeKind.WEBSITE, app_id=app_id, person=person)

    def script(self, call: str, fault: Fault, times: int = 1, app_id: str | None = None) -> None:
        """Script a fault for the next `times` calls (of one application, or of any).

        `call` is one of `scripts.CALLS`. Faults are queued; an application's own come before those
        for any. Raises `InvalidFieldError`.
        """
        self._scripts.append(call, fault, times=times, app_id=app_id)

    def handle(self, request: SandboxRequest) -> SandboxAnswer:
        """Answer a server's call; never raises, whatever a client sends."""
        path = request.path
        call = self._calls.get(path)
        if call is None:
            return answer(path, refusal_payload(RefusedError(40066), self._clock()))
        fault = self._scripted_fault(request)
        if fault is None:
            return answer(path, self._payload(call, request))
        instead = replacement(fault, path, self._clock())
        if instead is not None and fault.strikes_before_code:
            return instead
        payload = self._payload(call, request)
        return instead or damaged(fault, path, payload)

    def _payload(self, call: Call, request: SandboxRequest) -> Payload:
        try:
            return call(request)
        except RefusedError as refusal:
            return refusal_payload(refusal, self._clock())

    def _scripted_fault(self, request: SandboxRequest) -> Fault | None:
        call = CALLS[request.path]
        if not self._scripts.has_any(call):
            return None
        try:
            app_id = self._claimed_app_id(request)
        except RefusedError:
            app_id = ""
        return self._scripts.take(call, app_id=app_id if is_sandbox_app_id(app_id) else None)

    def _claimed_app_id(self, request: SandboxRequest) -> str:
        if request.path == "/wxa/business/getuserphonenumber":
            return self._tokens.app_id_of(request.query.get("access_token", ""))
        if request.path == "/cgi-bin/stable_token":
            return _text(_json_object(request), "appid")
        return request.query.get("appid", "")

    def _jscode2session(self, request: SandboxRequest) -> Payload:
        issued = self._exchanged(request, "js_code", {CodeKind.LOGIN})
        if PEOPLE[issued.person].risk_blocked:
            raise RefusedError(40226)
        session_key = base64.b64encode(secrets.token_bytes(16)).decode("ascii")
        openid = openid_of(issued.app_id, issued.person)
        return {"session_key": session_key, "openid": openid} | _unionid(issued)

    def _oauth2_access_token(self, request: SandboxRequest) -> Payload:
        issued = self._exchanged(request, "code", OAUTH)
        # A user's tokens, which no call of the sandbox accepts.
        return {
            "access_token": token_text(),
            "expires_in": TOKEN_TTL_SECONDS,
            "refresh_token": token_text(),
            "openid": openid_of(issued.app_id, issued.person),
            "scope": _SCOPES[issued.kind],
        } | _unionid(issued)

    def _exchanged(
        self, request: SandboxRequest, name: str, kinds: Container[CodeKind]
    ) -> IssuedCode:
        """Use up the code in the parameter `name`, if all other parameters are valid."""
        # Only the query counts: parameters in a POST's body count as missing (41002).
        query = request.query
        app_id, secret, code = (query.get(field, "") for field in ("appid", "secret", name))
        _require_credentials(app_id, secret)
        if not code:
            raise RefusedError(41008)
        if query.get("grant_type") != "authorization_code":
            raise RefusedError(40002)
        _check_credentials(app_id, secret)
        return self._codes.consume(kinds, code, app_id=app_id)

    def _token(self, request: SandboxRequest) -> Payload:
        query = request.query
        app_id, secret = query.get("appid", ""), query.get("secret", "")
        _require_credentials(app_id, secret)
        if query.get("grant_type") != "client_credential":
            raise RefusedError(40002)
        _check_credentials(app_id, secret)
        return self._token_payload(self._tokens.mint_plain(app_id))

    def _stable_token(self, request: SandboxRequest) -> Payload:
        if request.method != "POST":
            raise RefusedError(43002)
        data = _json_object(request)
        app_id, secret = _text(data, "appid"), _text(data, "secret")
        _require_credentials(app_id, secret)
        if _text(data, "grant_type") != "client_credential":
            raise RefusedError(40002)
        force_refresh = data.get("force_refresh", False)
        if not isinstance(force_refresh, bool):
            raise RefusedError(47001)
        _check_credentials(app_id, secret)
        return self._token_payload(self._tokens.stable(app_id, force_refresh=force_refresh))

    def _token_payload(self, token: AccessToken) -> Payload:
        return {"access_token": token.text, "expires_in": token.expires_in(self._clock())}

    def _getuserphonenumber(self, request: SandboxRequest) -> Payload:
        if request.method != "POST":
            raise RefusedError(43002)
        app_id = self._tokens.app_id_of(request.query.get("access_token", ""))
        data = _json_object(request)
        code, openid = _text(data, "code"), _text(data, "openid")
        if not code:
            raise RefusedError(41008)
        issued = self._codes.consume({CodeKind.PHONE}, code, app_id=app_id)
        if openid and openid != openid_of(app_id, issued.person):
            raise RefusedError(40003)
        watermark = {"timestamp": int(issued.issued_at), "appid": app_id}
        phone_info = _phone_numbers(PEOPLE[issued.person]) | {"watermark": watermark}
        return {"errcode": 0, "errmsg": "ok", "phone_info": phone_info}


def _unionid(issued: IssuedCode) -> Payload:
    # Without one, the key is absent.
    unionid = unionid_of(issued.app_id, issued.person)
    return {} if unionid is None else {"unionid": unionid}


def _phone_numbers(person: Person) -> Payload:
    phone = person.phone
    if phone is None:
        raise RefusedError(40029)
    # Foreign numbers include the calling code; how they are written is not documented.
    is_foreign = phone.country_code != "86"
    return {
        "phoneNumber": f"{phone.country_code}{phone.pure_number}"
        if is_foreign
        else phone.pure_number,
        "purePhoneNumber": phone.pure_number,
        "countryCode": phone.country_code,
    }


def _require_credentials(app_id: str, secret: str) -> None:
    if not app_id:
        raise RefusedError(41002)
    if not secret:
        raise RefusedError(41004)


def _check_credentials(app_id: str, secret: str) -> None:
    if not is_sandbox_app_id(app_id):
        raise RefusedError(40013)
    given = secret.encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(given, sandbox_app_secret(app_id).encode()):
        raise RefusedError(40125)


def _json_object(request: SandboxRequest) -> dict[str, Any]:
    if not request.body:
        raise RefusedError(44002)
    try:
        data = json.loads(request.body.decode())
    except (ValueError, RecursionError):
        raise RefusedError(47001) from None
    if not isinstance(data, dict):
        raise RefusedError(47001)
    return data


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RefusedError(47001)
    return value
