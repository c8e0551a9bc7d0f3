"""Sessions: what they give, how they are checked, and how they end.

In the order in which a request meets the modules::

    scopes.py        the scopes that exist, and the default scopes of an application
    browsers.py      single sign-on: who is signed on in a browser
    tokens.py        makes access tokens, ID tokens and refresh tokens
    access.py        verifies an access token, its session, user and application
    ending.py        ends a session and revokes its tokens
    signing_keys.py  revokes a signing key with its sessions; deletes keys no longer needed
"""
