"""Self-built applications: the login methods they offer, and how they authenticate.

::

    models/                   applications, client secrets, login methods, redirect URIs
    rules.py                  which application may use which source, by which way in
    offers.py                 an application and the login methods it offers, from memory
    client_authentication.py  authenticates an application by a secret or an assertion
    client_assertions.py      ``private_key_jwt``: verifies a JWT that an application signed
    client_keys.py            the public keys of those assertions
    client_secrets.py         activates a client secret; the previous one works a day more
    redirect_uris.py          what may be registered as a redirect URI, and which one matches
    cors.py                   which origins may read responses
    checklist.py              what is missing before somebody can log in
    manifest/                 config as code
    admin/                    the console's pages of applications
"""
