"""What a session does by itself, and which exceptions of the library mean that nothing was sent."""

import pytest
import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from config.kernel.http import new_session, reason_of

NO_CONNECTION = NewConnectionError(None, "refused")
NO_NAME = NameResolutionError("api.weixin.qq.com", None, OSError("no such name"))
RESET = ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))


def _retried(reason):
    return MaxRetryError(None, "/sns/jscode2session?secret=S3cret", reason)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (requests.ReadTimeout(), "timed_out"),
        (requests.ConnectionError(ReadTimeoutError(None, "/", "slow")), "timed_out"),
        (requests.ConnectionError(RESET), "broken_connection"),
        (requests.ConnectionError(), "broken_connection"),
        (requests.ConnectionError("text"), "broken_connection"),
        (requests.exceptions.ChunkedEncodingError(RESET), "broken_connection"),
        (requests.exceptions.SSLError(_retried(SSLError("bad certificate"))), "tls_failed"),
        (
            requests.exceptions.ProxyError(
                _retried(ProxyError("no proxy", ConnectionResetError()))
            ),
            "proxy_failed",
        ),
        (requests.exceptions.InvalidURL("https://h/p?secret=S3cret"), "broken_connection"),
        (RESET, "broken_connection"),
        (requests.ConnectTimeout(), "connect_failed"),
        (requests.ConnectTimeout(_retried(ConnectTimeoutError("slow"))), "connect_failed"),
        (requests.ConnectionError(_retried(NO_CONNECTION)), "connect_failed"),
        (requests.ConnectionError(_retried(NO_NAME)), "connect_failed"),
        (
            requests.exceptions.ProxyError(_retried(ProxyError("no proxy", NO_CONNECTION))),
            "connect_failed",
        ),
    ],
)
def test_a_failure_is_named_by_when_it_happened(failure, reason):
    assert reason_of(failure) == reason


def test_a_session_ignores_the_environment_and_repeats_nothing():
    session = new_session(pool_size=7, proxy_url=None)

    assert session.trust_env is False
    assert session.proxies == {}
    for scheme in ("https://", "http://"):
        adapter = session.get_adapter(scheme)
        assert adapter.max_retries.total == 0
        assert adapter._pool_maxsize == 7  # noqa: SLF001 - requests offers no other view of it


def test_a_session_uses_the_given_proxy():
    session = new_session(pool_size=1, proxy_url="http://127.0.0.1:3128")

    assert session.proxies == {"http": "http://127.0.0.1:3128", "https": "http://127.0.0.1:3128"}
