"""Keeping an authorization request while its person is on our pages.

It can be gone on with only in the browser where it began: that one has the secret, in a cookie.
The word in the page's address, the handle, opens nothing by itself.
"""

import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

from accounts.models import AuthorizationRequest, DeviceAuthorization
from accounts.oidc.authorization.asking import PARAMETERS
from applications.models import Application
from config.encryption import token_hash
from userpools.models import UserPool

HANDLE_BYTES = 32
LIVES = timedelta(minutes=30)
SWEEP_EVERY = 60  # seconds


def keep_request(
    application: Application,
    parameters: Mapping[str, str],
    *,
    browser_secret: str,
    now: datetime,
    device: DeviceAuthorization | None = None,
) -> str:
    """Store a request and return its handle, for the address of its pages."""
    _sweep_if_due(now)
    handle = secrets.token_urlsafe(HANDLE_BYTES)
    AuthorizationRequest.objects.create(
        pool=application.pool,
        application=application,
        device=device,
        handle_hash=token_hash(handle),
        browser_hash=token_hash(browser_secret),
        parameters={name: parameters[name] for name in PARAMETERS & parameters.keys()},
        expires_at=now + LIVES,
    )
    return handle


def find_request(
    pool: UserPool, unverified_handle: str, *, browser_secret: str, now: datetime
) -> AuthorizationRequest | None:
    """Return an open request, if this browser began it."""
    return (
        AuthorizationRequest.objects.select_related(
            "pool", "application__pool", "device", "session__user", "session__browser_session"
        )
        .filter(
            pool=pool,
            handle_hash=token_hash(unverified_handle),
            browser_hash=token_hash(browser_secret),
            answered_at__isnull=True,
            expires_at__gt=now,
        )
        .first()
    )


def renew_handle(request: AuthorizationRequest) -> str:
    """Give the request another handle, for a browser that comes back without the old one."""
    handle = secrets.token_urlsafe(HANDLE_BYTES)
    AuthorizationRequest.objects.filter(pk=request.pk).update(handle_hash=token_hash(handle))
    return handle


def close_request(request: AuthorizationRequest, *, now: datetime) -> bool:
    """Use the request up; tell whether nobody did so before."""
    still_open = AuthorizationRequest.objects.filter(pk=request.pk, answered_at__isnull=True)
    return bool(still_open.update(answered_at=now))


class _Sweeper:
    """Remembers when this process swept last: anybody may begin requests and leave them."""

    due_at = 0.0


def _sweep_if_due(now: datetime) -> None:
    if time.monotonic() >= _Sweeper.due_at:
        _Sweeper.due_at = time.monotonic() + SWEEP_EVERY
        AuthorizationRequest.objects.filter(expires_at__lt=now).delete()
