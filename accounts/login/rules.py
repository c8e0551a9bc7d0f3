"""The rules of a login, for every door.

A request names an application, a way in and a code. What happens, in this order:

1. the application is found and proves itself; it offers exactly one usable source for the request
2. WeChat exchanges the code (accounts/login/codes.py), and the phone code if there is one
3. the identity finds its user, or makes one:

   ========  ==========================  ====================================================
   OpenID    UnionID                     outcome
   ========  ==========================  ====================================================
   unknown   absent or unknown           the source's association (accounts/login/newcomers.py):
                                         a new user, an account of theirs, or refused
   known: A  absent, or A's              A
   known: A  unknown                     A, who gains the UnionID; recorded if A had another
   unknown   known: B                    B, who gains the OpenID
   unknown   known: B, who has another   refused (``identity_conflict``) and held for review:
             OpenID of this AppID        it can't be the same WeChat account
   known: A  known: B                    the same person twice. Merged, the older user survives
                                         (accounts/merging/merge.py); where a limit or the pool
                                         forbids that: A, and the pair is held for review
   ========  ==========================  ====================================================

   The status of each user found decides first: a suspended or closed one is refused, and so is
   the identity of a suspended user whose data was erased.
4. a session begins, and the door gets what it is for: tokens, or a browser that is remembered

Steps 3 and 4 are one short transaction, which locks the users it finds (accounts/locking.py).
Racing first logins of one person meet at the unique constraints on linked accounts: the loser
starts step 3 again and finds the winner's user. No database connection is held during step 2. A
refused login is recorded outside the transaction that rolled back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from accounts import refusals
from accounts.locking import in_transaction, require_active
from accounts.login import phones, tickets, trace
from accounts.login.arrival import Arrival
from accounts.login.attempts import attempt, choose
from accounts.login.blocking import is_blocked
from accounts.login.codes import identify
from accounts.login.identities import Identities, find_identities
from accounts.login.newcomers import associate, refuse_strangers_if_closed
from accounts.login.trail import Trail
from accounts.merging import conflicts
from accounts.merging.merge import merge, obstacles
from accounts.models import LoginEvent, Session, User
from accounts.sessions.scopes import requested_scopes
from accounts.sessions.tokens import TokenSet, issue_tokens
from applications.client_authentication import ClientCredentials, authenticate_client
from applications.offers import Offer
from applications.rules import Way
from userpools.models import UserPool

Newcomer = Callable[[Identities, Arrival], User]
"""Returns the user of an identity that nobody has, or raises a refusal."""

Result = TypeVar("Result")


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
class Entry:
    """A session that began."""

    session: Session
    created: bool
    phone_status: phones.Status | None


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """A login that happened, with the tokens of its session."""

    user: User
    tokens: TokenSet
    created: bool
    phone_status: phones.Status | None


def log_in(request: LoginRequest, *, now: datetime) -> LoggedIn:
    """Log a person in by a code of WeChat's, and record the attempt.

    Raises:
        DomainError: one of its subclasses for every refusal (config/kernel/errors.py, refusals.py).

    """
    client_id = request.client.unverified_client_id
    with attempt(client_id, request.way, door=request.door, now=now) as (offer, trail):
        return _log_in(request, offer, trail)


def _log_in(request: LoginRequest, offer: Offer, trail: Trail) -> LoggedIn:
    application = offer.application
    authenticate_client(application, request.client, now=trail.at)
    scope = requested_scopes(request.scope, application.type)
    method = choose(offer, trail, request.identity_source, scope)
    identity = identify(method, request.code, trail, door=request.door, bound_to=request.bound_to)
    arrival = Arrival(method=method, identity=identity, scope=scope, trail=trail)
    if request.phone_code is not None:
        in_transaction(lambda: _refuse_before_paying(arrival))
        arrival = arrival.with_phone(request.phone_code)
    try:
        return enter(arrival, associate)
    except refusals.AccountBindingRequired as refusal:
        raise tickets.binding_required(arrival, bound_to=request.bound_to) from refusal


def enter(
    arrival: Arrival, newcomer: Newcomer, *, first: Callable[[], None] = lambda: None
) -> LoggedIn:
    """Let in whoever WeChat named: find their user, begin a session, make tokens.

    ``newcomer`` gives an identity that nobody has its user; ``first`` is called at the beginning
    of the transaction.

    Raises:
        DomainError: a rule refuses the identity.

    """
    entry, tokens = begin(arrival, newcomer, partial(_with_tokens, arrival), first=first)
    return LoggedIn(
        user=entry.session.user,
        tokens=tokens,
        created=entry.created,
        phone_status=entry.phone_status,
    )


def begin(
    arrival: Arrival,
    newcomer: Newcomer,
    keep: Callable[[Session], Result],
    *,
    first: Callable[[], None] = lambda: None,
) -> tuple[Entry, Result]:
    """Find the user of whoever WeChat named and begin a session, all in one transaction.

    ``keep`` stores the session, and what is made with it; the others are as in `enter`.

    Raises:
        DomainError: a rule refuses the identity.

    """

    def settle() -> tuple[Entry, Result]:
        arrival.trail.start_over()
        first()
        return _settle(arrival, newcomer, keep)

    try:
        return in_transaction(settle)
    except refusals.IdentityConflict:
        in_transaction(lambda: _hold_openid(arrival))
        raise


def _with_tokens(arrival: Arrival, session: Session) -> TokenSet:
    session.save(force_insert=True)
    tokens = issue_tokens(session, arrival.scope, now=arrival.trail.at)
    arrival.trail.note(trace.issued(tokens))
    return tokens


def _settle(
    arrival: Arrival, newcomer: Newcomer, keep: Callable[[Session], Result]
) -> tuple[Entry, Result]:
    trail, method = arrival.trail, arrival.method
    user = _user_of(arrival, newcomer)
    trail.note_match()
    phone_status = phones.settle(user, arrival.phone, now=trail.at) if arrival.phone else None
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
    kept = keep(session)
    trail.record_success(session, phone_status)
    created = trail.decision == LoginEvent.Decision.CREATED
    return Entry(session=session, created=created, phone_status=phone_status), kept


def _user_of(arrival: Arrival, newcomer: Newcomer) -> User:
    found = find_identities(arrival.source, arrival.identity)
    _refuse_inactive(found, arrival.trail)
    if found.is_split:
        found = _reunite(found, arrival)
    if found.by_openid:
        return _known_by_openid(found, found.by_openid.user, arrival)
    if found.by_unionid:
        return _known_by_unionid(found, found.by_unionid.user, arrival)
    return newcomer(found, arrival)


def _reunite(found: Identities, arrival: Arrival) -> Identities:
    """Merge the two users whom an identity belongs to, or hold them for review."""
    trail, (first, second) = arrival.trail, (row.user for row in found.rows)
    by_itself = trail.application.pool.merge == UserPool.Merge.AUTOMATIC
    if by_itself and not obstacles(first, second):
        trail.merged_sub = merge(first, second, now=trail.at).merged.sub
        return find_identities(arrival.source, arrival.identity)
    trail.conflict = LoginEvent.Conflict.UNIONID_OF_ANOTHER_USER
    conflicts.hold_pair(first, second, arrival.source, now=trail.at)
    return found


def _known_by_openid(found: Identities, user: User, arrival: Arrival) -> User:
    trail = arrival.trail
    decisions = LoginEvent.Decision
    trail.decision = decisions.MERGED if trail.merged_sub else decisions.MATCHED_OPENID
    if found.missing:
        trail.unionid_added = True
        if found.has_another_unionid(user):
            trail.conflict = LoginEvent.Conflict.UNIONID_CHANGED
    found.settle(user, now=trail.at)
    return user


def _known_by_unionid(found: Identities, user: User, arrival: Arrival) -> User:
    trail = arrival.trail
    if found.has_another_openid(user):
        trail.user = user
        raise refusals.IdentityConflict
    trail.decision = LoginEvent.Decision.MATCHED_UNIONID
    found.settle(user, now=trail.at)
    return user


def _hold_openid(arrival: Arrival) -> None:
    # In a transaction of its own: the login's rolled back.
    user, now = arrival.trail.user, arrival.trail.at
    if user:
        conflicts.hold_openid(user, arrival.identity.openid, arrival.source, now=now)


def _refuse_before_paying(arrival: Arrival) -> None:
    # WeChat charges for phone numbers: nobody's is asked for whom the rules refuse anyway. They
    # are asked again below, where the answer counts.
    found = find_identities(arrival.source, arrival.identity)
    _refuse_inactive(found, arrival.trail)
    if not found.rows and not arrival.may_have_an_account:
        refuse_strangers_if_closed(arrival)


def _refuse_inactive(found: Identities, trail: Trail) -> None:
    for row in found.rows:
        if row.user.status != User.Status.ACTIVE:
            trail.user = row.user
        require_active(row.user)
    if is_blocked(found):
        raise refusals.UserSuspended
