"""The code in docs/openid-connect.md, run as it stands there."""

import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.browser.clients import registrations
from tests.browser.clients.listener import Listener
from tests.browser.clients.openid_client import MODULES, Program
from tests.browser.clients.people import DECIDED, come_back, let_in, log_in
from tests.browser.clients.registrations import Registration
from tests.browser.windows import Windows
from tests.support.processes import ROOT

# What the endpoints do with a database is tested on both, in tests/accounts/oidc.
pytestmark = pytest.mark.once

PAGE = ROOT / "docs" / "openid-connect.md"
LANGUAGES = ["python", "js"]


class Snippet(Protocol):
    """The page's functions, set up for one application, by the names that Python gives them."""

    def call(self, name: str, *given: Any) -> Any:
        """Call a function."""

    def call_in_session(self, name: str, *given: Any) -> Any:
        """Call a function with the browser's session before the rest."""


Load = Callable[[str, Registration], Snippet]


def code(language: str) -> str:
    """Return all of the page's code in this language, as one module."""
    return "\n\n".join(re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL))


class PythonSnippet:
    """The page's Python, whose environment is this process's."""

    def __init__(self) -> None:
        self._module = types.ModuleType("snippet")
        exec(compile(code("python"), PAGE, "exec"), vars(self._module))  # noqa: S102  our own page
        self._session: dict[str, Any] = {}

    def call(self, name: str, *given: Any) -> Any:
        return getattr(self._module, name)(*given)

    def call_in_session(self, name: str, *given: Any) -> Any:
        return self.call(name, self._session, *given)


class JavaScriptSnippet:
    """The page's JavaScript, in the Node program."""

    def __init__(self, node: Program, module: Path, environment: dict[str, str]) -> None:
        (module.parent / "node_modules").symlink_to(MODULES)
        module.write_text(code("js"))
        self._node = node
        self._number = node.ask("load", module=str(module), environment=environment)

    def call(self, name: str, *given: Any) -> Any:
        return self._ask(name, given, in_session=False)

    def call_in_session(self, name: str, *given: Any) -> Any:
        return self._ask(name, given, in_session=True)

    def _ask(self, name: str, given: tuple[Any, ...], *, in_session: bool) -> Any:
        head, *words = name.split("_")
        spelt = head + "".join(word.title() for word in words)
        return self._node.ask(
            "run", number=self._number, name=spelt, given=given, inSession=in_session
        )


@pytest.fixture
def load(
    issuer: str,
    listener: Listener,
    node: Program,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Load:
    """Set the page's code up for an application, by the environment alone."""

    def make(language: str, registration: Registration) -> Snippet:
        environment = {
            "ISSUER": issuer,
            "CLIENT_ID": registration.client_id,
            "REDIRECT_URI": listener.callback,
        }
        environment |= {"CLIENT_SECRET": registration.secret} if registration.secret else {}
        if language == "js":
            return JavaScriptSnippet(node, tmp_path / "snippet.mjs", environment)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return PythonSnippet()

    return make


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "registration",
    [registrations.WEB_BASIC, registrations.NATIVE],
    ids=lambda registration: registration.client_id,
)
def test_a_person_logs_in(
    browse: Windows, load: Load, listener: Listener, language: str, registration: Registration
) -> None:
    snippet, page = load(language, registration), browse()

    log_in(page, snippet.call_in_session("begin"))
    claims = snippet.call_in_session("finish", come_back(page, listener).url)

    assert claims["aud"] == registration.client_id
    assert claims["sub"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_logs_out_and_the_application_is_told(
    browse: Windows, load: Load, listener: Listener, language: str
) -> None:
    snippet, page = load(language, registrations.WEB_BASIC), browse()
    log_in(page, snippet.call_in_session("begin"))
    claims = snippet.call_in_session("finish", come_back(page, listener).url)

    page.goto(snippet.call_in_session("logout_url", listener.logged_out))

    assert come_back(page, listener, "/logged-out").url == listener.logged_out
    assert snippet.call("ended_session", listener.logout_token(claims["sid"])) == claims["sid"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_machine_has_a_token(load: Load, language: str) -> None:
    assert load(language, registrations.MACHINE).call("machine_token").count(".") == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_device_is_let_in(browse: Windows, load: Load, language: str) -> None:
    snippet = load(language, registrations.NATIVE)
    device = snippet.call("show_code")

    let_in(browse(), device)

    assert snippet.call("wait_for_person", device | DECIDED)["sub"]
