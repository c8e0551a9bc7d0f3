"""The settings as a whole: what stops the start, and what follows from ``PUBLIC_URL``."""

import base64
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
SECRETS = {"SECRET_KEY": "s" * 50, "ENCRYPTION_KEYS": KEY}

Load = Callable[..., dict[str, Any]]


@pytest.fixture
def load() -> Load:
    """Read the settings from an environment that holds the two secrets and what a test adds."""

    def run(**variables: str) -> dict[str, Any]:
        with mock.patch.dict(os.environ, {**SECRETS, **variables}, clear=True):
            return runpy.run_path(str(ROOT / "config" / "settings.py"))

    return run


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set. Set SECRET_KEY (or SECRET_KEY_FILE)"),
        ({"ENCRYPTION_KEYS": ""}, "ENCRYPTION_KEYS is not set. Set ENCRYPTION_KEYS (or"),
        ({"SECRET_KEY_FILE": "/no/such/file"}, "SECRET_KEY_FILE must be the path of a text file"),
        ({"ENCRYPTION_KEYS": f"{KEY},s3cret"}, "Entry 2 of ENCRYPTION_KEYS is not the URL-safe"),
        ({"PUBLIC_URL": "http://login.example.com"}, "PUBLIC_URL must begin with https://"),
        ({"WECHAT_API_URL": "http://wechat.example"}, "WECHAT_API_URL must begin with https://"),
        ({"WECHAT_OPEN_URL": "http://wechat.example"}, "WECHAT_OPEN_URL must begin with https://"),
        (
            {"WECHAT_SANDBOX": "on", "PUBLIC_URL": "https://login.example.com"},
            "WECHAT_SANDBOX lets anybody log in as a made-up person",
        ),
        (
            {
                "WECHAT_SANDBOX": "on",
                "PUBLIC_URL": "http://127.0.0.1:8000",
                "BIND": "0.0.0.0:8000",
            },
            "WECHAT_SANDBOX lets anybody log in as a made-up person",
        ),
        ({"DATABASE_URL": "mysql://u:s3cret@db/name"}, "DATABASE_URL must name PostgreSQL"),
        ({"CACHE_URL": "memcached://:s3cret@cache"}, "CACHE_URL must be redis://host:6379/0"),
        ({"DEBUG": "perhaps"}, "DEBUG is neither on nor off. Set it to on or off."),
        ({"TRUSTED_PROXIES": "proxy"}, "TRUSTED_PROXIES is a comma-separated list of networks"),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_sentence(variables, sentence):
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**SECRETS, **variables},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"Unionpass can't start. {sentence}")
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr


def test_the_two_secrets_suffice_to_start():
    done = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", "check"],
        cwd=ROOT,
        env=SECRETS,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "variables",
    [
        {"PUBLIC_URL": "https://login.example.com", "BIND": "127.0.0.1:8000"},
        {"PUBLIC_URL": "https://0.0.0.0"},
        {"PUBLIC_URL": "http://127.0.0.1:8000", "BIND": "[::]:8000"},
        {"PUBLIC_URL": "http://localhost:8000", "BIND": "192.168.1.10:8000"},
        {"PUBLIC_URL": "https://localhost.example.com"},
    ],
)
def test_the_sandbox_refuses_to_be_reachable(load, variables):
    with pytest.raises(ImproperlyConfigured, match=r"^WECHAT_SANDBOX lets anybody"):
        load(WECHAT_SANDBOX="on", **variables)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"PUBLIC_URL": "http://localhost:8000", "BIND": "[::1]:8000"},
        {"PUBLIC_URL": "https://localhost:8443", "BIND": "localhost:8000"},
    ],
)
def test_the_sandbox_works_on_this_machine(load, variables):
    assert load(WECHAT_SANDBOX="on", **variables)["WECHAT_SANDBOX"] is True


@pytest.mark.parametrize(
    "name", ["WECHAT_TIMEOUT_SECONDS", "WEB_CONCURRENCY", "BIND", "THROTTLE_LOGIN_PER_ADDRESS"]
)
def test_a_malformed_value_names_its_variable(load, name):
    with pytest.raises(ImproperlyConfigured, match=f"^{name} must be "):
        load(**{name: "none"})


@pytest.mark.parametrize("key", ["c2hvcnQ=", "not base64!", "ключ", KEY[:-2], f"{KEY}A"])
def test_an_encryption_key_that_is_not_32_bytes_is_refused_and_not_quoted(load, key):
    with pytest.raises(ImproperlyConfigured, match=r"^Entry 1 of ENCRYPTION_KEYS") as refusal:
        load(ENCRYPTION_KEYS=key)

    assert key not in str(refusal.value)


def test_without_variables_everything_is_off_and_local(load):
    settings = load()

    wanted = {
        "DEBUG": False,
        "BIND": "127.0.0.1:8000",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "127.0.0.1", "[::1]"],
        "TRUSTED_PROXIES": [],
        "WECHAT_API_URL": "https://api.weixin.qq.com",
        "WECHAT_OPEN_URL": "https://open.weixin.qq.com",
        "WECHAT_TIMEOUT_SECONDS": 5,
        "WECHAT_PROXY_URL": "",
        "WECHAT_SANDBOX": False,
        "THROTTLE_LOGIN_PER_ADDRESS": "60/min",
        "THROTTLE_LOGIN_PER_APPLICATION": "600/min",
        "CACHE_URL": "",
        "SECURE_SSL_REDIRECT": False,
        "SECURE_HSTS_SECONDS": 0,
        "SESSION_COOKIE_SECURE": False,
        "CSRF_COOKIE_SECURE": False,
        "SECURE_PROXY_SSL_HEADER": None,
    }
    assert {name: settings[name] for name in wanted} == wanted


def test_an_https_address_switches_cookies_hsts_and_the_redirect_on(load):
    settings = load(PUBLIC_URL="https://login.example.com/", TRUSTED_PROXIES="10.0.0.0/8")

    wanted = {
        "PUBLIC_URL": "https://login.example.com",
        "ALLOWED_HOSTS": ["login.example.com"],
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
    }
    assert {name: settings[name] for name in wanted} == wanted


def test_without_a_trusted_proxy_nothing_is_redirected_to_itself(load):
    settings = load(PUBLIC_URL="https://login.example.com/")

    assert settings["SECURE_SSL_REDIRECT"] is False
    assert settings["SECURE_PROXY_SSL_HEADER"] is None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://login.localhost:8000", "login.localhost"),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]"),
    ],
)
def test_the_public_host_may_always_be_called(load, url, host):
    assert host in load(PUBLIC_URL=url)["ALLOWED_HOSTS"]


def test_a_forwarded_protocol_counts_only_behind_a_proxy(load):
    settings = load(TRUSTED_PROXIES="10.0.0.0/8")

    assert settings["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


def test_a_redis_is_used_where_one_is_given(load):
    caches = load(CACHE_URL="rediss://cache:6379/0")["CACHES"]

    redis = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "rediss://cache:6379/0",
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    }
    assert caches == {"default": redis, "sandbox": {**redis, "KEY_PREFIX": "sandbox"}}


def test_no_transaction_is_opened_for_a_request(load):
    assert not load()["DATABASES"]["default"].get("ATOMIC_REQUESTS")
