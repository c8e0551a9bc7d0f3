"""Experience login: an operator logs in as an end user would, and sees every step.

::

    access.py    who may: an administrator of the pool, or whoever was sent a shared link
    attempt.py   makes the very REST call, and ends the session that came of it
    views.py     the page: a phone beside the trace
    urls.py      /experience/{client_id}
"""
