"""Requests of programs and of people's browsers pass different middleware."""

import re

import pytest
from django.conf import settings
from django.urls import URLPattern, get_resolver
from django.utils import translation
from rest_framework.views import APIView

PAGES = {
    "api/schema",
    "api/docs",
    "oidc/<slug:pool>/authorize",
    "oidc/<slug:pool>/logout",
}
SAMPLES = {
    "<slug:pool>": "acme",
    "<slug:source>": "acme-mini",
    "<uuid:identity_id>": "0190a0b0-0000-7000-8000-000000000000",
}


def is_programs(path):
    return bool(re.match(settings.PROGRAMS_REGEX, path))


def patterns(resolver=None, prefix=""):
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path, entry.callback
        else:
            yield from patterns(entry, path)


def sample(path):
    for name, value in SAMPLES.items():
        path = path.replace(name, value)
    return f"/{path}"


@pytest.mark.once
def test_each_endpoint_is_for_programs_and_each_page_for_people():
    endpoints = {
        path
        for path, view in patterns()
        if issubclass(getattr(view, "cls", object), APIView) and path not in PAGES
    }
    pages = {path for path, _ in patterns() if not path.startswith("^")} - endpoints

    assert len(endpoints) > 15
    assert {path for path in endpoints if not is_programs(sample(path))} == set()
    assert {path for path in pages if is_programs(sample(path))} == set()


@pytest.mark.once
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/apis/v1/me",
        "/console/api/v1/",
        "/login/acme/api/v1/me",
        "/oidc/acme/authorize",
        "/oidc/acme/logout",
        "/x/oidc/acme/token",
    ],
)
def test_what_only_looks_like_an_endpoint_is_a_page(path):
    assert not is_programs(path)


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/nothing", "/oidc/acme/jwks.json"])
def test_an_answer_may_not_be_shown_as_a_page(acme, client, path):
    headers = client.get(path).headers

    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert int(headers["Content-Length"]) > 0


def test_a_program_gets_no_cookie_and_no_language(acme, client):
    response = client.get("/api/v1/me", headers={"Accept-Language": "zh-hans"})

    assert not response.cookies
    assert "Content-Language" not in response.headers
    assert "Cookie" not in response.headers.get("Vary", "")


def test_the_language_of_the_page_before_has_no_effect(acme, client):
    client.get("/", headers={"Accept-Language": "zh-hans"})
    assert translation.get_language() == "zh-hans"

    client.get("/api/v1/me")

    assert translation.get_language() == "en"


def test_a_session_has_no_effect_on_an_endpoint(acme, admin_client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert admin_client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("path", ["/wechat/", "/oidc/acme/nothing", "/.well-known/nothing"])
def test_an_unknown_address_is_not_found(acme, client, path):
    response = client.get(path)

    assert (response.status_code, response.json()["error"]) == (404, "invalid_request")
    assert response.headers["X-Frame-Options"] == "DENY"


def test_an_exception_of_a_view_is_answered_with_the_headers_as_well(acme, client, monkeypatch):
    def fail(*_arguments, **_named):
        raise RuntimeError("a fault")

    monkeypatch.setattr("config.wiring.middleware.resolve", fail)
    client.raise_request_exception = False

    response = client.get("/api/v1/me")

    assert response.status_code == 500
    assert response.headers["X-Frame-Options"] == "DENY"


def test_a_body_that_is_refused_for_its_length_may_not_be_shown_as_a_page(acme, client):
    response = client.post("/", b"x" * 70_000, content_type="text/plain")

    assert response.status_code == 413
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


def test_an_authorization_request_is_a_page(acme, client):
    response = client.get("/oidc/acme/authorize")

    assert "script-src" in response.headers["Content-Security-Policy"]
    assert response.headers["Content-Language"] == "en"
