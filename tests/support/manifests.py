"""A manifest of Acme, and the commands that apply and export manifests."""

from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from identity_sources.sandbox.world import sandbox_app_secret

MINI_APP_ID = "wxsandbox000000001"
SITE_APP_ID = "wxsandbox000000002"
ACME = """\
user_pools:
  - identifier: acme
    name: Acme
    identity_sources:
      - identifier: acme-mini
        type: wechat_mini_program
        display_name: Acme mini program
        app_id: wxsandbox000000001
        app_secret: {env: MINI_SECRET}
        mode: sandbox
      - identifier: acme-site
        type: wechat_website
        display_name: Acme site
        app_id: wxsandbox000000002
        app_secret: {env: SITE_SECRET}
        mode: sandbox
    applications:
      - client_id: acme-shop
        name: Acme shop
        type: mini_program
        login_methods: [acme-mini]
      - client_id: acme-web
        name: Acme web
        type: web
        client_secret: {env: WEB_SECRET}
        redirect_uris: ["https://shop.example.com/callback"]
        login_methods: [acme-site, acme-mini]
"""
SECRETS = {
    "MINI_SECRET": sandbox_app_secret(MINI_APP_ID),
    "SITE_SECRET": sandbox_app_secret(SITE_APP_ID),
    "WEB_SECRET": "first-made-up-secret-of-the-web-application",
}


@dataclass
class Operator:
    """An operator at the command line, and the output."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    text: str = ACME
    secrets: dict[str, str] = field(default_factory=lambda: dict(SECRETS))
    heard: list[str] = field(default_factory=list)

    def apply(self, text: str = ACME, *flags: str) -> str:
        file = self.folder / "acme.yaml"
        file.write_text(text, encoding="utf-8")
        out = StringIO()
        try:
            call_command("apply", str(file), *flags, stdout=out)
        finally:
            self.heard.append(out.getvalue())
        return out.getvalue()

    def is_refused(self, text: str = ACME, *flags: str) -> list[str]:
        """Return the problems, each beginning with its line."""
        with pytest.raises(CommandError) as refusal:
            self.apply(text, *flags)
        self.heard.append(str(refusal.value))
        head, *problems = str(refusal.value).splitlines()
        file = str(self.folder / "acme.yaml")
        assert head == f"{file} is refused; nothing was applied."
        assert all(problem.startswith(f"{file}:") for problem in problems)
        return [problem.removeprefix(f"{file}:") for problem in problems]

    def export(self, *pools: str) -> str:
        out = StringIO()
        call_command("export", *pools, stdout=out)
        self.heard.append(out.getvalue())
        return out.getvalue()

    def set(self, **environment: str) -> None:
        for name, value in environment.items():
            self.monkeypatch.setenv(name, value)
