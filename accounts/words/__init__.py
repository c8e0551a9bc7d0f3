"""What happened, in the words of an operator and in their language.

``narration`` tells a login's trace, with ``reasons`` and ``explanations`` of refusals; ``merges``
tells what a merge does, ``history`` what happened to an account, ``details`` names what is known
of a person.
"""
