"""Experience login: an operator logs in as an end user would, and sees every step.

::

    access.py    who may: an administrator of the pool, or whoever was sent a shared link
    forms.py     what is filled in on a mini program's phone
    attempt.py   a mini program's login: makes the very REST call, and ends its session
    trip.py      a login through a browser: to WeChat and back, without what would stay of it
    page.py      the page: a phone beside the trace
    views.py     /experience/{client_id}, for a browser also …/wechat/{method} and …/callback
    urls.py
"""
