"""How every error of a REST door is answered, and which bodies are read at all."""

import json
import logging
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.test import Client
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from config.kernel import logs
from config.kernel.errors import InvalidClient, LoginRefused, TooManyRequests


class Raising(APIView):
    """A door that fails in the way that a test gives it."""

    error: Exception = Exception()

    def get(self, request):
        raise self.error


class Echo(APIView):
    """A door that answers what it was sent."""

    def post(self, request):
        return Response(request.data)


@pytest.fixture(autouse=True)
def _request_id():
    token = logs.request_id.set("request-1")
    yield
    logs.request_id.reset(token)


def answer_to(error: Exception, **headers: str) -> Response:
    response = Raising.as_view(error=error)(APIRequestFactory().get("/", **headers))
    return response.render()


def echo(body: bytes, content_type: str = "application/json") -> Response:
    request = APIRequestFactory().generic("POST", "/", body, content_type=content_type)
    return Echo.as_view()(request).render()


def body_of(response: Response) -> dict[str, Any]:
    return json.loads(response.content)


def error(code: str, description: str, **more: Any) -> dict[str, Any]:
    return {
        "error": code,
        "error_description": description,
        "request_id": "request-1",
        **more,
    }


@pytest.mark.parametrize(
    "failure",
    [
        OperationalError("could not connect to server: 10.0.0.5"),
        InterfaceError("connection already closed"),
        redis.exceptions.ConnectionError("Error 111 connecting to cache:6379"),
        redis.exceptions.TimeoutError("Timeout reading from cache:6379"),
    ],
)
def test_an_absent_database_or_cache_says_when_to_come_back(failure):
    response = answer_to(failure)

    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response["Cache-Control"] == "no-store"
    assert body_of(response) == error(
        "service_unavailable", "The service is briefly unavailable. Try again."
    )


def test_an_unexpected_error_tells_nothing_and_is_logged_once(caplog):
    response = answer_to(RuntimeError("the password is hunter2"))

    assert response.status_code == 500
    assert response["Cache-Control"] == "no-store"
    assert body_of(response) == error("server_error", "Something went wrong on our side.")
    [record] = caplog.records
    assert (record.name, record.levelno) == ("config.wiring.api", logging.ERROR)
    assert isinstance(record.exc_info[1], RuntimeError)


def test_an_absent_database_is_logged(caplog):
    answer_to(OperationalError("could not connect"))

    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(
    ("failure", "status", "description"),
    [
        (Http404(), 404, "There is nothing at this address."),
        (exceptions.NotFound(), 404, "There is nothing at this address."),
        (PermissionDenied(), 403, "This is not allowed."),
        (RequestDataTooBig(), 413, "The body is too large."),
        (TooManyFieldsSent(), 400, "The request is malformed."),
        (SuspiciousOperation(), 400, "The request is malformed."),
        (exceptions.NotAcceptable(), 406, "The request can't be understood."),
        (exceptions.ParseError("quoted: hunter2"), 400, "The request can't be understood."),
    ],
)
def test_what_a_framework_refuses_is_answered_in_our_words(caplog, failure, status, description):
    response = answer_to(failure)

    assert response.status_code == status
    assert body_of(response) == error("invalid_request", description)
    assert caplog.records == []


def test_a_client_that_tried_basic_is_challenged():
    response = answer_to(InvalidClient(), HTTP_AUTHORIZATION="basic YTpi")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Basic realm="unionpass"'


@pytest.mark.parametrize("headers", [{}, {"HTTP_AUTHORIZATION": "Bearer abc"}])
def test_no_browser_is_made_to_ask_for_a_password(headers):
    response = answer_to(InvalidClient(), **headers)

    assert response.status_code == 401
    assert "WWW-Authenticate" not in response


def test_a_limit_says_when_it_ends():
    response = answer_to(TooManyRequests(retry_after=17))

    assert (response.status_code, response["Retry-After"]) == (429, "17")


def test_wechats_own_words_are_passed_on():
    refusal = LoginRefused("No.", extra={"wechat_errcode": 40226, "wechat_rid": "abc"})
    refusal.code = "wechat_user_blocked"

    assert body_of(answer_to(refusal)) == error(
        "wechat_user_blocked", "No.", wechat_errcode=40226, wechat_rid="abc"
    )


def test_another_method_is_told_which_there_are():
    response = Raising.as_view()(APIRequestFactory().delete("/")).render()

    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, OPTIONS"
    assert body_of(response) == error(
        "invalid_request", "This address doesn't take this method. See the Allow header."
    )


def test_another_media_type_is_refused():
    response = echo(b"a=1", content_type="application/x-www-form-urlencoded")

    assert response.status_code == 415
    assert body_of(response) == error(
        "invalid_request", "/api takes application/json, /oidc application/x-www-form-urlencoded."
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"a": 1,}',
        b'{"a": 1} {"b": 2}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": "\xff"}',
        '{"a": "é"}'.encode("latin-1"),
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": ' + b"9" * 5000 + b"}",
        b"a=1",
        b" ",
    ],
)
def test_a_body_that_is_not_json_is_refused(body):
    response = echo(body)

    assert response.status_code == 400
    assert body_of(response) == error(
        "invalid_request", "The body is not JSON in UTF-8, or names a field twice."
    )


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_a_body_that_is_no_object_is_refused(body):
    response = echo(body)

    assert response.status_code == 400
    assert body_of(response) == error("invalid_request", "The body must be a JSON object.")


def test_a_body_that_is_nested_too_deeply_is_refused():
    response = echo(b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}")

    assert response.status_code == 400
    assert body_of(response) == error("invalid_request", "The body is nested too deeply.")


def test_a_body_that_is_too_large_is_refused():
    limit = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    fits = b'{"a": "' + b"x" * (limit - 9) + b'"}'

    assert len(fits) == limit
    assert echo(fits).status_code == 200
    assert echo(fits + b" ").status_code == 413


def test_json_in_utf8_is_read():
    response = echo('{"姓名": "爱丽🌸", "list": [1, null]}'.encode())

    assert response.status_code == 200
    assert body_of(response) == {"姓名": "爱丽🌸", "list": [1, None]}


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/", "/oidc/acme", "/oidc/", "/api/v1/me/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_answered_in_json(path, method):
    # A program has no CSRF cookie to send.
    response = Client(enforce_csrf_checks=True).generic(method, path)

    assert response.status_code == 404
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {
        "error": "invalid_request",
        "error_description": "There is nothing at this address.",
        "request_id": response["X-Request-ID"],
    }
