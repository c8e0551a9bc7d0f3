"""The authorization endpoint's rules: what is asked for, whether it may be, and the answer.

::

    parameters.py   the fields of a request: each once, or pushed beforehand (RFC 9126)
    asking.py       whether a request may be answered, and where to
    deciding.py     answer now, ask the person first, or refuse
    hints.py        ID tokens that come back
    keeping.py      a request that waits for its person
    answering.py    a code, or an error, for the redirect URI
    pushing.py      the pushed authorization request endpoint

The pages between the question and the answer are accounts/pages.
"""
