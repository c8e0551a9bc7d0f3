"""OpenID Connect Back-Channel Logout 1.0: applications learn that a session of theirs has ended.

Where a session ends, a `LogoutNotice` is stored. Each is delivered at least once; where that fails,
attempts go on for about a working day::

    delivery_thread.py  a thread in each server process; a command does the same
    notices.py          one round: delivers the notices that are due
    attempts.py         claims a notice for one attempt, and stores the result
    logout_tokens.py    makes the logout token
    delivery.py         sends the logout token to the application
"""
