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

from dataclasses import dataclass, field
from datetime import datetime

from accounts import refusals
from accounts.locking import in_transaction, require_active
from accounts.login import phones, tickets
from accounts.login.arrival import Arrival, attempt, choose
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
    """A login that happened: the event that records it, and the tokens of its session."""

    user: User
    session: Session
    event: LoginEvent
    tokens: TokenSet
    created: bool
    phone_status: str | None


def log_in(request: LoginRequest, *, now: datetime) -> LoggedIn:
    """Log a person in by a code of WeChat's, and record the attempt.

    Raises:
        DomainError: one of its subclasses for every refusal (config/kernel/errors.py,
            refusals.py). Where it was recorded it carries its event.

    """
    client_id = request.client.unverified_client_id
    with attempt(client_id, request.way, door=request.door, now=now) as (offer, trail):
        arrival = _arrive(request, offer, trail)
        try:
            return enter(arrival)
        except refusals.AccountBindingRequired as refusal:
            raise tickets.binding_required(arrival, bound_to=request.bound_to) from refusal


@in_transaction
def enter(arrival: Arrival) -> LoggedIn:
    """Begin a session for a person who came, with tokens.

    Raises:
        DomainError: a rule refuses the identity.

    """
    trail = arrival.trail
    session = begin(arrival)
    session.save(force_insert=True)
    tokens = issue_tokens(session, arrival.scope, now=trail.at)
    trail.issued(tokens)
    return LoggedIn(
        user=session.user,
        session=session,
        event=trail.record_success(session),
        tokens=tokens,
        created=trail.decision == Decision.CREATED,
        phone_status=trail.phone_status or None,
    )


def begin(arrival: Arrival) -> Session:
    """Find the user of a person who came, and return the session that they get.

    It isn't stored yet: the caller does so, and records it, in the same transaction.

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
        trail.settled_phone(phones.settle(user, arrival.phone, now=trail.at))
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
    method = choose(offer, trail, request.identity_source, scope)
    identity = identify(
        method, request.code, door=request.door, observer=trail, bound_to=request.bound_to
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
    """Merge the two users whom an identity belongs to, or hold them for review."""
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
    found.settle(user, now=trail.at)
    return user


def _known_by_unionid(found: FoundIdentity, user: User, arrival: Arrival) -> User:
    trail = arrival.trail
    if found.has_another_openid(user):
        trail.user, trail.second_openid = user, arrival.identity.openid
        raise refusals.IdentityConflict
    trail.decision = Decision.MATCHED_UNIONID
    found.settle(user, now=trail.at)
    return user


@in_transaction
def _refuse_before_paying(arrival: Arrival) -> None:
    # WeChat charges for phone numbers: no number is asked for that the rules refuse anyway. They
    # are asked again in `begin`, where the answer counts.
    found = find_identity(arrival.source, arrival.identity)
    _refuse_inactive(found, arrival.trail)
    # By their number or a proof a stranger may turn out to have an account.
    if not found.rows and arrival.source.association == IdentitySource.Association.NONE:
        refuse_strangers(arrival.source)


def _refuse_inactive(found: FoundIdentity, trail: Trail) -> None:
    for row in found.rows:
        if row.user.status != User.Status.ACTIVE:
            trail.user = row.user
        require_active(row.user)
    if found.is_blocked():
        raise refusals.UserSuspended
