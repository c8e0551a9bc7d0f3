"""What happens to a request before a view sees it: its name, its caller, its body."""

import ipaddress
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config.kernel import logs
from config.wiring.middleware import (
    BodyLengthMiddleware,
    RequestIdMiddleware,
    TrustedProxyMiddleware,
)

PROXY = "10.0.0.7"
CALLER = "203.0.113.9"
FORWARDING = ("FOR", "PROTO", "HOST", "PORT")


def seen_by_view(middleware: type, **meta: str) -> tuple[HttpRequest | None, HttpResponse]:
    """Return the request as the view saw it (None if it never did) and the answer."""
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse(logs.request_id.get())

    response = middleware(view)(RequestFactory().get("/", **meta))
    return seen[0] if seen else None, response


@pytest.fixture
def behind_proxies(settings):
    settings.TRUSTED_PROXIES = [
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("2001:db8::/32"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        "short",
        "x" * 65,
        "has blanks inside",
        "line\nbreak-line",
        'quote"quote',
        "编号编号编号编号",
        "",
    ],
)
def test_an_id_that_could_harm_a_log_line_is_replaced(given):
    _, response = seen_by_view(RequestIdMiddleware, HTTP_X_REQUEST_ID=given)

    assert re.fullmatch(r"[0-9a-f]{24}", response["X-Request-ID"])
    assert response.content.decode() == response["X-Request-ID"]


@pytest.mark.parametrize("given", ["12345678", "x" * 64, "req-1_2.3-ABC"])
def test_a_proxys_id_is_kept(given):
    _, response = seen_by_view(RequestIdMiddleware, HTTP_X_REQUEST_ID=given)

    assert response["X-Request-ID"] == given
    assert response.content.decode() == given


def test_requests_without_an_id_get_different_ones():
    names = {seen_by_view(RequestIdMiddleware)[1]["X-Request-ID"] for _ in range(20)}

    assert len(names) == 20


@pytest.mark.parametrize("peer", [CALLER, "192.168.0.1", "", "not an address", "11.0.0.1"])
def test_a_stranger_cant_forward(behind_proxies, peer):
    request, _ = seen_by_view(
        TrustedProxyMiddleware,
        REMOTE_ADDR=peer,
        **{f"HTTP_X_FORWARDED_{name}": "1.2.3.4" for name in FORWARDING},
    )

    assert request.META["REMOTE_ADDR"] == peer
    assert not [name for name in request.META if name.startswith("HTTP_X_FORWARDED_")]


def test_without_trusted_proxies_nobody_can_forward(settings):
    assert settings.TRUSTED_PROXIES == []

    request, _ = seen_by_view(
        TrustedProxyMiddleware,
        REMOTE_ADDR="127.0.0.1",
        HTTP_X_FORWARDED_FOR=CALLER,
        HTTP_X_FORWARDED_PROTO="https",
    )

    assert request.META["REMOTE_ADDR"] == "127.0.0.1"
    assert "HTTP_X_FORWARDED_PROTO" not in request.META


@pytest.mark.parametrize(
    ("forwarded_for", "expected"),
    [
        (CALLER, CALLER),
        (f"1.2.3.4, {CALLER}", CALLER),
        (f"1.2.3.4, {CALLER}, 10.0.0.3", CALLER),
        (f" {CALLER} ,10.0.0.3 , 10.0.0.4", CALLER),
        ("2001:db9::5, 2001:db8::1", "2001:db9::5"),
        ("10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("", PROXY),
        ("unknown", PROXY),
        (f"{CALLER}, unknown", PROXY),
        (f"{CALLER}, junk, 10.0.0.3", "10.0.0.3"),
        (f"{CALLER}:4711", CALLER),
        ("[2001:db9::5]:4711", "2001:db9::5"),
        ("[2001:db9::5]", "2001:db9::5"),
        (",", PROXY),
    ],
)
def test_the_caller_is_the_rightmost_that_no_trusted_proxy_is(
    behind_proxies, forwarded_for, expected
):
    request, _ = seen_by_view(
        TrustedProxyMiddleware, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=forwarded_for
    )

    assert request.META["REMOTE_ADDR"] == expected


def test_a_proxy_that_forwards_nothing_is_the_caller(behind_proxies):
    request, _ = seen_by_view(TrustedProxyMiddleware, REMOTE_ADDR=PROXY)

    assert request.META["REMOTE_ADDR"] == PROXY


def test_a_trusted_proxy_says_which_protocol_was_used(behind_proxies, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    trusted, _ = seen_by_view(
        TrustedProxyMiddleware, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_PROTO="https"
    )
    stranger, _ = seen_by_view(
        TrustedProxyMiddleware, REMOTE_ADDR=CALLER, HTTP_X_FORWARDED_PROTO="https"
    )

    assert trusted.is_secure()
    assert not stranger.is_secure()


@pytest.mark.parametrize("length", ["", None])
def test_a_body_in_chunks_is_refused(length):
    meta = {"HTTP_TRANSFER_ENCODING": "chunked"} | (
        {} if length is None else {"CONTENT_LENGTH": ""}
    )

    request, response = seen_by_view(BodyLengthMiddleware, **meta)

    assert request is None
    assert response.status_code == 411


def test_a_body_in_chunks_is_refused_as_every_other_error(client):
    response = client.post("/api/v1/me", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")

    assert response.status_code == 411
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {
        "error": "invalid_request",
        "error_description": "Send the body with Content-Length, not in chunks.",
        "request_id": response["X-Request-ID"],
    }


@pytest.mark.parametrize("length", ["65537", "157286400", "9" * 40])
def test_a_body_that_is_announced_as_too_large_is_refused_unread(length):
    request, response = seen_by_view(BodyLengthMiddleware, CONTENT_LENGTH=length)

    assert request is None
    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/", "/i18n/setlang/", "/experience/x", "/console/login/"])
def test_a_large_file_is_refused_at_every_page(client, db, path):
    response = client.post(path, {"file": SimpleUploadedFile("f", b"x" * 70_000)})

    assert response.status_code == 413


@pytest.mark.parametrize("meta", [{}, {"CONTENT_LENGTH": "5"}, {"CONTENT_LENGTH": "65536"}])
def test_a_body_of_announced_length_passes(meta):
    request, response = seen_by_view(BodyLengthMiddleware, **meta)

    assert request is not None
    assert response.status_code == 200


def test_a_proxy_is_trusted_also_where_its_address_is_written_as_ipv6(settings):
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]

    request, _ = seen_by_view(
        TrustedProxyMiddleware, REMOTE_ADDR="::ffff:10.0.0.7", HTTP_X_FORWARDED_FOR=CALLER
    )

    assert request.META["REMOTE_ADDR"] == CALLER


def test_another_host_is_refused_in_json_and_without_a_traceback(client, caplog):
    response = client.get("/api/v1/me", headers={"host": "evil.example"})

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert response["Cache-Control"] == "no-store"
    assert [record.levelname for record in caplog.records if "ALLOWED_HOSTS" in record.message] == [
        "WARNING"
    ]
    assert "Traceback" not in caplog.text
