"""The pages on which people log in, through their browser.

::

    authorize.py    /oidc/{pool}/authorize: the question; answered at once, or kept
    kept.py         the request that a page is about
    person.py       who is in front of a page
    proceeding.py   from a kept request to the next page, or to the answer
    login.py        /login/{pool}/{handle}: the application's methods, to WeChat and back
    bind.py         /login/{pool}/{handle}/bind: a new account, or one the person has
    consent.py      /login/{pool}/{handle}/consent: what the application may know
    device.py       /login/{pool}/device: the code that a device shows
    logout.py       /oidc/{pool}/logout: logging out (RP-initiated logout)
    guards.py       what the pages share: their pool, and how they refuse
    cookies.py      what a browser holds: secrets, for each pool
    responses.py    how an answer travels, and what a page says where there is none
    words.py        what a person reads
"""
