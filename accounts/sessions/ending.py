"""Ending a session before its time, and every token of it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.login.trail import record_reuse
from accounts.models import RefreshToken, Session


def revoke_family(token: RefreshToken, *, now: datetime, reason: Session.EndReason) -> int:
    """Revoke every token of the family and end its session; return how many sessions ended."""
    family = RefreshToken.objects.filter(pool=token.pool_id, family=token.family)
    return _end(token.session_id, family, now=now, reason=reason)


def end_reused(
    session: Session, tokens: QuerySet[RefreshToken], *, now: datetime, reason: Session.EndReason
) -> None:
    """End what came of something that is good once and was used again; record it, once."""
    if _end(session.pk, tokens, now=now, reason=reason):
        record_reuse(session, now=now, reason=reason)


def _end(session_id: UUID, tokens: QuerySet[RefreshToken], *, now: datetime, reason: str) -> int:
    with transaction.atomic():
        tokens.filter(revoked_at__isnull=True).update(revoked_at=now)
        return Session.objects.filter(pk=session_id).end(now=now, reason=reason)
