"""Settings of an OpenID provider whose people log in by WeChat's QR code.

Recommended by the documentation of django-oauth-toolkit: PKCE, rotation of refresh tokens with
protection against reuse, and the recommendations of RFC 9700, hashed tokens among them.
"""

from hashing import FAST
from signing_key import read_signing_key
from website_settings import *

INSTALLED_APPS += ["oauth2_provider"]
ROOT_URLCONF = "urls"
PASSWORD_HASHERS = [FAST]  # nobody has a password; see there
SIGNING_KEY = read_signing_key()

OAUTH2_PROVIDER = {
    "OIDC_ENABLED": True,
    "OIDC_RSA_PRIVATE_KEY": SIGNING_KEY,
    "SCOPES": {"openid": "Who you are", "introspection": "Whether a token is valid"},
    "DEFAULT_SCOPES": ["openid"],
    "PKCE_REQUIRED": True,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 7200,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 86400,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
}
