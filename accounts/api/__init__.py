"""The REST endpoints, at ``/api/``, in the order in which a request meets the modules.

::

    urls.py     the addresses
    schema.py   the OpenAPI description of each endpoint
    views.py    login, account binding and logout
    me.py       the endpoints for the user of an access token
    inputs.py   the fields that the endpoints accept
    answers.py  the fields that the endpoints answer with
"""
