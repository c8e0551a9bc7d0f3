"""The discovery document of a pool's issuer; it lists only what is supported.

OpenID Connect Discovery 1.0 §3, RFC 8414 §2, and the members that the extensions add: RFC 9207 §3,
RFC 9126 §5, RFC 8628 §4, RP-Initiated Logout §2.1, Back-Channel Logout §2.1.
"""

from typing import Any

from django.conf import settings
from django.utils.translation import to_locale

from accounts.oidc.authorization.checking import PROMPTS, ResponseMode
from accounts.oidc.server import DEVICE_CODE
from accounts.sessions.scopes import ALL_SCOPES
from applications.client_keys import CLIENT_KEY_ALGORITHMS
from userpools.models import SigningKey, UserPool

SECRETS = ["client_secret_basic", "client_secret_post"]
PROOFS = [*SECRETS, "private_key_jwt"]
CLAIMS = [
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "sid",
    "at_hash",
    "nickname",
    "picture",
    "updated_at",
    "phone_number",
    "phone_number_verified",
    "email",
    "email_verified",
]


def provider_metadata(pool: UserPool) -> dict[str, Any]:
    """Return the pool's discovery document."""
    return {
        "issuer": pool.issuer,
        **_endpoints(pool.issuer),
        **_client_authentication(),
        "scopes_supported": list(ALL_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": list(ResponseMode),
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            DEVICE_CODE,
        ],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SigningKey.Algorithm.values),
        "claim_types_supported": ["normal"],
        "claims_supported": CLAIMS,
        "prompt_values_supported": sorted(PROMPTS),
        "ui_locales_supported": [_language_tag(language) for language, _name in settings.LANGUAGES],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_pushed_authorization_requests": False,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }


def _language_tag(language: str) -> str:
    """Convert a Django language code to a tag of RFC 5646 §2.1.1, such as ``zh-Hans``."""
    return to_locale(language).replace("_", "-")


def _endpoints(issuer: str) -> dict[str, str]:
    return {
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks.json",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "end_session_endpoint": f"{issuer}/logout",
    }


def _client_authentication() -> dict[str, list[str]]:
    return {
        "token_endpoint_auth_methods_supported": ["none", *PROOFS],
        "token_endpoint_auth_signing_alg_values_supported": list(CLIENT_KEY_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": ["none", *PROOFS],
        "revocation_endpoint_auth_signing_alg_values_supported": list(CLIENT_KEY_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": PROOFS,
        "introspection_endpoint_auth_signing_alg_values_supported": list(CLIENT_KEY_ALGORITHMS),
    }
