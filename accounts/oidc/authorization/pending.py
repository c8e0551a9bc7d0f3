"""Authorization requests that are stored while the person is on our pages.

A request can be continued only in the browser where it began, which has its secret in a cookie. The
handle in the page's address isn't enough by itself.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from accounts.models import AuthorizationRequest, DeviceAuthorization
from accounts.oidc.authorization.checking import PARAMETERS
from accounts.sweeping import Sweeper
from applications.models import Application
from config.kernel.database import one_or_none
from config.kernel.encryption import new_token, token_hash
from userpools.models import UserPool

LIVES = timedelta(minutes=30)
# Any caller may begin requests and abandon them.
sweeper = Sweeper(every=timedelta(seconds=60))


def keep_request(
    application: Application,
    parameters: Mapping[str, str],
    *,
    browser_secret: str,
    now: datetime,
    device: DeviceAuthorization | None = None,
) -> str:
    """Store a request and return the handle for the address of its pages."""
    sweeper.sweep_if_due(AuthorizationRequest.objects.filter(expires_at__lt=now))
    handle = new_token()
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
    """Return an open request, if this browser began it.

    The statement joins what belongs to one moment: between two statements the request might be
    answered and its session ended. The rest is looked up where it is needed, since PostgreSQL takes
    longer to plan each further join than to find a row by its key.
    """
    pending = one_or_none(
        AuthorizationRequest.objects.select_related("application", "session__user").filter(
            pool=pool,
            handle_hash=token_hash(unverified_handle),
            browser_hash=token_hash(browser_secret),
            answered_at__isnull=True,
            expires_at__gt=now,
        )
    )
    if pending:
        pending.pool = pending.application.pool = pool
    return pending


def renew_handle(pending: AuthorizationRequest) -> str:
    """Give the request a new handle, for a browser that returns without the old one."""
    handle = new_token()
    AuthorizationRequest.objects.filter(pk=pending.pk).update(handle_hash=token_hash(handle))
    return handle


def close_request(pending: AuthorizationRequest, *, now: datetime) -> bool:
    """Use the request up; return whether it was still open."""
    still_open = AuthorizationRequest.objects.filter(pk=pending.pk, answered_at__isnull=True)
    return bool(still_open.update(answered_at=now))
