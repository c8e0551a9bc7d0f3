"""Scripted faults: the errors of WeChat that a test or an operator wants.

A fault either replaces the answer (a refusal, a foreign page, a lost connection) or damages the
real one. WeChat uses a code up before it answers, so most faults leave the code used, except faults
before WeChat has received the request and, by default, refusals.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Self

from identity_sources.sandbox.exceptions import InvalidFieldError

LONGEST_DELAY_SECONDS = 600


class FaultKind(StrEnum):
    """The name of a kind of fault."""

    REFUSAL = "refusal"
    LATENCY = "latency"
    HTTP_STATUS = "http_status"
    HTML_PAGE = "html_page"
    EMPTY_BODY = "empty_body"
    TRUNCATED_JSON = "truncated_json"
    INVALID_UTF8 = "invalid_utf8"
    CONTROL_CHARACTER = "control_character"
    ERRCODE_ZERO = "errcode_zero"
    UNKNOWN_FIELDS = "unknown_fields"
    NUMBER_COUNTRY_CODE = "number_country_code"
    CONNECTION_REFUSED = "connection_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECTION_DROPPED = "connection_dropped"
    READ_TIMEOUT = "read_timeout"


NEVER_REACHES_WECHAT = frozenset({FaultKind.CONNECTION_REFUSED, FaultKind.CONNECT_TIMEOUT})
REPLACES_ANSWER = frozenset(
    {
        FaultKind.REFUSAL,
        FaultKind.HTTP_STATUS,
        FaultKind.HTML_PAGE,
        FaultKind.EMPTY_BODY,
        FaultKind.CONNECTION_DROPPED,
        FaultKind.READ_TIMEOUT,
    }
)
_SPARES_CODE = NEVER_REACHES_WECHAT | {FaultKind.REFUSAL, FaultKind.HTML_PAGE}
_REDIRECTS = range(300, 400)
_FAILURES = range(300, 600)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `InvalidFieldError` (a ValueError) names an invalid field.

    `errcode` and `errmsg` belong to `refusal`, `status` (300 to 599) to `http_status`.
    `delay_seconds` (at most 600) may accompany any kind and is what `latency` consists of.
    `consumes_code` overrides whether a fault that replaces the answer leaves the code used; by
    default a refusal, a redirect and an HTML page (of an intermediary) do not.
    """

    kind: FaultKind
    errcode: int | None = None
    errmsg: str | None = None
    status: int | None = None
    delay_seconds: float = 0.0
    consumes_code: bool | None = None

    def __post_init__(self) -> None:
        self._check_kind()
        self._check_refusal()
        self._check_status()
        self._check_delay()
        self._check_consumes_code()

    @classmethod
    def from_fields(cls, data: Mapping[str, Any]) -> Self:
        """Build a fault from plain data such as decoded JSON."""
        known = {field.name for field in fields(cls)}
        for name in data:
            if name not in known:
                raise InvalidFieldError(name, f"{name} is not a field of a fault.")
        if "kind" not in data:
            raise InvalidFieldError("kind", f"kind is required: {_kinds()}.")
        return cls(**data)

    def as_fields(self) -> dict[str, Any]:
        """Return plain data that `from_fields` accepts."""
        return asdict(self) | {"kind": str(self.kind)}

    @property
    def strikes_before_code(self) -> bool:
        """Whether the call is not carried out, so that its code stays valid."""
        if self.consumes_code is not None:
            return not self.consumes_code
        return self.kind in _SPARES_CODE or self.status in _REDIRECTS

    def _check_kind(self) -> None:
        try:
            # A fault from JSON or the store has its kind as a plain string.
            object.__setattr__(self, "kind", FaultKind(self.kind))
        except ValueError:
            raise InvalidFieldError("kind", f"kind must be one of {_kinds()}.") from None

    def _check_refusal(self) -> None:
        if self.kind is FaultKind.REFUSAL:
            if not _is_integer(self.errcode) or self.errcode == 0:
                raise InvalidFieldError("errcode", "errcode must be an integer other than 0.")
            if self.errmsg is not None and not _is_printable_text(self.errmsg):
                raise InvalidFieldError("errmsg", "errmsg must be printable text.")
            return
        for name in ("errcode", "errmsg"):
            if getattr(self, name) is not None:
                raise InvalidFieldError(name, f"{name} is for faults of kind refusal.")

    def _check_status(self) -> None:
        if self.kind is FaultKind.HTTP_STATUS:
            if not _is_integer(self.status) or self.status not in _FAILURES:
                raise InvalidFieldError("status", "status must be an integer from 300 to 599.")
        elif self.status is not None:
            raise InvalidFieldError("status", "status is for faults of kind http_status.")

    def _check_delay(self) -> None:
        delay = self.delay_seconds
        is_number = isinstance(delay, int | float) and not isinstance(delay, bool)
        if not is_number or not 0 <= delay <= LONGEST_DELAY_SECONDS:
            raise InvalidFieldError(
                "delay_seconds", f"delay_seconds must be from 0 to {LONGEST_DELAY_SECONDS}."
            )
        if self.kind is FaultKind.LATENCY and delay == 0:
            raise InvalidFieldError("delay_seconds", "latency needs delay_seconds above 0.")

    def _check_consumes_code(self) -> None:
        if self.consumes_code is None:
            return
        if not isinstance(self.consumes_code, bool):
            raise InvalidFieldError("consumes_code", "consumes_code must be true or false.")
        if self.kind not in REPLACES_ANSWER:
            raise InvalidFieldError("consumes_code", f"{self.kind} takes no consumes_code.")


def refusal(errcode: int, errmsg: str | None = None) -> Fault:
    """Refuse with any `errcode`; its usual text is known for the codes of this project's APIs."""
    return Fault(FaultKind.REFUSAL, errcode=errcode, errmsg=errmsg)


def latency(seconds: float) -> Fault:
    """Return the real answer, late."""
    return Fault(FaultKind.LATENCY, delay_seconds=seconds)


def http_status(status: int) -> Fault:
    """Answer with a status that WeChat itself never uses for business errors."""
    return Fault(FaultKind.HTTP_STATUS, status=status)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_printable_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _kinds() -> str:
    return ", ".join(FaultKind)
