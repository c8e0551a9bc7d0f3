"""The errors that API clients get, each with a sentence that says what to do.

::

    DomainError
    ├── InvalidRequest      a field is missing or malformed; names the field
    ├── InvalidClient       no such application, or its secret is wrong
    ├── TooManyRequests     a limit is reached; retry_after is the time to wait
    ├── ServiceUnavailable  the database or cache can't be reached
    └── LoginRefused        a refused login; the reasons are subclasses, next to the code
                            that raises them (applications/offers.py, accounts/refusals.py)
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


class DomainError(Exception):
    """An expected failure: a code for programs, an HTTP status, a sentence for developers.

    ``extra`` has further fields of the response; ``challenge`` is its WWW-Authenticate header.
    ``is_callers_doing`` tells whether a throttle counts it against the client; a status of 500 or
    more never counts. ``event`` is the login event that records it, if there is one.
    """

    code: str = "server_error"
    status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR
    description: str = "Something went wrong on our side."
    retry_after: int | None = None
    challenge: str | None = None
    is_callers_doing: bool = True
    event: Any = None

    def __init__(
        self,
        description: str = "",
        *,
        retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.description = description or self.description
        self.extra = dict(extra or {})
        self.retry_after = self.retry_after if retry_after is None else retry_after
        super().__init__(self.description)


class InvalidRequest(DomainError):
    """A malformed request; ``field`` names the field to fix, if it is one."""

    code = "invalid_request"
    status = HTTPStatus.BAD_REQUEST

    def __init__(
        self, description: str, *, field: str | None = None, status: HTTPStatus | None = None
    ) -> None:
        super().__init__(description)
        self.field = field
        self.status = status or self.status


class InvalidClient(DomainError):
    """No such application, or its authentication failed: the error doesn't tell which."""

    code = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    challenge = 'Basic realm="unionpass"'  # RFC 6749 §5.2; sent if Basic was used
    description = (
        "No application has this client_id and this proof. Check client_id, and the secret or key "
        "where the application has one."
    )


class TooManyRequests(DomainError):
    """A limit of this server is reached."""

    code = "too_many_requests"
    status = HTTPStatus.TOO_MANY_REQUESTS
    description = "Too many refused attempts. Wait before trying again."
    retry_after = 60


class ServiceUnavailable(DomainError):
    """The database or cache can't be reached."""

    code = "service_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    description = "The service is briefly unavailable. Try again."
    retry_after = 5


class LoginRefused(DomainError):
    """A refused login."""

    status = HTTPStatus.FORBIDDEN
