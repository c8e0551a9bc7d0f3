"""The OpenID Connect provider: one issuer per pool, at ``{PUBLIC_URL}/oidc/{pool}``.

::

    urls.py          the addresses that programs call
    views.py         discovery, JWKS, userinfo
    discovery.py     the metadata of an issuer
    client_views.py  the endpoints that applications call: token, par, introspect, revoke, device
    authorization/   the rules of the authorization endpoint; its pages are accounts/pages
    inputs.py        reads the forms
    server.py        the authorization server of one pool, as a subclass of Authlib's
    grants/          the grants of the token endpoint
    endpoints/       introspection, revocation, device authorization
    oauth_errors.py  the error responses

Supported are the authorization code flow with PKCE, refresh with rotation and reuse detection,
client credentials, the device flow and pushed authorization requests. The implicit and password
grants are never added.
"""
