"""The endpoints besides the token endpoint: Authlib checks the request, these look up and act.

::

    device_authorization.py   RFC 8628 §3.1
    introspection.py          RFC 7662
    revocation.py             RFC 7009
    presented.py              finds the token that a request presents
"""
