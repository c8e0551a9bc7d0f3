"""A login, from the request to the session, in the order in which a request meets the modules.

::

    throttles.py   limits on refused attempts, per address and per application
    rules.py       the rules of a login, for every door
    by_browser.py  a login in a browser: to WeChat and back, then the same rules
    arrival.py     the start of an attempt, and the person once WeChat has named them
    trail.py       the steps of an attempt, and the login event that stores them
    codes.py       from a WeChat code to an identity or a phone number
    exchange.py    asks WeChat, and repeats the identity of a code that is sent again
    waiting.py     waits for the first request with a code, without a connection
    identities.py  the linked accounts of an identity: found with their user locked, and added
    newcomers.py   the user for an identity that belongs to no user yet
    tickets.py     binding tickets, for a person who has to choose an account
    phones.py      stores the phone number that WeChat verified
"""
