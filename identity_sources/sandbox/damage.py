"""How a scripted fault changes an answer.

The kinds of damage are those reported in practice: empty `text/html; charset=gbk` bodies, pages
of intermediaries, invalid UTF-8 and control characters inside strings, `errcode: 0` beside data,
new fields, a numeric `countryCode`.
"""

from collections.abc import Callable

from identity_sources.sandbox.exceptions import RefusedError
from identity_sources.sandbox.faults import Fault, FaultKind
from identity_sources.sandbox.messages import (
    ConnectionFault,
    Payload,
    SandboxAnswer,
    answer,
    content_type,
    encode,
    refusal_payload,
)

_FOREIGN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>Log in</body></html>"
)
_GATEWAY_PAGE = b"<html><head><title>Error</title></head><body><hr>nginx</body></html>"
_REDIRECT_TARGET = "https://portal.invalid/"
_REDIRECTS = range(300, 400)
_CONNECTION_FAULTS = {FaultKind(fault.value): fault for fault in ConnectionFault}


def replacement(fault: Fault, path: str, now: float) -> SandboxAnswer | None:
    """Return the answer that replaces the real one, None if the fault only damages that."""
    delay = fault.delay_seconds
    if fault.kind in _CONNECTION_FAULTS:
        return SandboxAnswer(0, {}, b"", delay, _CONNECTION_FAULTS[fault.kind])
    if fault.kind is FaultKind.REFUSAL and fault.errcode is not None:
        payload = refusal_payload(RefusedError(fault.errcode, fault.errmsg), now)
        return SandboxAnswer(
            200, {"Content-Type": content_type(path)}, encode(path, payload), delay
        )
    if fault.kind is FaultKind.EMPTY_BODY:
        return SandboxAnswer(200, {"Content-Type": "text/html; charset=gbk"}, b"", delay)
    if fault.kind is FaultKind.HTML_PAGE:
        return SandboxAnswer(200, {"Content-Type": "text/html"}, _FOREIGN_PAGE, delay)
    if fault.kind is FaultKind.HTTP_STATUS and fault.status is not None:
        headers = {"Content-Type": "text/html"}
        if fault.status in _REDIRECTS:
            headers["Location"] = _REDIRECT_TARGET
        return SandboxAnswer(fault.status, headers, _GATEWAY_PAGE, delay)
    return None


def damaged(fault: Fault, path: str, payload: Payload) -> SandboxAnswer:
    """Return the real answer, damaged or delayed by the fault."""
    change_payload = _PAYLOAD_CHANGES.get(fault.kind)
    whole = answer(path, change_payload(payload) if change_payload else payload)
    change_body = _BODY_CHANGES.get(fault.kind)
    body = change_body(whole.body) if change_body else whole.body
    return SandboxAnswer(whole.status, whole.headers, body, fault.delay_seconds)


def _with_errcode_zero(payload: Payload) -> Payload:
    return payload if "errcode" in payload else payload | {"errcode": 0, "errmsg": "ok"}


def _with_unknown_fields(payload: Payload) -> Payload:
    unknown = {"expires_in": 7200, "is_new": True, "extra": {"path": "a/b", "list": [1, None]}}
    return unknown | payload


def _with_number_country_code(payload: Payload) -> Payload:
    phone = payload.get("phone_info")
    if phone is None:
        return payload
    return payload | {"phone_info": phone | {"countryCode": int(phone["countryCode"])}}


def _truncated(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _with_first_string(raw: bytes) -> Callable[[bytes], bytes]:
    # No answer has free text yet, so the bytes are in a field that clients have to ignore.
    return lambda body: b'{"remark":"' + raw + b'",' + body.removeprefix(b"{")


_PAYLOAD_CHANGES: dict[FaultKind, Callable[[Payload], Payload]] = {
    FaultKind.ERRCODE_ZERO: _with_errcode_zero,
    FaultKind.UNKNOWN_FIELDS: _with_unknown_fields,
    FaultKind.NUMBER_COUNTRY_CODE: _with_number_country_code,
}
_BODY_CHANGES: dict[FaultKind, Callable[[bytes], bytes]] = {
    FaultKind.TRUNCATED_JSON: _truncated,
    FaultKind.INVALID_UTF8: _with_first_string(b"\xf0\x9f\x8c"),
    FaultKind.CONTROL_CHARACTER: _with_first_string(b"\x14"),
}
