"""Is the process alive, and can it work? For load balancers and orchestrators."""

import logging
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)

UNAPPLIED_MIGRATIONS = (
    "The database has unapplied migrations. Run: .venv/bin/python manage.py migrate"
)

_PROBE = "readyz"
_PROBE_SECONDS = 10


class ProbeMiddleware:
    """Answers ``/healthz`` and ``/readyz`` before anything else.

    Orchestrators ask by address, so ``ALLOWED_HOSTS`` and the redirect to https don't apply.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._probes = {"/healthz": self._healthz, "/readyz": self._readyz}
        self._migrated = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = self._probes.get(request.path_info)
        return probe(request) if probe else self.get_response(request)

    @method_decorator([never_cache, require_safe])
    def _healthz(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 while the process can answer at all."""
        return JsonResponse({"status": "alive"})

    @method_decorator([never_cache, require_safe])
    def _readyz(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 when all is in order, else 503 and which is not."""
        checks = {
            "database": _works(_ask_database),
            "cache": _works(_ask_cache),
            "migrations": _works(self._ask_migrations),
        }
        ready = all(checks.values())
        return JsonResponse(
            {"status": "ready" if ready else "not ready", "checks": checks},
            status=200 if ready else 503,
        )

    def _ask_migrations(self) -> bool:
        # What is applied stays applied while the process lives, and looking is slow.
        self._migrated = self._migrated or not unapplied_migrations()
        return self._migrated


def unapplied_migrations() -> bool:
    """Tell whether ``manage.py migrate`` has work to do."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _works(ask: Callable[[], bool]) -> bool:
    # A probe reports every failure, of whatever kind; nothing else catches this broadly.
    try:
        return ask()
    except Exception:
        logger.exception("A readiness check failed.")
        return False


def _ask_database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _ask_cache() -> bool:
    cache.set(_PROBE, 1, _PROBE_SECONDS)
    return bool(cache.get(_PROBE) == 1)
