"""The probes tell whether the process is alive, and whether it can work."""

import pytest
from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings

from config.kernel.database import unapplied_migrations


def database_cache(table: str) -> override_settings:
    """Return a context in which the shared cache is a table, as it is without ``CACHE_URL``."""
    backend = "django.core.cache.backends.db.DatabaseCache"
    return override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": table}})


@pytest.mark.django_db(transaction=True)
def test_without_its_cache_the_server_is_not_ready(client):
    with database_cache("no_such_table"):
        response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {
        "status": "not ready",
        "checks": {"database": True, "cache": False, "migrations": True},
    }


def test_without_its_migrations_the_server_is_not_ready(db, client):
    MigrationRecorder.Migration.objects.filter(app="accounts").delete()

    response = client.get("/readyz")

    assert unapplied_migrations()
    assert response.status_code == 503
    assert response.json() == {
        "status": "not ready",
        "checks": {"database": True, "cache": True, "migrations": False},
    }


def test_without_its_database_the_server_is_alive_and_not_ready(client, django_db_blocker):
    # Nothing may ask the database here, which looks to the probe as if it were away.
    with django_db_blocker.block():
        assert client.get("/healthz").status_code == 200
        response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {
        "status": "not ready",
        "checks": {"database": False, "cache": True, "migrations": False},
    }


def test_a_failed_check_says_why_in_the_log_only(client, django_db_blocker, caplog):
    with django_db_blocker.block():
        response = client.get("/readyz")

    assert [r.message for r in caplog.records if r.name == "config.wiring.middleware"] == [
        "A readiness check failed.",
        "A readiness check failed.",
    ]
    assert b"rror" not in response.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_may_ask_by_address(db, client, path):
    assert client.get(path, headers={"host": "10.0.0.5"}).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_takes_no_post(client, path):
    assert client.post(path).status_code == 405


def test_a_process_that_answers_is_alive(client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "alive"}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_with_everything_in_order_the_server_is_ready(client):
    with database_cache(settings.CACHE_TABLE):
        response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": {"database": True, "cache": True, "migrations": True},
    }
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_is_not_sent_to_the_https_address(db, client, settings, path):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get(path).status_code == 200
    assert client.get("/api/v1/me").status_code == 301
