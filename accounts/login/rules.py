"""The rules of a login, for every door.

A request names an application, a way in and a code. What happens, in this order:

1. the application is found and authenticated; it offers exactly one usable source for the request
2. WeChat exchanges the code (accounts/login/codes.py), and the phone code if there is one
3. the identity finds its user, or makes one:

   ========  ==========================  ====================================================
   OpenID    UnionID                     outcome
   ========  ==========================  ====================================================
   unknown   absent or unknown           the source's association (accounts/login/newcomers.py):
                                         a new user, an existing user, or refused
   known: A  absent, or A's              A
   known: A  unknown                     A, who gains the UnionID; recorded if A had another
   unknown   known: B                    B, who gains the OpenID
   unknown   known: B, who has another   refused (``identity_conflict``) and held for review:
             OpenID of this AppID        it can't be the same WeChat account
   known: A  known: B                    two users of one person: merged, the older user survives
                                         (accounts/merging/merge.py); if a limit or the pool
                                         forbids it: A, and the pair is held for review
   ========  ==========================  ====================================================

   The status of each found user is checked first: a suspended or closed user is refused, and so
   is the identity of a suspended user whose data was erased.
4. a session begins, with tokens or with a browser session, as the door needs

Steps 3 and 4 are one short transaction, which locks the users it finds (accounts/locking.py).
If first logins of one person run at the same time, the unique constraints on linked accounts let
one succeed; the other starts step 3 again and finds that user. No database connection is held
during step 2. A refused login is recorded outside the transaction that rolled back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from accounts import refusals
from accounts.locking import in_transaction
from accounts.login import phones, tickets
from accounts.login.arrival import Arrival, attempt, choose_method
from accounts.login.codes import identify
from accounts.login.identities import FoundIdentity, find_identity
from accounts.login.newcomers import refuse_strangers, user_of_newcomer
from accounts.login.trail import Trail
from accounts.merging import conflicts
from accounts.merging.merge import merge, obstacles
from accounts.models import LoginEvent, Session, User
from accounts.sessions.scopes import requested_scopes
from accounts.sessions.tokens import TokenSet, issue_tokens
from applications.client_authentication import ClientCredentials, authenticate_client
from applications.offers import Offer
from applications.rules import Way
from identity_sources.models import IdentitySource
from userpools.models import UserPool

Decision = LoginEvent.Decision


@dataclass(frozen=True, kw_only=True)
class LoginRequest:
    """The fields of a login request, of which only the format was checked.

    ``bound_to`` names what the code belongs to besides the door: on the experience page the
    operator's session or the shared link. An answer is repeated only for the same.
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
    """A completed login: the event that records it, and the tokens of its session."""

    user: User
    session: Session
    event: LoginEvent
    tokens: TokenSet
    created: bool
    phone_status: str | None


def log_in(request: LoginRequest, *, now: datetime) -> LoggedIn:
    """Log a person in with a WeChat code, and record the attempt.

    Raises:
        DomainError: one of its subclasses for every refusal (config/kernel/errors.py,
            refusals.py). A recorded refusal carries its event.

    """
    client_id = request.client.unverified_client_id
    with attempt(client_id, request.way, door=request.door, now=now) as (offer, trail):
        arrival = _arrive(request, offer, trail)
        with ticket_for_stranger(arrival, bound_to=request.bound_to):
            return enter(arrival)


@contextmanager
def ticket_for_stranger(arrival: Arrival, *, bound_to: str) -> Iterator[None]:
    """Let a login be made in the block; a refusal that asks the person then carries a ticket.

    The ticket is stored here, since the transaction of the login has been rolled back.

    Raises:
        AccountBindingRequired: no user has the identity, and the person is to choose.

    """
    try:
        yield
    except refusals.AccountBindingRequired as refusal:
        raise tickets.binding_required(arrival, bound_to=bound_to) from refusal


@in_transaction
def enter(arrival: Arrival) -> LoggedIn:
    """Begin a session for a person who arrived, and issue its tokens.

    Raises:
        DomainError: a rule refuses the identity.

    """
    trail = arrival.trail
    session = begin(arrival)
    tokens = issue_tokens(session, arrival.scope, now=trail.at)
    trail.issued(tokens)
    return LoggedIn(
        user=session.user,
        session=session,
        event=trail.record_success(session, session, *tokens.rows),
        tokens=tokens,
        created=trail.decision == Decision.CREATED,
        phone_status=trail.phone_status or None,
    )


def begin(arrival: Arrival) -> Session:
    """Find the user of a person who arrived, and return a new session.

    The session isn't saved: the caller saves and records it in the same transaction.

    Raises:
        DomainError: a rule refuses the identity.

    """
    trail, method = arrival.trail, arrival.method
    trail.start_over()
    if arrival.ticket:
        tickets.spend(arrival.ticket, now=trail.at)
    user = _user_of(arrival)
    trail.matched()
    if arrival.phone:
        trail.store_new_person()
        trail.stored_phone(phones.store(user, arrival.phone, now=trail.at))
    return Session(
        pool=method.application.pool,
        user=user,
        application=method.application,
        identity_source=method.identity_source,
        way=method.way,
        auth_time=trail.at,
    )


def _arrive(request: LoginRequest, offer: Offer, trail: Trail) -> Arrival:
    application = offer.application
    authenticate_client(application, request.client, now=trail.at)
    scope = requested_scopes(request.scope, application.type)
    method = choose_method(offer, trail, request.identity_source, scope)
    identity = identify(
        method, request.code, purpose=request.door, observer=trail, bound_to=request.bound_to
    )
    arrival = Arrival(method=method, identity=identity, scope=scope, trail=trail)
    if request.phone_code is None:
        return arrival
    _refuse_before_paying(arrival)
    return arrival.with_phone(request.phone_code)


def _user_of(arrival: Arrival) -> User:
    found = find_identity(arrival.method.identity_source, arrival.identity)
    _refuse_inactive(found, arrival.trail)
    if not found.rows:
        return user_of_newcomer(found, arrival)
    if found.is_split:
        found = _reunite(found, arrival)
    if found.by_openid:
        return _known_by_openid(found, found.by_openid.user, arrival)
    return _known_by_unionid(found, found.rows[0].user, arrival)


def _reunite(found: FoundIdentity, arrival: Arrival) -> FoundIdentity:
    """Merge the two users of an identity, or hold them for review."""
    trail, (first, second) = arrival.trail, (row.user for row in found.rows)
    by_itself = trail.application.pool.merge == UserPool.Merge.AUTOMATIC
    if by_itself and not obstacles(first, second):
        trail.merged_sub = merge(first, second, now=trail.at).merged.sub
        return find_identity(arrival.source, arrival.identity)
    trail.conflict = LoginEvent.Conflict.UNIONID_OF_ANOTHER_USER
    conflicts.hold_pair(first, second, arrival.source, now=trail.at)
    return found


def _known_by_openid(found: FoundIdentity, user: User, arrival: Arrival) -> User:
    trail = arrival.trail
    trail.decision = Decision.MERGED if trail.merged_sub else Decision.MATCHED_OPENID
    if found.missing:
        trail.unionid_added = True
        if found.has_another_unionid(user):
            trail.conflict = LoginEvent.Conflict.UNIONID_CHANGED
    found.link_to(user, now=trail.at)
    return user


def _known_by_unionid(found: FoundIdentity, user: User, arrival: Arrival) -> User:
    trail = arrival.trail
    if found.has_another_openid(user):
        trail.user, trail.second_openid = user, arrival.identity.openid
        raise refusals.IdentityConflict
    trail.decision = Decision.MATCHED_UNIONID
    found.link_to(user, now=trail.at)
    return user


@in_transaction
def _refuse_before_paying(arrival: Arrival) -> None:
    # WeChat charges for phone numbers, so none is requested for a login that the rules refuse.
    # `begin` applies them again, in the transaction of the login.
    found = find_identity(arrival.source, arrival.identity)
    _refuse_inactive(found, arrival.trail)
    # With another association, a phone number or a proof may lead to an existing account.
    if not found.rows and arrival.source.association == IdentitySource.Association.NONE:
        refuse_strangers(arrival.source)


def _refuse_inactive(found: FoundIdentity, trail: Trail) -> None:
    for row in found.rows:
        if row.user.status != User.Status.ACTIVE:
            trail.user = row.user
        refusals.require_active(row.user)
    if found.is_blocked():
        raise refusals.UserSuspended
