"""System checks: what stops `make serve`, and what it only warns of."""

import pytest
from django.core.checks import Tags, run_checks

SHORT = "x" * 31


def found(*, deploy: bool, **kwargs: object) -> set[str]:
    checks = run_checks(include_deployment_checks=deploy, **kwargs)
    return {message.id for message in checks if str(message.id).startswith("unionpass.")}


def test_a_short_secret_key_is_an_error(settings):
    settings.SECRET_KEY = SHORT

    [message] = [one for one in run_checks() if one.id == "unionpass.E002"]

    assert message.is_serious()
    assert message.msg == "SECRET_KEY has fewer than 32 characters."
    assert SHORT not in str(message)


def test_a_secret_key_of_32_characters_suffices(settings):
    settings.SECRET_KEY = "x" * 32

    assert "unionpass.E002" not in found(deploy=False)


def test_debug_is_an_error_in_production_only(settings):
    settings.DEBUG = True

    assert "unionpass.E001" in found(deploy=True)
    assert "unionpass.E001" not in found(deploy=False)


def test_debug_off_is_fine(settings):
    settings.DEBUG = False

    assert "unionpass.E001" not in found(deploy=True)


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("django.db.backends.sqlite3", {"unionpass.W001"}),
        ("config.kernel.postgresql", set()),
    ],
)
def test_sqlite_in_production_is_worth_a_warning(settings, monkeypatch, engine, expected):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", engine)

    assert found(deploy=True, tags=[Tags.database]) == expected
    assert found(deploy=False, tags=[Tags.database]) == set()


@pytest.mark.parametrize(
    ("public_url", "proxies", "expected"),
    [
        ("https://login.example.com", [], True),
        ("https://login.example.com", ["10.0.0.0/8"], False),
        ("http://127.0.0.1:8000", [], False),
    ],
)
def test_https_without_a_trusted_proxy_is_worth_a_warning(settings, public_url, proxies, expected):
    settings.PUBLIC_URL, settings.TRUSTED_PROXIES = public_url, proxies

    assert ("unionpass.W002" in found(deploy=True)) is expected
