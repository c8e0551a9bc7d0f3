"""Tell from the HTTP library's exceptions what failed, and above all: before or after sending.

requests raises ConnectionError for a refused connection and for one that broke after the request
had been sent. Only urllib3's exception within it tells them apart.
"""

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
)

from identity_sources.wechat.errors import Reason, WeChatUnavailable

# urllib3's own as well: requests doesn't wrap all of them.
HTTP_FAILURES = (requests.RequestException, HTTPError)


def unavailable(failure: Exception) -> WeChatUnavailable:
    """Return what to raise instead of the library's exception, holding nothing of it."""
    return WeChatUnavailable(_reason_of(failure))


def _reason_of(failure: Exception) -> Reason:
    cause = _innermost(failure)
    if isinstance(failure, requests.ConnectTimeout) or _is_failed_connect(cause):
        return "connect_failed"
    # While the body is read, urllib3's own exceptions arrive.
    timed_out = isinstance(failure, requests.Timeout | ReadTimeoutError)
    if timed_out or isinstance(cause, ReadTimeoutError):
        return "timed_out"
    if isinstance(failure, requests.exceptions.ProxyError):
        return "proxy_failed"
    if isinstance(failure, requests.exceptions.SSLError):
        return "tls_failed"
    return "broken_connection"


def _is_failed_connect(cause: object) -> bool:
    return isinstance(cause, ConnectTimeoutError | NewConnectionError)


def _innermost(failure: Exception) -> object:
    wrapped = failure.args[0] if failure.args else None
    cause = getattr(wrapped, "reason", wrapped)
    # A ProxyError says nothing by itself: urllib3 raises it for a proxy that refuses connections
    # and also for one that breaks off after the request was sent.
    return getattr(cause, "original_error", cause)
