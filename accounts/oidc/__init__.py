"""The OpenID Connect provider: one issuer per pool, at ``{PUBLIC_URL}/oidc/{pool}``.

::

    views.py           discovery, JWKS, userinfo
    client_views.py    the endpoints that applications call: token, par, introspect, revoke, device
    authorization/     the authorization endpoint's rules; its pages are accounts/pages
    grants/            the token endpoint's grants
    endpoints/         introspection, revocation, device authorization
    server.py          one pool's authorization server, in Authlib's terms
    tokens.py          making tokens
    access.py          checking an access token, and what stands behind it
    current.py         whether a session may still give tokens
    ending.py          ending one before its time

The authorization code flow with PKCE, refresh with rotation and reuse detection, client
credentials, the device flow and pushed requests exist; the implicit and password grants never do.
"""
