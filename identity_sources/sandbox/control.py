"""Control endpoints of the sandbox: phones, scripted faults, pushes, the list of people.

Plain functions from request data to (status, JSON object), so that the WSGI application and a
Django view serve the same endpoints. A wrong field is answered 400 with `field` and `message`.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from identity_sources.sandbox.emulator import Sandbox
from identity_sources.sandbox.exceptions import InvalidFieldError, PhoneUnavailableError
from identity_sources.sandbox.faults import Fault
from identity_sources.sandbox.messages import SandboxRequest, first_values
from identity_sources.sandbox.pushed_events import PushedEvent
from identity_sources.sandbox.pushes import Endpoint, PushFormat, PushMode, push_request
from identity_sources.sandbox.world import PEOPLE, Person

ControlAnswer = tuple[int, dict[str, Any]]
Door = Callable[[Sandbox, Mapping[str, Any]], ControlAnswer]

_DIGITS = re.compile(r"[0-9]{1,18}")
_SCRIPT_FIELDS = frozenset({"call", "times", "app_id"})


def wx_login(sandbox: Sandbox, data: Mapping[str, Any]) -> ControlAnswer:
    """`app_id`, `person` → the result of `wx.login` on that person's phone."""
    code = sandbox.wx_login(_text(data, "app_id"), _text(data, "person"))
    return 200, {"errMsg": "login:ok", "code": code}


def get_phone_number(sandbox: Sandbox, data: Mapping[str, Any]) -> ControlAnswer:
    """`app_id`, `person` → the event detail of the `getPhoneNumber` button; no code on refusal."""
    try:
        code = sandbox.get_phone_number(_text(data, "app_id"), _text(data, "person"))
    except PhoneUnavailableError as failure:
        return 200, {"errMsg": failure.err_msg}
    return 200, {"errMsg": "getPhoneNumber:ok", "code": code}


def qrconnect(sandbox: Sandbox, data: Mapping[str, Any]) -> ControlAnswer:
    """`app_id`, `person` → the code that a website gets once the person has confirmed."""
    return 200, {"code": sandbox.qrconnect(_text(data, "app_id"), _text(data, "person"))}


def script_fault(sandbox: Sandbox, data: Mapping[str, Any]) -> ControlAnswer:
    """`call`, `kind`, the kind's fields, optional `times` and `app_id` → the scripted fault."""
    call, times = _text(data, "call"), data.get("times", 1)
    app_id = None if data.get("app_id") is None else _text(data, "app_id")
    fault = Fault.from_fields({key: data[key] for key in data if key not in _SCRIPT_FIELDS})
    sandbox.script(call, fault, times=times, app_id=app_id)
    return 200, {"call": call, "times": times, "app_id": app_id, "fault": fault.as_fields()}


def push(_sandbox: Sandbox, data: Mapping[str, Any]) -> ControlAnswer:
    """`app_id`, `person`, `event`, `token`, `aes_key` → the request by which WeChat pushes it.

    Optional: `mode` (plain, compat, safe), `format` (xml, json), `revoke_info`, `event_type`, and
    `created_at` in Unix seconds; the request itself has the current time, so that it is accepted.
    Send the answer's `query`, `content_type` and `body` to the server under test.
    """
    now = time.time()
    event = PushedEvent(
        app_id=_text(data, "app_id"),
        person=_text(data, "person"),
        event=_text(data, "event"),
        created_at=_whole_number(data, "created_at", int(now)),
        revoke_info=_number_as_text(data, "revoke_info"),
        event_type=_number_as_text(data, "event_type"),
    )
    endpoint = Endpoint(
        token=_text(data, "token"),
        aes_key=_text(data, "aes_key"),
        mode=_text(data, "mode", PushMode.SAFE),
        format=_text(data, "format", PushFormat.XML),
    )
    request = push_request(event, endpoint, now)
    return 200, {
        "query": request.query,
        "content_type": request.content_type,
        "body": request.body.decode(),
    }


def list_people(_sandbox: Sandbox, _data: Mapping[str, Any]) -> ControlAnswer:
    """List all people, with the keys that the other endpoints use."""
    return 200, {"people": [_described(person) for person in PEOPLE.values()]}


DOORS: dict[str, tuple[str, Door]] = {
    "/sandbox/wx.login": ("POST", wx_login),
    "/sandbox/getPhoneNumber": ("POST", get_phone_number),
    "/sandbox/qrconnect": ("POST", qrconnect),
    "/sandbox/faults": ("POST", script_fault),
    "/sandbox/push": ("POST", push),
    "/sandbox/people": ("GET", list_people),
}


def control(sandbox: Sandbox, request: SandboxRequest) -> ControlAnswer | None:
    """Serve a control endpoint; None if the path isn't one.

    Parameters come from a JSON body, or else from the query and a form body. Statuses: 200, 400
    with `field` and `message`, 405.
    """
    if request.path not in DOORS:
        return None
    method, door = DOORS[request.path]
    if request.method != method:
        return 405, {"field": None, "message": f"{request.path} takes {method} only."}
    try:
        return door(sandbox, read_data(request))
    except InvalidFieldError as error:
        return 400, {"field": error.field, "message": error.message}


def read_data(request: SandboxRequest) -> dict[str, Any]:
    """Return the parameters of a JSON object, a form or the query; the body wins over the query.

    The body's first character decides, not its type: `curl --data` calls everything a form.
    """
    body = request.body.strip()
    if not body.startswith((b"{", b"[")):
        return dict(request.query) | first_values(body.decode(errors="replace"))
    try:
        data = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise InvalidFieldError("body", "The body is not JSON in UTF-8.") from None
    if not isinstance(data, dict):
        raise InvalidFieldError("body", "The body must be a JSON object.")
    return dict(request.query) | data


def _text(data: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = data.get(name, default)
    if value is None or value == "":
        raise InvalidFieldError(name, f"{name} is required.")
    if not isinstance(value, str):
        raise InvalidFieldError(name, f"{name} must be text.")
    return value


def _number_as_text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None if value is None else _text(data, name)


def _whole_number(data: Mapping[str, Any], name: str, default: int) -> int:
    text = _number_as_text(data, name)
    if text is None:
        return default
    if not _DIGITS.fullmatch(text):
        raise InvalidFieldError(name, f"{name} must be a whole number.")
    return int(text)


def _described(person: Person) -> dict[str, Any]:
    phone = person.phone
    return {
        "person": person.key,
        "name": person.name,
        "name_zh": person.name_zh,
        "nickname": person.nickname,
        "phone": None if phone is None else f"+{phone.country_code}{phone.pure_number}",
        "risk_blocked": person.risk_blocked,
    }
