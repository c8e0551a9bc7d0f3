"""What is done with one user, by the person or by an operator; each change leaves its history.

``phones`` is the number that WeChat proves at a login, ``own_phone`` the person's own change of it;
``linking`` is of the person's WeChat accounts, ``consents`` of what applications may know.
``editing``, ``suspension`` and ``closing`` change the user as a whole; ``blocking`` keeps refusing
where a suspended user's data was erased. ``search`` and ``ties`` are how operators find a user.
"""
