"""Scripted faults in the store, until their calls are made.

Each (call, application) has a queue; an entry is used `times` times. Places in the queue and uses
are claimed with `store.add`, so that several processes share one script exactly.
"""

import secrets

from identity_sources.sandbox.exceptions import InvalidFieldError
from identity_sources.sandbox.faults import Fault, FaultKind
from identity_sources.sandbox.store import Store
from identity_sources.sandbox.world import require_sandbox_app_id

CALLS = {
    "/sns/jscode2session": "jscode2session",
    "/sns/oauth2/access_token": "oauth2_access_token",
    "/cgi-bin/stable_token": "stable_token",
    "/cgi-bin/token": "token",
    "/wxa/business/getuserphonenumber": "getuserphonenumber",
}
"""By path, the names of calls in scripted faults."""
MOST_TIMES = 1_000_000

_KEPT_SECONDS = 86_400
_ANY_APP = "any"


class Scripts:
    """The queues of scripted faults, which expire after a day."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def append(self, call: str, fault: Fault, *, times: int, app_id: str | None) -> None:
        """Script a fault for the next `times` calls (of the application, if one is given).

        Raises `InvalidFieldError` (a ValueError) naming the argument that is wrong.
        """
        _check(call, fault, times)
        queue = _queue(call, app_id)
        entry = {"id": secrets.token_hex(8), "fault": fault.as_fields(), "times": times}
        place = self._head(queue)
        while not self._store.add(f"{queue}:{place}", entry, _KEPT_SECONDS):
            place += 1
        self._store.set(_armed_key(call), 1, _KEPT_SECONDS)

    def has_any(self, call: str) -> bool:
        """Tell whether anything was scripted for the call recently, so that `take` is needed."""
        return bool(self._store.get(_armed_key(call)))

    def take(self, call: str, *, app_id: str | None) -> Fault | None:
        """Return the next fault for this call, if any; the application's own come first."""
        own = self._take_from(_queue(call, app_id)) if app_id is not None else None
        return own or self._take_from(_queue(call, None))

    def _take_from(self, queue: str) -> Fault | None:
        place = self._head(queue)
        while (entry := self._store.get(f"{queue}:{place}")) is not None:
            if self._claim_take(f"{queue}:{entry['id']}", entry["times"]):
                return Fault.from_fields(entry["fault"])
            place += 1
            # A head that is set back in a race is harmless: used entries stay used.
            self._store.set(f"{queue}:head", place, _KEPT_SECONDS)
        return None

    def _claim_take(self, takes_key: str, times: int) -> bool:
        # The hint only saves time: every use below it has been claimed.
        first: int = self._store.get(f"{takes_key}:hint") or 0
        for take in range(first, times):
            if self._store.add(f"{takes_key}:{take}", 1, _KEPT_SECONDS):
                self._store.set(f"{takes_key}:hint", take + 1, _KEPT_SECONDS)
                return True
        return False

    def _head(self, queue: str) -> int:
        return self._store.get(f"{queue}:head") or 0


def _check(call: str, fault: Fault, times: int) -> None:
    if call not in CALLS.values():
        raise InvalidFieldError("call", f"call must be one of {', '.join(CALLS.values())}.")
    if not isinstance(fault, Fault):
        raise InvalidFieldError("fault", "fault must be a Fault.")
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MOST_TIMES:
        raise InvalidFieldError("times", f"times must be an integer from 1 to {MOST_TIMES}.")
    if fault.kind is FaultKind.NUMBER_COUNTRY_CODE and call != "getuserphonenumber":
        raise InvalidFieldError("kind", "number_country_code is for getuserphonenumber only.")


def _queue(call: str, app_id: str | None) -> str:
    app = _ANY_APP if app_id is None else require_sandbox_app_id(app_id)
    return f"wxsandbox:script:{call}:{app}"


def _armed_key(call: str) -> str:
    return f"wxsandbox:script:{call}:armed"
