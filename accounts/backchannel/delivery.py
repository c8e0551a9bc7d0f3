"""Bringing a logout token to its application (OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8).

The address is the operator's word, and may hold a secret in its query: it is in no log and in no
failure.
"""

import time
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus

import requests

from identity_sources.wechat.failures import HTTP_FAILURES, unavailable
from identity_sources.wechat.transport import new_session

AT_ONCE = 8
"""how many may be on their way at the same time"""
TIMEOUT_SECONDS = 5
LARGEST_ANSWER = 64 * 1024
TAKEN = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT})
NO_ADDRESS = "no_address"
_CHUNK = 16 * 1024


def deliver(uri: str, token: str) -> str:
    """Post a logout token; return why it wasn't taken: ``answered_…``, a word, or nothing."""
    if not uri:
        return NO_ADDRESS
    try:
        with _session().post(
            uri,
            data={"logout_token": token},
            headers={"Accept-Encoding": "identity"},
            timeout=(TIMEOUT_SECONDS, TIMEOUT_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            _read_away(response)
            status = response.status_code
    except HTTP_FAILURES as failure:
        return unavailable(failure).reason
    return "" if status in TAKEN else f"answered_{status}"


def _read_away(response: requests.Response) -> None:
    """Let the application say what it says; the status is all that counts."""
    deadline, length = time.monotonic() + TIMEOUT_SECONDS, 0
    with suppress(*HTTP_FAILURES):
        while chunk := response.raw.read1(_CHUNK):
            length += len(chunk)
            if length >= LARGEST_ANSWER or time.monotonic() > deadline:
                return


@lru_cache(maxsize=1)
def _session() -> requests.Session:
    return new_session(pool_size=AT_ONCE, proxy_url=None)
