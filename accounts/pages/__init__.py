"""The pages on which people log in with their browser.

::

    urls.py             the addresses
    authorize.py        /oidc/{pool}/authorize: answers a request at once, or keeps it
    guards.py           what the pages share: the pool, the kept request, and refusals
    pending_request.py  finds the kept request that a page belongs to
    login.py            /login/{pool}/{handle}: the login methods, to WeChat and back
    bind.py             /login/{pool}/{handle}/bind: a new account or an existing one
    consent.py          /login/{pool}/{handle}/consent: what the application may know
    person.py           who is signed on in the browser, and their session in an application
    next_page.py        from a kept request to its next page, or to its answer
    device.py           /login/{pool}/device: the code that a device shows
    logout.py           /oidc/{pool}/logout: RP-initiated logout
    cookies.py          the cookies of a browser, per pool
    responses.py        sends an answer to the application; pages that report an error
    words.py            the sentences that people read
"""
