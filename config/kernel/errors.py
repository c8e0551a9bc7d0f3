"""The errors that a program outside may meet, each telling it what to do.

::

    DomainError
    ├── InvalidRequest      a field is missing or malformed; names the field
    ├── InvalidClient       no such application, or its secret is wrong
    ├── TooManyRequests     wait; retry_after says how long
    ├── ServiceUnavailable  our database or cache is away
    └── LoginRefused        a login that was refused; the reasons are subclasses, beside
                            what raises them (applications/offers.py, accounts/refusals.py)
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


class DomainError(Exception):
    """An anticipated failure: a machine's word, an HTTP status and a sentence for a developer.

    ``extra`` holds further fields of the answer; ``challenge`` is its WWW-Authenticate header.
    ``is_callers_doing`` tells whether a throttle counts it against the caller; what is answered
    with a status of 500 or more never is. ``event`` is the login event that records it, if one
    does.
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
    """A request that can't be understood; ``field`` names what to mend, if it is one field."""

    code = "invalid_request"
    status = HTTPStatus.BAD_REQUEST

    def __init__(
        self, description: str, *, field: str | None = None, status: HTTPStatus | None = None
    ) -> None:
        super().__init__(description)
        self.field = field
        self.status = status or self.status


class InvalidClient(DomainError):
    """No such application, or its authentication failed: a stranger isn't told which."""

    code = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    challenge = 'Basic realm="unionpass"'  # RFC 6749 §5.2; sent to those who tried Basic
    description = (
        "No application has this client_id and this proof. Check client_id, and the secret or key "
        "where the application has one."
    )


class TooManyRequests(DomainError):
    """A limit of ours is reached."""

    code = "too_many_requests"
    status = HTTPStatus.TOO_MANY_REQUESTS
    description = "Too many refused attempts. Wait before trying again."
    retry_after = 60


class ServiceUnavailable(DomainError):
    """Our database or cache is away."""

    code = "service_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    description = "The service is briefly unavailable. Try again."
    retry_after = 5


class LoginRefused(DomainError):
    """A login that didn't happen."""

    status = HTTPStatus.FORBIDDEN
