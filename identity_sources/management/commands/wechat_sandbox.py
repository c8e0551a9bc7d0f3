"""Serve the WeChat sandbox by itself, for load tests and for clients in other languages."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from identity_sources.sandbox.emulator import Sandbox
from identity_sources.sandbox.server import SandboxServer
from identity_sources.sandbox.store import MemoryStore
from identity_sources.sandbox.world import sandbox_app_secret
from identity_sources.sandbox.wsgi import SandboxApplication

EXAMPLE_APP_ID = "wxsandbox000000001"


class Command(BaseCommand):
    """Runs until interrupted; its state is separate and is lost afterwards."""

    help = "Serve an emulated WeChat on loopback (see identity_sources/sandbox)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="loopback address (127.0.0.1)")
        parser.add_argument("--port", type=int, default=9099, help="TCP port (9099)")

    def handle(self, *_args: Any, **options: Any) -> None:
        application = SandboxApplication(Sandbox(MemoryStore()))
        try:
            server = SandboxServer(options["host"], options["port"], application)
        except (ValueError, OverflowError, OSError) as error:
            raise CommandError(str(error)) from error
        host = f"[{options['host']}]" if ":" in options["host"] else options["host"]
        self.stdout.write(
            f"The WeChat sandbox answers on http://{host}:{server.server_port}\n"
            f"The AppSecret of {EXAMPLE_APP_ID} is {sandbox_app_secret(EXAMPLE_APP_ID)}."
        )
        self.stdout.flush()
        with server:
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                self.stdout.write("")
