"""Account binding: a person who logs in for the first time chooses a new or an existing account.

The tickets are accounts/login/tickets.py. In the order in which a request meets the modules::

    redeeming.py     redeems a binding ticket, which is a login
    proofs.py        verifies that an existing account belongs to the person
    email_codes.py   one-time codes by e-mail
    exact_limits.py  counts guesses exactly, in the database
"""
