"""The logout token names the ended session (OpenID Connect Back-Channel Logout 1.0 §2.4)."""

from datetime import datetime, timedelta

from accounts.models import Session
from accounts.sessions.tokens import sign
from config.kernel.primary_keys import new_id

LIFETIME = timedelta(minutes=2)
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logout_token(session: Session, *, now: datetime) -> str:
    """Make a logout token for one attempt.

    It names the user as the application knows them: the session of a merged user, and so the token,
    keeps the old ``sub``.
    """
    claims = {
        "iss": session.application.pool.issuer,
        "aud": session.application.client_id,
        "sub": session.user.sub,
        "sid": str(session.pk),
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "jti": str(new_id()),
        "events": {LOGOUT_EVENT: {}},
    }
    return sign(session.application, claims, kind="logout+jwt")
