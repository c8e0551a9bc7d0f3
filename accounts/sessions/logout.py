"""Logging out: the refresh token's family is revoked and its session ends."""

from datetime import datetime

from accounts.models import RefreshToken, Session
from accounts.sessions.ending import revoke_family
from applications.client_authentication import ClientCredentials, authenticate_client
from config.kernel.encryption import token_hash


def log_out(unverified_token: str, client: ClientCredentials | None, *, now: datetime) -> None:
    """Revoke the family of a refresh token; an unknown token is as good as revoked.

    The token itself proves enough, unless its application is confidential (RFC 7009 §2.1).

    Raises:
        InvalidClient: the token's application is confidential, and its proof is missing or wrong.

    """
    token = (
        RefreshToken.objects.select_related("session__application")
        .filter(token_hash=token_hash(unverified_token))
        .first()
    )
    if token is None:
        return
    application = token.session.application
    if client and client.unverified_client_id != application.client_id:
        return
    authenticate_client(application, client or ClientCredentials(application.client_id), now=now)
    revoke_family(token, now=now, reason=Session.EndReason.LOGGED_OUT)
