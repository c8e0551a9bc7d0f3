"""Ending a session before it expires, with all of its tokens."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import LoginEvent, RefreshToken, Session
from applications.client_authentication import ClientCredentials, authenticate_client
from config.kernel.database import one_or_none
from config.kernel.encryption import token_hash


def log_out(unverified_token: str, client: ClientCredentials | None, *, now: datetime) -> None:
    """Revoke the family of a refresh token; an unknown token counts as revoked already.

    The token itself is enough, unless its application is confidential (RFC 7009 §2.1).

    Raises:
        InvalidClient: the token's application is confidential and isn't authenticated.

    """
    token = one_or_none(
        RefreshToken.objects.select_related("session__application").filter(
            token_hash=token_hash(unverified_token)
        )
    )
    if token is None:
        return
    application = token.session.application
    if client and client.unverified_client_id != application.client_id:
        return
    authenticate_client(application, client or ClientCredentials(application.client_id), now=now)
    revoke_family(token, now=now, reason=Session.EndReason.LOGGED_OUT)


def revoke_family(token: RefreshToken, *, now: datetime, reason: Session.EndReason) -> int:
    """Revoke every token of the family and end its session; return how many sessions ended."""
    family = RefreshToken.objects.filter(pool=token.pool_id, family=token.family)
    return _end(token.session_id, family, now=now, reason=reason)


def end_reused(
    session: Session, tokens: QuerySet[RefreshToken], *, now: datetime, reason: Session.EndReason
) -> None:
    """End the session of a code or refresh token that was used twice; record it, once."""
    if not _end(session.pk, tokens, now=now, reason=reason):
        return
    door = LoginEvent.Door
    refreshed = reason == Session.EndReason.REFRESH_TOKEN_REUSED
    LoginEvent.record(
        session,
        door=door.REFRESH if refreshed else door.TOKEN,
        now=now,
        outcome=LoginEvent.Outcome.REFUSED,
        error=reason,
    )


def _end(session_id: UUID, tokens: QuerySet[RefreshToken], *, now: datetime, reason: str) -> int:
    with transaction.atomic():
        tokens.filter(revoked_at__isnull=True).update(revoked_at=now)
        return Session.objects.filter(pk=session_id).end(now=now, reason=reason)
