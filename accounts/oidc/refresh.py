"""Refreshing: each refresh token is good once; a second use ends the session (RFC 9700 §4.14.2)."""

from datetime import datetime
from http import HTTPStatus

from django.db import transaction

from accounts.events import record_token_reuse
from accounts.models import RefreshToken, Session, User
from accounts.oidc.access import merged_hint
from accounts.oidc.scopes import narrowed_scopes
from accounts.oidc.tokens import Family, TokenSet, renew_tokens
from applications.models import Application
from applications.offers import still_offers
from config.encryption import token_hash
from config.errors import DomainError


class InvalidGrant(DomainError):
    """The refresh token opens nothing; why is said to the operator, not to the caller."""

    code = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    description = "The refresh token is unknown, used, expired or revoked. Log in again."


def refresh_tokens(
    application: Application, unverified_token: str, scope: str | None, *, now: datetime
) -> TokenSet:
    """Spend a refresh token and return the next tokens of its family.

    Raises:
        InvalidGrant: it is unknown, of another application, spent, expired or revoked, or its
            session, user, application or login method no longer allows it.
        InvalidScope: the request asks for more than was granted.

    """
    token = (
        RefreshToken.objects.select_related("session__user__merged_into", "session__pool")
        .filter(
            pool=application.pool,
            token_hash=token_hash(unverified_token),
            session__application=application,
        )
        .first()
    )
    if token is None:
        raise InvalidGrant
    granted = tuple(token.scope.split())
    wanted = narrowed_scopes(scope, granted)
    session = token.session
    session.application = application
    _refuse_unless_current(session)
    with transaction.atomic():
        spent = RefreshToken.objects.filter(pk=token.pk).unspent(now).update(used_at=now)
        if spent:
            family = Family(id=token.family, scope=granted, expires_at=token.family_expires_at)
            return renew_tokens(session, family, wanted, now=now)
    _end_if_reused(token, session, now)
    raise InvalidGrant


def revoke_family(token: RefreshToken, *, now: datetime, reason: Session.EndReason) -> None:
    """Revoke every token of the family and end its session."""
    with transaction.atomic():
        family = RefreshToken.objects.filter(pool=token.pool_id, family=token.family)
        family.filter(revoked_at__isnull=True).update(revoked_at=now)
        Session.objects.filter(pk=token.session_id).end(now=now, reason=reason)


def _refuse_unless_current(session: Session) -> None:
    if session.user.status == User.Status.MERGED:
        raise InvalidGrant(**merged_hint(session.user))
    current = (
        session.ended_at is None
        and session.user.status == User.Status.ACTIVE
        and session.application.enabled
        and still_offers(session.application, session.identity_source_id, session.way)
    )
    if not current:
        raise InvalidGrant


def _end_if_reused(token: RefreshToken, session: Session, now: datetime) -> None:
    token.refresh_from_db(fields=["used_at", "revoked_at"])
    if token.used_at is None or token.revoked_at is not None:
        return
    revoke_family(token, now=now, reason=Session.EndReason.REFRESH_TOKEN_REUSED)
    record_token_reuse(session, now=now)
