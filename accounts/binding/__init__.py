"""Account binding: who comes from a source that asks, and whom nobody knows, chooses.

``tickets`` hold the identity that waits, ``proofs`` and ``email_codes`` say whose an account is,
``tallies`` count guesses exactly, ``redeeming`` logs in whoever made their choice.
"""
