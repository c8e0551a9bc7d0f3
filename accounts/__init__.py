"""People, how they are recognised, and every way in.

The doors, where requests arrive::

    api/            the REST endpoints, for mini programs and for people themselves
    pages/          the login in a browser
    experience/     the login that an operator tries out
    oidc/           the OpenID Connect provider
    wechat_events/  what WeChat tells by itself
    admin/          the console's pages

What a login is made of, in the order in which a request meets it::

    throttles.py     how many refused attempts there may be
    attempts.py      an attempt: the application, its offer, and the trail
    events.py        the trail, to the row that records it; trace.py has its steps
    exchange.py      one exchange for each code
    wechat_codes.py  from a code to a WeChat identity
    arrival.py       somebody at the door
    login.py         the rules, for every door
    identities.py    the rows of a WeChat identity
    association.py   who somebody new becomes; binding/ where they are asked
    refusals.py      why a login is refused
    locking.py       who is changed is locked first

What comes after: ``browsers/``, ``users/``, ``merging/``, ``logout.py``, ``backchannel/``. For the
operator: ``words/`` and ``overview.py``. ``sweeping.py`` deletes what is past its time.
"""
