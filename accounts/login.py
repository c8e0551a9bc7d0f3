"""The rules of a login, for every door.

A request names an application, a way in and a code. What happens, in this order:

1. the application is found and proves itself; it offers exactly one usable source for the request
2. WeChat exchanges the code (once; a repeated request gets the same identity, accounts/exchange.py)
3. the identity finds its user, or makes one:

   ========  =========================  =====================================================
   OpenID    UnionID                    outcome
   ========  =========================  =====================================================
   unknown   absent or unknown          a new user, unless the source is login-only
   known: A  absent, or A's             A
   known: A  unknown                    A, who gains the UnionID
   unknown   known: B                   B, who gains the OpenID
   unknown   known: B, who has another  refused: it can't be the same WeChat account
             OpenID of this AppID
   known: A  known: B                   A; the conflict is recorded, nothing is merged
   ========  =========================  =====================================================

   The status of each user found decides first: a suspended or closed one is refused.
4. a session begins and tokens are made

Steps 3 and 4 are one short transaction. Racing first logins of one person meet at the unique
constraints on linked accounts: the loser of the race starts step 3 again and finds the winner's
user. No database connection is held during step 2. A refused login is recorded outside the
transaction that rolled back.
"""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts import phones, refusals, trace
from accounts.events import Trail
from accounts.exchange import Exchanged, WeChatIdentity, exchange_key, exchange_once
from accounts.identities import Identities, find_identities
from accounts.models import LoginEvent, Session, User
from accounts.oidc.scopes import requested_scopes
from accounts.oidc.tokens import TokenSet, issue_tokens
from applications.client_authentication import ClientCredentials, authenticate_client
from applications.models import LoginMethod
from applications.offers import Offer, load_offer
from applications.rules import Way
from config.encryption import DecryptionError
from config.errors import DomainError, ServiceUnavailable
from identity_sources.gateway import belongs_to, wechat_client
from identity_sources.models import IdentitySource
from identity_sources.wechat.errors import WeChatError

logger = logging.getLogger(__name__)

# Each lost race means that somebody else's row is now there to be found: two suffice in practice.
ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class LoginRequest:
    """What a door was asked for, checked for shape alone.

    ``bound_to`` names the operator's session that an experience login belongs to, and is empty at
    other doors: what a code gave in one session is repeated in no other.
    """

    door: str
    way: Way
    client: ClientCredentials = field(repr=False)
    identity_source: str | None
    code: str = field(repr=False)
    phone_code: str | None = field(default=None, repr=False)
    scope: str | None = None
    bound_to: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """A login that happened."""

    user: User
    tokens: TokenSet
    created: bool
    phone_status: phones.Status | None


def log_in(request: LoginRequest, *, now: datetime) -> LoggedIn:
    """Log a person in by a code of WeChat's, and record the attempt.

    Raises:
        DomainError: one of its subclasses for every refusal (config/errors.py, refusals.py).

    """
    began = time.monotonic()
    offer = load_offer(request.client.unverified_client_id, request.way)
    trail = Trail(
        door=request.door, way=request.way, application=offer.application, at=now, began=began
    )
    try:
        return _log_in(request, offer, trail)
    except DomainError as refusal:
        trail.record_refusal(refusal)
        raise


def _log_in(request: LoginRequest, offer: Offer, trail: Trail) -> LoggedIn:
    application = offer.application
    authenticate_client(application, request.client.unverified_secret, now=trail.at)
    scope = requested_scopes(request.scope, application.type)
    method = offer.choose(request.identity_source)
    trail.source = method.identity_source
    trail.note(trace.checked(scope))
    try:
        exchanged = _exchange(request, method, trail)
        if exchanged.replayed:
            trail.replayed = True
            trail.note(trace.replayed())
        identity = exchanged.identity()
    except WeChatError as error:
        raise refusals.from_wechat(error) from error
    trail.note(trace.identity(has_unionid=identity.unionid is not None))
    _refuse_foreign_namespace(method.identity_source, identity)
    if request.phone_code is not None:
        _refuse_before_paying(method.identity_source, identity, trail)
    phone = phones.ask_wechat(method.identity_source, identity.openid, request.phone_code, trail)
    for _attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _settle(method, identity, phone, scope, trail)
        except IntegrityError as error:
            lost_race = error
    logger.error("A login lost every race for its rows.", exc_info=lost_race)
    raise ServiceUnavailable from lost_race


def _exchange(request: LoginRequest, method: LoginMethod, trail: Trail) -> Exchanged:
    source = method.identity_source
    key = exchange_key(
        door=request.door,
        application=str(method.application_id),
        source=str(source.pk),
        code=request.code,
        bound_to=request.bound_to,
    )
    app_secret = _app_secret(source)

    def ask_wechat() -> WeChatIdentity:
        # The session_key ends here: nothing of ours needs it, and nobody else may have it.
        session = wechat_client(source, trail.observe_exchange).jscode2session(
            app_id=source.app_id, app_secret=app_secret, js_code=request.code
        )
        return WeChatIdentity(openid=session.openid, unionid=session.unionid)

    return exchange_once(key, ask_wechat)


def _app_secret(source: IdentitySource) -> str:
    try:
        return source.app_secret()
    except DecryptionError as error:
        logger.error("The AppSecret of %s can't be read.", source.pk, exc_info=error)  # noqa: TRY400
        raise refusals.AppSecretUnreadable from error


def _refuse_foreign_namespace(source: IdentitySource, identity: WeChatIdentity) -> None:
    for value in (identity.openid, identity.unionid):
        if value and not belongs_to(source, value):
            raise refusals.WeChatAway(
                "WeChat's answer holds an identity of another kind of source."
            )


def _settle(
    method: LoginMethod,
    identity: WeChatIdentity,
    phone: phones.Answer | None,
    scope: tuple[str, ...],
    trail: Trail,
) -> LoggedIn:
    trail.start_over()
    user = _user_of(method.identity_source, identity, trail)
    trail.note_match()
    phone_status = phones.settle(user, phone, now=trail.at) if phone else None
    if phone_status:
        trail.note(trace.phone(phone_status))
    session = Session(
        pool=method.application.pool,
        user=user,
        application=method.application,
        identity_source=method.identity_source,
        way=method.way,
        auth_time=trail.at,
    )
    session.save(force_insert=True)
    tokens = issue_tokens(session, scope, now=trail.at)
    trail.note(trace.issued(tokens))
    trail.record_success(session, phone_status)
    created = trail.decision == LoginEvent.Decision.CREATED
    return LoggedIn(user=user, tokens=tokens, created=created, phone_status=phone_status)


def _refuse_before_paying(source: IdentitySource, identity: WeChatIdentity, trail: Trail) -> None:
    # WeChat charges for phone numbers: nobody's is asked for whom the rules refuse anyway. They
    # are asked again below, where the answer counts.
    with transaction.atomic():
        found = find_identities(source, identity)
    _refuse_inactive(found, trail)
    _refuse_strangers_if_closed(found, source)


def _user_of(source: IdentitySource, identity: WeChatIdentity, trail: Trail) -> User:
    found = find_identities(source, identity)
    _refuse_inactive(found, trail)
    if found.by_openid:
        return _known_by_openid(found, found.by_openid.user, trail)
    if found.by_unionid:
        return _known_by_unionid(found, found.by_unionid.user, trail)
    _refuse_strangers_if_closed(found, source)
    user = User(pool=trail.application.pool)
    user.save(force_insert=True)
    found.add_missing(user, now=trail.at)
    trail.decision = LoginEvent.Decision.CREATED
    return user


def _refuse_strangers_if_closed(found: Identities, source: IdentitySource) -> None:
    is_known = found.by_openid or found.by_unionid
    if not is_known and source.registration == IdentitySource.Registration.CLOSED:
        raise refusals.RegistrationClosed


def _known_by_openid(found: Identities, user: User, trail: Trail) -> User:
    trail.decision = LoginEvent.Decision.MATCHED_OPENID
    if found.by_unionid and found.by_unionid.user_id != user.pk:
        trail.conflict = LoginEvent.Conflict.UNIONID_OF_ANOTHER_USER
    elif found.add_missing(user, now=trail.at):
        trail.unionid_added = True
    found.touch(now=trail.at)
    return user


def _known_by_unionid(found: Identities, user: User, trail: Trail) -> User:
    if found.has_another_openid(user):
        trail.user = user
        raise refusals.IdentityConflict
    trail.decision = LoginEvent.Decision.MATCHED_UNIONID
    found.add_missing(user, now=trail.at)
    return user


def _refuse_inactive(found: Identities, trail: Trail) -> None:
    for row in (found.by_openid, found.by_unionid):
        if row and row.user.status == User.Status.SUSPENDED:
            trail.user = row.user
            raise refusals.UserSuspended
        if row and row.user.status == User.Status.CLOSED:
            trail.user = row.user
            raise refusals.AccountClosed
