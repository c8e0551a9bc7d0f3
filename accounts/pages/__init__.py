"""The pages on which people log in, through their browser.

::

    authorize.py    /oidc/{pool}/authorize: the question; answered at once, or kept
    proceeding.py   from a kept request to the next page, or to the answer
    sign_in.py      /login/{pool}/{handle}: the application's methods, to WeChat and back
    bind.py         /login/{pool}/{handle}/bind: a new account, or one the person has
    consent.py      /login/{pool}/{handle}/consent: what the application may know
    device.py       /login/{pool}/device: the code that a device shows
    logout.py       /oidc/{pool}/logout: signing off (RP-initiated logout)
    cookies.py      what a browser holds: two secrets for each pool
    responses.py    how an answer travels, and how a page refuses
"""
