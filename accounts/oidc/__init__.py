"""The OpenID Connect provider: one issuer per pool, at ``{PUBLIC_URL}/oidc/{pool}``.

In: access tokens by RFC 9068, ID tokens by OpenID Connect Core §2, refresh with rotation and reuse
detection (RFC 6749 §6, RFC 9700 §4.14), discovery (RFC 8414, OpenID Connect Discovery), JWKS
(RFC 7517), userinfo (OpenID Connect Core §5.3), bearer tokens in the header only (RFC 6750 §2.1).
Not yet: the authorization endpoint and its flows, introspection, revocation, logout by redirect.
Never: the implicit and password grants.
"""
