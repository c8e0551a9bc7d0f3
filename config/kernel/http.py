"""HTTP calls to other servers: their session, and the reasons of failures.

No exception of the HTTP library may reach a log or a page: it quotes the URL, which may contain a
secret. The main question is whether a request was sent: requests raises ConnectionError both for a
refused connection and for one that broke after the request had been sent, and only urllib3's
exception within it distinguishes the two.
"""

from http.cookiejar import DefaultCookiePolicy
from typing import Literal

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
)

from config.kernel.redaction import redact_http_logs

HttpFailure = Literal[
    "connect_failed",  # nothing was sent
    "proxy_failed",
    "tls_failed",
    "timed_out",  # sent, so the other side may have acted on it
    "broken_connection",  # sent, so the other side may have acted on it
]
# urllib3's own as well: requests doesn't wrap all of them.
HTTP_FAILURES = (requests.RequestException, HTTPError)


def new_session(
    *,
    pool_size: int,
    proxy_url: str | None = None,
    adapter_class: type[HTTPAdapter] = HTTPAdapter,
) -> requests.Session:
    """Make an HTTP session that keeps up to `pool_size` connections per host.

    It never retries, uses no proxy, certificate or password from the environment, and stores no
    cookies. urllib3's loggers get a filter that redacts URLs.
    """
    redact_http_logs()
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if proxy_url:
        session.proxies = {"http": proxy_url, "https": proxy_url}
    adapter = adapter_class(pool_maxsize=pool_size, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def reason_of(failure: Exception) -> HttpFailure:
    """Return the reason of a failure, without a reference to the library's exception."""
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
    # A ProxyError is ambiguous: urllib3 raises it for a proxy that refuses connections and also
    # for one that closes the connection after the request was sent.
    return getattr(cause, "original_error", cause)
