"""The rules of the authorization endpoint: read a request, check it, decide, answer.

::

    parameters.py  the parameters of a request, sent directly or pushed (RFC 9126)
    pushing.py     the pushed authorization request endpoint
    checking.py    whether a request may be answered, and at which redirect URI
    hints.py       ID tokens that are sent back as ``id_token_hint``
    deciding.py    whether to answer now, ask the person first, or refuse
    consents.py    the consent that people gave to applications
    pending.py     requests that are stored while the person is on our pages
    answering.py   the answer to the redirect URI: a code or an error

The pages are accounts/pages.
"""
