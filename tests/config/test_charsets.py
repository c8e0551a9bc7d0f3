"""Whatever charset a request's Content-Type names, its text is UTF-8 (RFC 6749, appendix B)."""

import io
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core.signals import request_started
from django.db import close_old_connections
from django.test.client import BOUNDARY, encode_multipart

from config.wsgi import application
from tests.support.tenants import Tenant
from tests.support.website import Site, authorization_request, make_site

FORGERY_TOKEN = "x" * 32
# Python knows most of these, but some as no encoding of text, and can't replace what others miss.
CHARSETS = pytest.mark.parametrize(
    "charset",
    [
        *("charset=hex", "charset=base64", "charset=rot13", "charset=zlib_codec"),
        *("charset=idna", "charset=punycode", "charset=undefined", "charset=unheard-of"),
        *("charset=gbk", "charset=utf-16", 'charset="utf-8"', "CHARSET=hex", "charset=\xff"),
        *("charset*=hex''%41", "charset*=unheard-of''%41", "x*=unheard-of''%41", "charset"),
    ],
)


@pytest.fixture
def site(acme: Tenant) -> Iterator[Site]:
    """Acme's login pages, whose requests leave this test's connection open."""
    request_started.disconnect(close_old_connections)
    yield make_site(acme.pool)
    request_started.connect(close_old_connections)


def answer(
    path: str, query: dict[str, str], content_type: str, body: bytes | None = None
) -> tuple[str, dict[str, str], str]:
    """Send a request as a server does, a POST if it has a body; return status, headers and page."""
    began = []
    environ = {
        "REQUEST_METHOD": "GET" if body is None else "POST",
        "PATH_INFO": path,
        "QUERY_STRING": urlencode(query),
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body or b"")),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_COOKIE": f"csrftoken={FORGERY_TOKEN}",
        "HTTP_X_CSRFTOKEN": FORGERY_TOKEN,
        "wsgi.input": io.BytesIO(body or b""),
        "wsgi.url_scheme": "http",
    }
    page = b"".join(application(environ, lambda *told: began.extend(told))).decode()
    return began[0], dict(began[1]), page


@CHARSETS
def test_a_query_is_read_as_utf8(site, charset):
    fields = authorization_request(state="状态", prompt="none")

    _status, headers, _page = answer("/oidc/acme/authorize", fields, f"text/plain; {charset}")

    assert parse_qs(urlsplit(headers["Location"]).query)["state"] == ["状态"]


@CHARSETS
@pytest.mark.parametrize(
    ("path", "status"),
    [("/login/acme/callback/acme-site", "400 Bad Request"), ("/console/login/", "200 OK")],
)
def test_a_page_opens(site, path, status, charset):
    query = {"code": "码", "state": "x", "next": "/console/码"}

    assert answer(path, query, f"text/plain; {charset}")[0] == status


@CHARSETS
@pytest.mark.parametrize("path", ["/login/acme/device", "/console/login/"])
@pytest.mark.parametrize("is_multipart", [True, False])
def test_a_form_is_read_as_utf8(site, path, is_multipart, charset):
    fields = {"user_code": "编号", "username": "编号", "password": "x"}
    if is_multipart:
        body, content_type = encode_multipart(BOUNDARY, fields), "multipart/form-data"
        charset = f"{charset}; boundary={BOUNDARY}"
    else:
        body, content_type = urlencode(fields).encode(), "application/x-www-form-urlencoded"

    _status, _headers, page = answer(path, {}, f"{content_type}; {charset}", body)

    assert 'value="编号"' in page


@pytest.mark.parametrize("boundary", ['boundary="a b"', "Boundary='()+_,-./:=?", "boundary=a;x=y"])
def test_a_boundary_may_be_any(site, boundary):
    parts = boundary.partition("=")[2].partition(";")[0].strip('"')
    body = encode_multipart(parts, {"user_code": "编号"})

    page = answer("/login/acme/device", {}, f"multipart/form-data; {boundary}", body)[2]

    assert 'value="编号"' in page


@pytest.mark.parametrize("boundary", ["boundary=", "boundary=\xe9", "boundary*=hex''%41", "x=y"])
def test_a_form_whose_parts_cant_be_told_apart_is_refused(site, boundary):
    body = encode_multipart("a", {"user_code": "x"})

    status = answer("/login/acme/device", {}, f"multipart/form-data; {boundary}", body)[0]

    assert status == "400 Bad Request"
