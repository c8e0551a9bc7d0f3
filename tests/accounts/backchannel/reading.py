"""Reading a logout token as an application does."""

import jwt

from userpools.keys import jwks


def read(token, application):
    """Verify as OpenID Connect Back-Channel Logout 1.0 §2.6 says; return the claims."""
    keys = {key["kid"]: jwt.PyJWK(key) for key in jwks(application.pool)["keys"]}
    header = jwt.get_unverified_header(token)
    return jwt.decode(
        token,
        keys[header["kid"]],
        algorithms=[application.signing_algorithm],
        audience=application.client_id,
        issuer=application.pool.issuer,
        options={"require": ["iss", "aud", "iat", "exp", "jti", "sub", "sid", "events"]},
    )
