"""WeChat's application access token of a source: fetched once, shared by all processes.

One process at a time fetches it: the one that took the lease by a conditional UPDATE. The others
wait for the token without holding a database connection. A rejected token is replaced only if it
is still the stored one (wechat-api §3.3 {40001, 40014, 42001}; never by ``force_refresh``, which
would invalidate the token of another system with the same AppSecret).
Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import F, Q
from django.utils import timezone

from config.kernel.database import release_connection
from config.kernel.encryption import seal, unseal
from identity_sources.gateway import longest_call
from identity_sources.models import IdentitySource, WeChatAccessToken
from identity_sources.wechat.client import WeChatClient
from identity_sources.wechat.errors import AccessTokenRejected, WeChatUnavailable

# In the last five minutes WeChat returns a successor; ours is fetched before.
RENEW_BEFORE = timedelta(seconds=300)
FAILURE_SHARED_FOR = timedelta(seconds=2)
LEASE_MARGIN = timedelta(seconds=5)  # for the rest of a fetch besides the call
POLL_SECONDS = 0.05

Result = TypeVar("Result")


@dataclass(frozen=True)
class SharedToken:
    """A token and its generation, by which it is replaced if WeChat rejects it."""

    value: str = field(repr=False)
    generation: int


def call_with_access_token(
    source: IdentitySource, client: WeChatClient, call: Callable[[str], Result]
) -> Result:
    """Make a call that needs WeChat's access token; replace a rejected token once.

    Raises:
        WeChatError: the call or the fetch of the token failed.

    """
    token = _usable_token(source, client, rejected=None)
    release_connection()
    try:
        return call(token.value)
    except AccessTokenRejected:
        token = _usable_token(source, client, rejected=token.generation)
        release_connection()
        return call(token.value)


def _usable_token(
    source: IdentitySource, client: WeChatClient, *, rejected: int | None
) -> SharedToken:
    app_secret = source.app_secret()
    fingerprint = WeChatAccessToken.fingerprint_of(source.app_id, app_secret)
    deadline = time.monotonic() + _lease().total_seconds()
    WeChatAccessToken.objects.get_or_create(source=source)
    while time.monotonic() < deadline:
        row = WeChatAccessToken.objects.get(source=source)
        if _fits(row, fingerprint) and row.generation != rejected:
            return SharedToken(unseal(row, "token_ciphertext"), row.generation)
        if row.failed_until and row.failed_until > timezone.now():
            break
        lease = _take_lease(row)
        if lease:
            return _fetch(Fetch(row, lease, fingerprint), source.app_id, app_secret, client)
        release_connection()
        time.sleep(POLL_SECONDS)
    raise WeChatUnavailable("timed_out")


def _lease() -> timedelta:
    return longest_call() + LEASE_MARGIN


def _fits(row: WeChatAccessToken, fingerprint: bytes) -> bool:
    fresh = row.expires_at is not None and row.expires_at > timezone.now()
    return fresh and bytes(row.fingerprint) == fingerprint


@dataclass(frozen=True)
class Fetch:
    """The lease to fetch a token; an expired lease can't write."""

    row: WeChatAccessToken
    leased_until: datetime
    fingerprint: bytes

    def settle(self, **changes: Any) -> None:
        """Write the outcome and release the lease, if it is still ours."""
        held = WeChatAccessToken.objects.filter(pk=self.row.pk, leased_until=self.leased_until)
        held.update(leased_until=None, **changes)


def _take_lease(row: WeChatAccessToken) -> datetime | None:
    now = timezone.now()
    leased_until = now + _lease()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    # Another fetch may have failed since the row was read.
    untried = Q(failed_until__isnull=True) | Q(failed_until__lt=now)
    rows = WeChatAccessToken.objects.filter(free, untried, pk=row.pk, generation=row.generation)
    return leased_until if rows.update(leased_until=leased_until) else None


def _fetch(fetch: Fetch, app_id: str, app_secret: str, client: WeChatClient) -> SharedToken:
    release_connection()
    try:
        answer = client.stable_token(app_id=app_id, app_secret=app_secret)
    except BaseException:  # the others continue at once, also if this process is stopped
        fetch.settle(failed_until=timezone.now() + FAILURE_SHARED_FOR)
        raise
    # With a lifetime of five minutes or less it is fetched for each call.
    lifetime = max(timedelta(seconds=answer.expires_in) - RENEW_BEFORE, timedelta(seconds=1))
    fetch.settle(
        token_ciphertext=seal(fetch.row, "token_ciphertext", answer.access_token),
        fingerprint=fetch.fingerprint,
        expires_at=timezone.now() + lifetime,
        generation=F("generation") + 1,
    )
    return SharedToken(answer.access_token, fetch.row.generation + 1)
