"""ID tokens sent back as hints: signed by this pool, at any time (OIDC Core §3.1.2.1)."""

from dataclasses import dataclass

from joserfc import jws, jwt
from joserfc.errors import JoseError

from accounts.sessions.access import key_named
from accounts.sessions.tokens import ID_TOKEN_TYPE
from userpools.keys import pool_keys
from userpools.models import UserPool


@dataclass(frozen=True, kw_only=True)
class Hint:
    """The user, the session and the application of an ID token."""

    sub: str
    sid: str
    client_id: str


def read_hint(pool: UserPool, unverified_token: str) -> Hint | None:
    """Return the claims of an ID token of the pool, even if expired; None if it isn't one."""
    try:
        header = jws.extract_compact(unverified_token.encode()).headers()
        key, algorithm = key_named(header, pool_keys(pool))
        token = jwt.decode(unverified_token, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError, LookupError, RecursionError):
        return None
    claims = token.claims
    texts = [claims.get(name) for name in ("sub", "sid", "aud")]
    is_ours = token.header.get("typ") == ID_TOKEN_TYPE and claims.get("iss") == pool.issuer
    if not is_ours or not all(isinstance(text, str) for text in texts):
        return None
    return Hint(sub=claims["sub"], sid=claims["sid"], client_id=claims["aud"])
