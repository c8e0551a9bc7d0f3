"""Sending a logout token to its application (OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8).

The operator enters the address, which may have a secret in its query, so it is never logged or
stored as part of a failure.
"""

import logging
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus

import requests
from urllib3 import Timeout

from config.kernel.deadline_adapter import DeadlineAdapter
from config.kernel.http import HTTP_FAILURES, new_session, reason_of

logger = logging.getLogger(__name__)

AT_ONCE = 32
"""the largest number of attempts at the same time"""
TIMEOUT_SECONDS = 5
"""for a whole attempt, from connecting to the end of the answer"""
LARGEST_ANSWER = 64 * 1024
TAKEN = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT})
NO_ADDRESS = "no_address"
NOT_SENT = "not_sent"
_ANSWERED = "answered_"
_CHUNK = 16 * 1024


def deliver(uri: str, token: str) -> str:
    """Post a logout token; return the failure, such as ``answered_404``, or an empty string."""
    if not uri:
        return NO_ADDRESS
    try:
        with _session().post(
            uri,
            data={"logout_token": token},
            headers={"Accept-Encoding": "identity"},
            # requests accepts urllib3's Timeout too, which its type hints lack.
            timeout=Timeout(total=TIMEOUT_SECONDS),  # type: ignore[arg-type]
            allow_redirects=False,
            stream=True,
        ) as response:
            _drain(response)
            status = response.status_code
    except HTTP_FAILURES as failure:
        return reason_of(failure)
    except Exception as unforeseen:  # noqa: BLE001 - other notices must not wait for this one
        # Its message may contain the address.
        logger.error("A logout notice can't be sent: %s.", type(unforeseen).__name__)  # noqa: TRY400
        return NOT_SENT
    return "" if status in TAKEN else f"{_ANSWERED}{status}"


def was_answered(failure: str) -> bool:
    """Return whether the application answered, so that it may accept other tokens."""
    return failure.startswith(_ANSWERED)


def _drain(response: requests.Response) -> None:
    """Read and drop the body of the answer; only its status counts."""
    length = 0
    with suppress(*HTTP_FAILURES):
        while length < LARGEST_ANSWER and (chunk := response.raw.read1(_CHUNK)):
            length += len(chunk)


@lru_cache(maxsize=1)
def _session() -> requests.Session:
    return new_session(pool_size=AT_ONCE, adapter_class=DeadlineAdapter)
