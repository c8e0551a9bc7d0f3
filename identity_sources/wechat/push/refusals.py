"""The reasons why a push is refused."""

from typing import Literal

PushRefusal = Literal[
    "bad_signature",  # not signed with a token of ours, or not over what was sent
    "stale",  # more than 10 minutes old or ahead: repeated, or one of the clocks is wrong
    "too_large",
    "unreadable",  # neither XML nor JSON, or out of the bounds set here
    "undecryptable",  # not encrypted for us, or tampered with; the reason isn't told
    "foreign_app",  # signed and encrypted with our key, but for another AppID
]


class PushRefused(Exception):
    """A refused push or URL check; `reason` is a code.

    Contains nothing of the request and no key, neither in its text nor in its arguments.
    """

    def __init__(self, reason: PushRefusal) -> None:
        super().__init__(reason)
        self.reason: PushRefusal = reason

    def __str__(self) -> str:
        return f"A push was refused: {self.reason}"
