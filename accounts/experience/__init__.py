"""Experience login: an operator logs in as an end user would, and sees every step.

::

    urls.py          the addresses
    views.py         /experience/{client_id}; in a browser also …/wechat/{method} and …/callback
    visitors.py      who may open the page: an administrator of the pool, or with a shared link
    forms.py         the form on the phone of a mini program
    mini_program.py  a mini program's login, with the fields of the REST endpoint
    browser.py       a login through a browser: to WeChat and back
    page.py          the page: a phone beside the trace
"""
