"""openid-client, which runs in Node: one program for the run, asked by lines of JSON."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.clients.client import SCOPE, Refusal
from tests.browser.clients.listener import PATIENCE_SECONDS, Arrival
from tests.browser.clients.registrations import Registration

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
NODE = Path(sys.executable).parent / "node"
MISSING = "openid-client isn't installed. Run: make .venv/.npm"


class Program:
    """The Node program: one question at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, call: str, **arguments: Any) -> Any:
        """Return the answer.

        Raises:
            Refusal: openid-client threw an error; what it said is a note of the exception.

        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(
            json.dumps({"call": call, "arguments": arguments}),
            file=self._process.stdin,
            flush=True,
        )
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            refusal = Refusal(answer["error"])
            refusal.add_note(answer["detail"])
            raise refusal
        return answer["result"]


@contextmanager
def running() -> Iterator[Program]:
    """Run the program until the block ends."""
    command = [NODE, HERE / "openid_client.mjs"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Program(process)
        process.communicate()


class OpenIDClient:
    """A client of one application."""

    def __init__(self, program: Program, issuer: str, registration: Registration) -> None:
        key = registration.key.as_dict(private=True) if registration.key else None
        self._program = program
        self._number = program.ask(
            "make",
            issuer=issuer,
            client_id=registration.client_id,
            authentication=registration.authentication,
            secret=registration.secret,
            key=key,
        )

    def begin(self, redirect_uri: str, *, pushed: bool = False, **parameters: str) -> str:
        wanted = {"redirect_uri": redirect_uri, "scope": SCOPE, **parameters}
        return str(self._ask("begin", pushed=pushed, parameters=wanted))

    def finish(self, arrival: Arrival) -> dict[str, Any]:
        return dict(self._ask("finish", url=arrival.url, form=arrival.form))

    def userinfo(self, tokens: dict[str, Any]) -> dict[str, Any]:
        sub = tokens["claims"]["sub"]
        return dict(self._ask("userinfo", access_token=tokens["access_token"], sub=sub))

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        return dict(self._ask("refresh", refresh_token=refresh_token))

    def introspect(self, token: str) -> dict[str, Any]:
        return dict(self._ask("introspect", token=token))

    def revoke(self, token: str) -> None:
        self._ask("revoke", token=token)

    def act_for_itself(self) -> dict[str, Any]:
        return dict(self._ask("act_for_itself"))

    def begin_device(self) -> dict[str, Any]:
        return dict(self._ask("begin_device", scope=SCOPE))

    def finish_device(self, device: dict[str, Any]) -> dict[str, Any]:
        return dict(self._ask("finish_device", device=device, patience=PATIENCE_SECONDS))

    def logout_url(self, id_token: str, post_logout_redirect_uri: str, state: str) -> str:
        parameters = {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": post_logout_redirect_uri,
            "state": state,
        }
        return str(self._ask("logout_url", parameters=parameters))

    def logout_token(self, token: str) -> dict[str, Any]:
        """Verify a logout token by jose, which openid-client rests on; return its claims."""
        return dict(self._ask("logout_token", token=token))

    def _ask(self, call: str, **arguments: Any) -> Any:
        return self._program.ask(call, client=self._number, **arguments)
