"""What happened, in the words and the language of an operator.

::

    narration.py        the steps of a login
    reasons.py          why a login found its user or was refused, in one sentence
    explanations.py     what each refusal means, and what an operator can do about it
    merges.py           what a merge will do, what prevents it, and what undoing does
    account_history.py  the events of an account, and the names of its contact details
"""
