"""The applications of the pool that the clients log in to, and what their developers are given."""

import json
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import ECKey

from identity_sources.sandbox.world import sandbox_app_secret

POOL = "acme"
SITE_APP_ID = "wxsandbox000000002"
# Basic authentication's parts are form-encoded, and not by every client: RFC 6749 §2.3.1.
SECRET = "a-client-secret_of.more-than~32-characters"


@dataclass(frozen=True)
class Registration:
    """What a developer is given besides the issuer, and all that a client is set up with."""

    client_id: str
    authentication: str = "none"
    secret: str = field(default="", repr=False)
    key: ECKey | None = field(default=None, repr=False)


def _key() -> ECKey:
    key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"})
    key.ensure_kid()
    return key


KEY = _key()

WEB_BASIC = Registration("acme-web", "client_secret_basic", secret=SECRET)
WEB_POST = Registration("acme-web", "client_secret_post", secret=SECRET)
WEB_KEY = Registration("acme-key", "private_key_jwt", key=KEY)
WEB_RS256 = Registration("acme-rs256", "client_secret_basic", secret=SECRET)
SPA = Registration("acme-spa")
NATIVE = Registration("acme-native")
PARTNER = Registration("acme-partner", "client_secret_basic", secret=SECRET)
MACHINE = Registration("acme-machine", "client_secret_basic", secret=SECRET)


def manifest(callbacks: str) -> str:
    """Return what an operator applies; ``callbacks`` is the origin of everybody's server."""
    redirected = {
        "redirect_uris": [f"{callbacks}/callback"],
        "post_logout_redirect_uris": [f"{callbacks}/logged-out"],
        "login_methods": ["acme-site"],
    }
    secret = {"client_secret": SECRET}
    keys = {"keys": [KEY.as_dict(private=False)]}
    applications: list[dict[str, Any]] = [
        {
            "client_id": "acme-web",
            "type": "web",
            **secret,
            **redirected,
            "backchannel_logout_uri": f"{callbacks}/session-ended",
        },
        {
            "client_id": "acme-key",
            "type": "web",
            "client_authentication": "private_key_jwt",
            "jwks": keys,
            **redirected,
        },
        {
            "client_id": "acme-rs256",
            "type": "web",
            "signing_algorithm": "RS256",
            **secret,
            **redirected,
        },
        {"client_id": "acme-spa", "type": "spa", **redirected},
        {
            "client_id": "acme-native",
            "type": "native",
            "allows_device_flow": True,
            **redirected,
            # Whichever port it listens on (RFC 8252 §7.3).
            "redirect_uris": ["http://127.0.0.1/callback"],
        },
        {
            "client_id": "acme-partner",
            "type": "web",
            "requires_consent": True,
            **secret,
            **redirected,
        },
        {"client_id": "acme-machine", "type": "machine", **secret},
    ]
    source = {
        "identifier": "acme-site",
        "type": "wechat_website",
        "display_name": "Acme website",
        "app_id": SITE_APP_ID,
        "app_secret": sandbox_app_secret(SITE_APP_ID),
        "mode": "sandbox",
    }
    named = [{"name": one["client_id"], **one} for one in applications]
    pool = {"identifier": POOL, "name": "Acme", "identity_sources": [source], "applications": named}
    return json.dumps({"user_pools": [pool]})
