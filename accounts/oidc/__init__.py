"""The OpenID Connect provider: one issuer per pool, at ``{PUBLIC_URL}/oidc/{pool}``.

::

    views.py           discovery, JWKS, userinfo
    discovery.py       what is published of the issuer
    client_views.py    the endpoints that applications call: token, par, introspect, revoke, device
    authorization/     the authorization endpoint's rules; its pages are accounts/pages
    grants/            the token endpoint's grants
    endpoints/         introspection, revocation, device authorization
    server.py          one pool's authorization server, in Authlib's terms
    inputs.py          reading forms
    errors.py          how the endpoints refuse
    scopes.py          which scopes there are
    tokens.py          making tokens
    access.py          checking an access token, and what stands behind it
    current.py         whether a session may still give tokens
    ending.py          ending one before its time
    key_revocation.py  revoking a signing key, with the sessions that it signed for
    key_expiry.py      when a retired key has no use any more

The authorization code flow with PKCE, refresh with rotation and reuse detection, client
credentials, the device flow and pushed requests exist; the implicit and password grants never do.
"""
