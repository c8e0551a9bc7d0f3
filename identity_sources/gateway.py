"""The WeChat client of an identity source: for WeChat, or for the sandbox."""

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.core.cache import caches
from django.utils import timezone
from django.utils.connection import ConnectionProxy

from config.kernel.http import new_session
from identity_sources.health import note_call
from identity_sources.models import IdentitySource
from identity_sources.sandbox.emulator import Sandbox
from identity_sources.sandbox.transport import SandboxAdapter
from identity_sources.sandbox.world import is_sandbox_identity
from identity_sources.wechat.client import ATTEMPTS, REPEAT_PAUSE, CallRecord, WeChatClient

SANDBOX_URL = "https://sandbox.invalid"  # never resolved: the adapter answers in this process


def wechat_client(
    source: IdentitySource, observer: Callable[[CallRecord], None] = lambda _record: None
) -> WeChatClient:
    """Return a client for this source; ``observer`` is called after every call.

    Every call also updates the source's health (`health`), so the client must only be used with
    the source's stored credentials.
    """

    def heard(record: CallRecord) -> None:
        observer(record)
        note_call(source, record, now=timezone.now())

    sandboxed = source.mode == IdentitySource.Mode.SANDBOX
    seconds = settings.WECHAT_TIMEOUT_SECONDS
    return WeChatClient(
        _sandbox_session() if sandboxed else _live_session(settings.WECHAT_PROXY_URL),
        api_url=SANDBOX_URL if sandboxed else settings.WECHAT_API_URL,
        timeout=(seconds, seconds),
        observer=heard,
    )


def qrconnect_url(source: IdentitySource, *, redirect_uri: str, state: str, language: str) -> str:
    """Return the URL of WeChat's page with the QR code, for a website source.

    WeChat redirects the browser to ``redirect_uri`` with ``code`` and ``state``; if the person
    refuses, there is no redirect. ``language`` is one of this server's: WeChat's page is in
    Chinese or English.
    Source: https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login
    """
    # In the documented order, which WeChat requires for official accounts.
    query = urlencode(
        {
            "appid": source.app_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": "snsapi_login",
            "state": state,
            "lang": "cn" if language.startswith("zh") else "en",
        }
    )
    if source.mode == IdentitySource.Mode.SANDBOX:
        return f"{settings.PUBLIC_URL}/sandbox/connect/qrconnect?{query}"
    return f"{settings.WECHAT_OPEN_URL}/connect/qrconnect?{query}#wechat_redirect"


def longest_call() -> timedelta:
    """Return the longest duration of a call, its repetition included.

    An attempt connects, waits for the answer to begin, and reads it.
    """
    attempt = 3 * settings.WECHAT_TIMEOUT_SECONDS
    return timedelta(seconds=ATTEMPTS * attempt + REPEAT_PAUSE)


def is_reachable(source: IdentitySource) -> bool:
    """Tell whether the source may be called: a sandbox source only with ``WECHAT_SANDBOX``."""
    return source.mode == IdentitySource.Mode.LIVE or settings.WECHAT_SANDBOX


def belongs_to(source: IdentitySource, *identities: str | None) -> bool:
    """Tell whether all of these OpenIDs and UnionIDs may come from this source.

    The sandbox's ids have their own namespace, which no live source accepts, and vice versa.
    """
    sandboxed = source.mode == IdentitySource.Mode.SANDBOX
    return all(is_sandbox_identity(identity) == sandboxed for identity in identities if identity)


@lru_cache(maxsize=1)
def sandbox() -> Sandbox:
    """Return the sandbox; all processes share its state through the sandbox cache."""
    return Sandbox(ConnectionProxy(caches, "sandbox"))


@lru_cache(maxsize=1)
def _sandbox_session() -> requests.Session:
    session = new_session(pool_size=1)
    session.mount("https://", SandboxAdapter(sandbox()))
    return session


@lru_cache(maxsize=4)
def _live_session(proxy_url: str) -> requests.Session:
    # One connection for each thread of the process, so that none waits for one.
    return new_session(pool_size=settings.THREADS_PER_WORKER, proxy_url=proxy_url or None)
