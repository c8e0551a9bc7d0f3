"""What the tests ask of a client, whichever it is: only the issuer's address configures it."""

from collections.abc import Callable
from typing import Any, Protocol

from tests.browser.clients.listener import Arrival
from tests.browser.clients.registrations import Registration

SCOPE = "openid profile phone offline_access"


class Refusal(Exception):
    """The client didn't go on; ``error`` is the server's word, or the client's own."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Client(Protocol):
    """A client of one application. Every method but ``begin`` raises `Refusal`."""

    def begin(self, redirect_uri: str, *, pushed: bool = False, **parameters: str) -> str:
        """Return where to send the browser, with PKCE, state and nonce of the client's."""

    def finish(self, arrival: Arrival) -> dict[str, Any]:
        """Take the browser that came back; return the tokens, and the verified ``claims``."""

    def userinfo(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """Ask who the person is; the answer must be about the ID token's."""

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Return the next tokens."""

    def introspect(self, token: str) -> dict[str, Any]:
        """Ask what a token is worth."""

    def revoke(self, token: str) -> None:
        """Give a token up."""

    def act_for_itself(self) -> dict[str, Any]:
        """Return the tokens of the client credentials grant."""

    def begin_device(self) -> dict[str, Any]:
        """Ask for a device's codes."""

    def finish_device(self, device: dict[str, Any]) -> dict[str, Any]:
        """Poll until the person has decided; return the tokens."""

    def logout_url(self, id_token: str, post_logout_redirect_uri: str, state: str) -> str:
        """Return where to send the browser to log out."""


Connect = Callable[[str, Registration], Client]
"""Sets up a client of one of the libraries for an application."""
