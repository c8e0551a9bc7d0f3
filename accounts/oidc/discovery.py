"""What a client needs to know to use a pool's issuer, and nothing that isn't so.

RFC 8414 and OpenID Connect Discovery 1.0 §3. There is no authorization endpoint yet: none of the
grant types that exist uses one.
"""

from typing import Any

from accounts.oidc.scopes import ALL_SCOPES
from userpools.models import SigningKey, UserPool


def provider_metadata(pool: UserPool) -> dict[str, Any]:
    """Return the pool's discovery document."""
    issuer = pool.issuer
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks.json",
        "scopes_supported": list(ALL_SCOPES),
        "response_types_supported": [],
        "grant_types_supported": ["refresh_token"],
        "token_endpoint_auth_methods_supported": [
            "none",
            "client_secret_basic",
            "client_secret_post",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SigningKey.Algorithm.values),
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "sid",
            "at_hash",
            "nickname",
            "picture",
            "updated_at",
            "phone_number",
            "phone_number_verified",
        ],
    }
