"""Changes to one user, made by the person or by an operator; each is recorded in its history.

::

    own_phone.py   the person changes their phone number
    linking.py     the person links and unlinks WeChat accounts
    editing.py     an operator adds a user, or changes nickname, e-mail address and password
    suspension.py  an operator suspends a user, or lifts the suspension
    closing.py     closes an account, reopens it, and erases it after a while
    search.py      finds a user by a complete sub, OpenID, UnionID, number or address
"""
