"""Refreshing: each refresh token is good once; a second use ends the session (RFC 9700 §4.14.2)."""

from datetime import datetime
from http import HTTPStatus

from django.db import transaction

from accounts.models import LoginEvent, RefreshToken, Session, User
from accounts.oidc.scopes import narrowed_scopes
from accounts.oidc.tokens import Family, TokenSet, renew_tokens
from applications.models import Application, LoginMethod
from applications.offers import is_usable
from config.encryption import token_hash
from config.errors import DomainError
from config.logs import request_id

DOOR = "refresh"


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
        RefreshToken.objects.select_related("session__user", "session__pool")
        .filter(token_hash=token_hash(unverified_token), session__application=application)
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
        RefreshToken.objects.filter(family=token.family, revoked_at__isnull=True).update(
            revoked_at=now
        )
        Session.objects.filter(pk=token.session_id).end(now=now, reason=reason)


def _refuse_unless_current(session: Session) -> None:
    method = (
        LoginMethod.objects.select_related("identity_source")
        .filter(
            application=session.application,
            identity_source=session.identity_source_id,
            way=session.way,
            enabled=True,
            identity_source__archived_at__isnull=True,
        )
        .first()
    )
    current = (
        session.ended_at is None
        and session.user.status == User.Status.ACTIVE
        and session.application.enabled
        and method is not None
        and is_usable(method.identity_source)
    )
    if not current:
        raise InvalidGrant


def _end_if_reused(token: RefreshToken, session: Session, now: datetime) -> None:
    token.refresh_from_db(fields=["used_at", "revoked_at"])
    if token.used_at is None or token.revoked_at is not None:
        return
    revoke_family(token, now=now, reason=Session.EndReason.REFRESH_TOKEN_REUSED)
    LoginEvent.objects.create(
        pool=session.pool,
        application=session.application,
        identity_source_id=session.identity_source_id,
        user=session.user,
        door=DOOR,
        way=session.way,
        outcome=LoginEvent.Outcome.REFUSED,
        error=Session.EndReason.REFRESH_TOKEN_REUSED,
        request_id=request_id.get(),
        occurred_at=now,
    )
