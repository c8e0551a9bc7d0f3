"""The pages on which people log in with their browser.

::

    urls.py             the addresses
    authorize.py        /oidc/{pool}/authorize: answers a request at once, or stores it
    guards.py           a decorator for all pages: finds the pool, turns exceptions into pages
    pending_request.py  finds the stored request of a page, and checks it again
    login.py            /login/{pool}/{handle}: the login methods, to WeChat and back
    bind.py             /login/{pool}/{handle}/bind: a new account or an existing one
    consent.py          /login/{pool}/{handle}/consent: what the application may know
    person.py           who is signed on in the browser, and their session in an application
    next_page.py        from a stored request to its next page, or to its answer
    device.py           /login/{pool}/device: the code that a device shows
    logout.py           /oidc/{pool}/logout: RP-initiated logout
    cookies.py          the cookies of a browser, per pool
    responses.py        sends an answer to the application; pages that report an error
    sentences.py        the sentences that people read
"""
