"""Authorization requests that are stored while the person is on our pages.

A request can be continued only in the browser where it began, which has its secret in a cookie. The
handle in the page's address isn't enough by itself.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from accounts.login.by_browser import is_open
from accounts.models import AuthorizationRequest, DeviceAuthorization, Session, User
from accounts.oidc.authorization.checking import PARAMETERS
from accounts.sweeping import Sweeper
from applications.models import Application
from config.kernel.encryption import keyed_hashes, token_hash
from config.kernel.rows import Joined, insert, use_up, uuid_parameter
from userpools.models import UserPool

LIVES = timedelta(minutes=30)
# Any caller may begin requests and abandon them.
sweeper = Sweeper(every=timedelta(seconds=60))

# What belongs to one moment is read by one statement: between two the request might be answered and
# its session ended.
_FOUND = Joined(request=AuthorizationRequest, session=Session, person=User)
_FIND = (
    f"SELECT {_FOUND.sql} FROM accounts_authorizationrequest request"  # noqa: S608 - names of columns
    " LEFT JOIN accounts_session session ON session.id = request.session_id"
    " LEFT JOIN accounts_user person ON person.id = session.user_id"
    " WHERE request.handle_hash = %s AND request.browser_hash = %s AND request.pool_id = %s"
)


def keep_request(
    application: Application,
    parameters: Mapping[str, str],
    *,
    browser_secret: str,
    now: datetime,
    device: DeviceAuthorization | None = None,
) -> AuthorizationRequest:
    """Store a request until a person answers it on our pages."""
    sweeper.sweep_if_due(AuthorizationRequest.objects.filter(expires_at__lt=now))
    used = {name: parameters[name] for name in PARAMETERS & parameters.keys()}
    pending = AuthorizationRequest(
        pool=application.pool,
        application=application,
        device=device,
        browser_hash=token_hash(browser_secret),
        parameters=used | {"client_id": application.client_id},
        expires_at=now + LIVES,
    )
    pending.handle_hash = token_hash(_handles(pending)[0])
    insert(pending)
    return pending


def find_request(
    pool: UserPool, unverified_handle: str, *, browser_secret: str, now: datetime
) -> AuthorizationRequest | None:
    """Return an open request, if this browser began it."""
    hashes = token_hash(unverified_handle), token_hash(browser_secret)
    found = _FOUND.one(_FIND, [*hashes, uuid_parameter(pool.pk)])
    if found is None:
        return None
    pending, session, user = found
    if session:
        session.user, session.pool = user, pool
    pending.session = session
    return pending if is_open(pending, pool, now=now) else None


def handle_of(pending: AuthorizationRequest) -> str | None:
    """Return the handle for the address of the request's pages.

    None if the key that it was made with isn't in ENCRYPTION_KEYS any more.
    """
    handles = _handles(pending)
    return next((one for one in handles if token_hash(one) == pending.handle_hash), None)


def close_request(pending: AuthorizationRequest, *, now: datetime) -> bool:
    """Use the request up; return whether it was still open."""
    return use_up(pending, "answered_at", now)


def _handles(pending: AuthorizationRequest) -> list[str]:
    # Made with each of the keys: who reads the database alone can't make one.
    return [
        made.hex() for made in keyed_hashes("handle of an authorization request", str(pending.pk))
    ]
