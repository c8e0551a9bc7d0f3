"""``make run``: a server for evaluation, on this machine only, without any setup.

Stores its secrets and its SQLite file in ``.run/`` (or ``RUN_DIR``). Environment variables that
are already set have precedence, such as another database or port.
"""

import base64
import io
import json
import os
import secrets
import socket
import sys
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from config.wiring.server import become_server

ROOT = Path(__file__).resolve().parent.parent
RUN_DIR = Path(os.environ.get("RUN_DIR") or ROOT / ".run").resolve()
SECRETS = RUN_DIR / "environment.json"
OPERATOR = "operator"
OPERATOR_PASSWORD = RUN_DIR / "operator-password"
DEMO = ROOT / "examples" / "demo.yaml"
DEMO_POOL = "demo"
DEMO_CLIENT_ID = "demo-mini-program"
DEMO_APP_ID = "wxsandbox000000001"


def main() -> None:
    """Create everything that is missing, print how to log in, and serve."""
    port = os.environ.get("PORT", "").strip() or "8000"
    refuse_taken_port(port)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    for name, value in environment(port).items():
        os.environ.setdefault(name, value)
    try:
        django.setup()
        call_command("migrate", verbosity=0)
        make_demo_pool()
        password = make_operator()
    except (ImproperlyConfigured, CommandError) as error:
        sys.exit(f"Unionpass can't start. {error}")
    print(greeting(settings.PUBLIC_URL, password), flush=True)  # noqa: T201
    become_server(workers=1)


def environment(port: str) -> dict[str, str]:
    """Return the settings, with secrets that are generated once and then kept."""
    return {
        "DEBUG": "on",
        "WECHAT_SANDBOX": "on",
        "BIND": f"127.0.0.1:{port}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{RUN_DIR / 'unionpass.sqlite3'}",
        "EMAIL_URL": "consolemail://",  # printed in the terminal
        **kept_secrets(),
    }


def kept_secrets() -> dict[str, str]:
    """Return the stored secrets; the first run generates them, readable only by this user."""
    RUN_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not SECRETS.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "DEMO_WEB_SECRET": secrets.token_urlsafe(32),
            "DEMO_MACHINE_SECRET": secrets.token_urlsafe(32),
        }
        _keep(SECRETS, json.dumps(made, indent=2))
    kept: dict[str, str] = json.loads(SECRETS.read_text())
    return kept


def make_demo_pool() -> None:
    """Apply the demo once; later changes by an operator are kept."""
    pools = apps.get_model("userpools", "UserPool")._default_manager
    if not pools.filter(identifier=DEMO_POOL).exists():
        with io.StringIO() as unsaid:
            call_command("apply", str(DEMO), stdout=unsaid)


def make_operator() -> str:
    """Create the operator on the first run; return the text to print as the password.

    The password isn't in the environment, because the server doesn't need it.
    """
    operators = apps.get_model("userpools", "Operator")._default_manager
    operator = operators.filter(username=OPERATOR).first()
    if operator is None:
        password = secrets.token_urlsafe(12)
        OPERATOR_PASSWORD.unlink(missing_ok=True)
        _keep(OPERATOR_PASSWORD, password)
        operators.create_superuser(OPERATOR, password=password)
        return password
    kept = OPERATOR_PASSWORD.read_text() if OPERATOR_PASSWORD.exists() else ""
    return kept if operator.check_password(kept) else "(the one that you chose)"


def _keep(path: Path, text: str) -> None:
    """Write a file that only this user can read, from its creation on."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)


def refuse_taken_port(port: str) -> None:
    """Stop with a message if the port is in use."""
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        sys.exit(f"Unionpass can't start. PORT={port} is not a port number.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError:
            sys.exit(
                f"Unionpass can't start. Port {port} is taken. Try: make run PORT={int(port) + 1}"
            )


def greeting(url: str, password: str) -> str:
    """Return the text for the terminal: address, operator, and how to log in."""
    code = f"{url}/sandbox/wx.login?app_id={DEMO_APP_ID}&person=alice"
    return f"""
Unionpass runs at {url}  (Ctrl-C stops it; data stays in {RUN_DIR})

  Console         {url}/console/
  Operator        {OPERATOR}
  Password        {password}

  API reference   {url}/api/docs
  Discovery       {url}/oidc/{DEMO_POOL}/.well-known/openid-configuration

In the console, open the application "Demo mini program" and press "Experience login".
Or log Alice in from here, as her mini program would: the first part plays wx.login on her phone.

  CODE=$(curl -s -X POST '{code}' | cut -d'"' -f8); \\
  curl -s {url}/api/v1/login/wechat-mini-program -H 'Content-Type: application/json' \\
    -d '{{"client_id": "{DEMO_CLIENT_ID}", "code": "'$CODE'"}}'
"""


if __name__ == "__main__":
    main()
