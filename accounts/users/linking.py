"""Linking and unlinking WeChat accounts, by the person who owns the account.

A whole WeChat identity is linked and unlinked, never a single row: a UnionID with every OpenID seen
with it, or a single OpenID. An identity of another user is refused, and the last way in is kept.
"""

from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from accounts import refusals
from accounts.locking import in_transaction, lock_users
from accounts.login.codes import identify
from accounts.login.exchange import WeChatIdentity
from accounts.login.identities import find_identity
from accounts.models import (
    AccountEvent,
    LinkedAccount,
    LinkedIdentity,
    Session,
    User,
    linked_identities,
)
from applications.models import Application, LoginMethod
from applications.offers import load_offer
from applications.rules import Way
from config.kernel.errors import DomainError
from config.kernel.rows import send
from identity_sources.models import IdentitySource

Kind = LinkedAccount.Kind


class NoSuchLinkedAccount(DomainError):
    """The user has no WeChat identity with this id."""

    code = "not_found"
    status = HTTPStatus.NOT_FOUND
    description = "There is no linked account of this id."


def link(
    user: User, application: Application, code: str, identity_source: str | None, *, now: datetime
) -> None:
    """Link the WeChat account of a code to the user; linking it again changes nothing.

    Raises:
        IdentityTaken: the WeChat account belongs to another user.
        AlreadyLinked: the user has another WeChat account of this AppID.
        LoginRefused: the application doesn't offer the source, or WeChat refuses the code.

    """
    method = load_offer(application.client_id, Way.MINI_PROGRAM).choose(identity_source)
    identity = identify(method, code, purpose="link", bound_to=str(user.pk))
    with identity.stored_if_refused():
        _link(user, method, identity, now=now)


@in_transaction
def unlink(user: User, application: Application, identity_id: UUID, *, now: datetime) -> None:
    """Remove a whole WeChat identity of the user, and end the sessions that it began.

    Raises:
        NoSuchLinkedAccount: the user has no identity with this id.
        LastWayIn: the user could not log in any more.

    """
    _lock_active(user)
    identities = linked_identities(user)
    going = next((item for item in identities if item.id == identity_id), None)
    if going is None:
        raise NoSuchLinkedAccount
    staying = [item for item in identities if item is not going]
    if not any(is_way_in(item) for item in staying):
        raise refusals.LastWayIn
    remove(user, going.accounts, now=now, reason=Session.EndReason.UNLINKED)
    AccountEvent.record(user, AccountEvent.Kind.UNLINKED, now=now, application=application)


def is_way_in(identity: LinkedIdentity) -> bool:
    """Return whether the user can log in with this identity; archived sources don't count.

    A UnionID works with every source that is bound to the same Open Platform account.
    """
    if identity.unionid:
        return True
    app_ids = [account.app_id for account in identity.openids]
    pool_id = identity.accounts[0].pool_id
    sources = IdentitySource.objects.filter(pool=pool_id, app_id__in=app_ids)
    return sources.filter(archived_at__isnull=True).exists()


def remove(
    user: User, accounts: Iterable[LinkedAccount], *, now: datetime, reason: Session.EndReason
) -> None:
    """Delete rows of a locked user, and end the sessions that began with their OpenIDs."""
    rows = list(accounts)
    app_ids = [row.app_id for row in rows if row.kind == Kind.OPENID]
    sessions = Session.objects.filter(
        pool=user.pool_id, user=user, identity_source__app_id__in=app_ids
    )
    sessions.end(now=now, reason=reason)
    keys = [row.pk for row in rows]
    LinkedAccount.objects.filter(pool=user.pool_id, user=user, pk__in=keys).delete()


@in_transaction
def _link(user: User, method: LoginMethod, identity: WeChatIdentity, *, now: datetime) -> None:
    found = find_identity(method.identity_source, identity)
    if any(row.user_id != user.pk for row in found.rows) or found.is_blocked():
        raise refusals.IdentityTaken
    if not found.rows:
        _lock_active(user)
    if found.has_another_openid(user):
        raise refusals.AlreadyLinked
    is_new = bool(found.missing)
    found.link_to(user, now=now)
    send(*identity.storing())
    if is_new:
        AccountEvent.record(
            user,
            AccountEvent.Kind.LINKED,
            now=now,
            application=method.application,
            identity_source=method.identity_source,
        )


def _lock_active(user: User) -> None:
    refusals.require_active(lock_users(user.pool_id, [user.pk])[user.pk])
