"""Bad input at the doors of binding: 4xx in the format of errors, and nothing written."""

import json

import pytest
from django.test.client import MULTIPART_CONTENT

from tests.support.records import count_rows

BIND = "/api/v1/login/bind"
EMAIL_CODE = "/api/v1/login/bind/email-code"
DOORS = (BIND, EMAIL_CODE)
GOOD = {
    BIND: {"client_id": "acme-shop", "binding_ticket": "t", "action": "create"},
    EMAIL_CODE: {"client_id": "acme-shop", "binding_ticket": "t", "email": "ann@example.com"},
}
PASSWORD = {"email": "ann@example.com", "password": "x"}
CODE = {"email": "ann@example.com", "email_code": "123456"}


@pytest.fixture
def assert_refused(acme, client, settings):
    settings.SENDS_EMAIL = True

    def check(url, body, status=400, *, content_type="application/json", method="post"):
        before = count_rows()
        response = getattr(client, method)(url, body, content_type=content_type)
        assert (response.status_code, response.json()["error"]) == (status, "invalid_request")
        assert count_rows() == before
        return response.json()["error_description"]

    return check


WRONG = [
    *[("client_id", value) for value in (5, "", None, ["acme-shop"], "x" * 65, "a\x00b")],
    *[("client_secret", value) for value in (5, [], "x" * 257)],
    *[("binding_ticket", value) for value in (5, "", None, {}, "x" * 513, "a\x00b", "\ud800")],
    ("openid", "o1"),
    ("unionid", "u1"),
    ("user", "somebody"),
    ("sub", "somebody"),
    ("scope", "openid"),
    ("bound_to", "x"),
]


@pytest.mark.parametrize("url", DOORS)
@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_field_that_is_wrong_or_not_known_is_refused_by_its_name(
    assert_refused, url, name, value
):
    description = assert_refused(url, json.dumps(GOOD[url] | {name: value}))

    assert description.startswith(f"{name}: ") or name == "client_id"


WRONG_BIND = (
    [{"action": value} for value in (None, "", "merge", "CREATE", "create ", 5, True, ["create"])]
    + [
        {"action": "bind", **proof}
        for proof in (
            {"email": "ann@example.com"},
            {"password": "x"},
            {"email_code": "123456"},
            {**PASSWORD, "email_code": "123456"},
            {**PASSWORD, "phone_code": "c"},
            {**CODE, "phone_code": "c"},
            {"email": "ann@example.com", "phone_code": "c"},
            {**PASSWORD, "password": 5},
            {**PASSWORD, "password": ""},
            {**PASSWORD, "password": "x" * 257},
            {**PASSWORD, "password": "a\x00b"},
            {**PASSWORD, "email": "no address"},
            {**PASSWORD, "email": "änn@example.com"},
            {**PASSWORD, "email": "ann@example.com\n"},
            {**PASSWORD, "email": "a" * 250 + "@example.com"},
            {**CODE, "email_code": "12345"},
            {**CODE, "email_code": "1234567"},
            {**CODE, "email_code": "١٢٣٤٥٦"},
            {**CODE, "email_code": 123456},
            {"phone_code": "not a code"},
            {"phone_number": "+8613800138001"},
            {"nickname": "Ann"},
        )
    ]
    + [
        {"action": "create", **proof}
        for proof in (PASSWORD, CODE, {"phone_code": "c"}, {"email": "a@b.de"})
    ]
)


@pytest.mark.parametrize("fields", WRONG_BIND)
def test_what_is_no_choice_or_no_single_proof_is_refused(assert_refused, fields):
    assert_refused(BIND, json.dumps(GOOD[BIND] | fields))


@pytest.mark.parametrize(
    "email", [None, "", 5, "no address", "a@b", "änn@example.com", "a\x00@b.de"]
)
def test_what_is_no_address_gets_no_code(assert_refused, email):
    assert assert_refused(EMAIL_CODE, json.dumps(GOOD[EMAIL_CODE] | {"email": email})).startswith(
        "email: "
    )


@pytest.mark.parametrize("url", DOORS)
@pytest.mark.parametrize("missing", ["client_id", "binding_ticket", "action", "email"])
def test_a_missing_field_is_refused(assert_refused, url, missing):
    if missing in GOOD[url]:
        body = {name: value for name, value in GOOD[url].items() if name != missing}
        assert_refused(url, json.dumps(body))


@pytest.mark.parametrize("url", DOORS)
@pytest.mark.parametrize("body", ["", "{", "[]", '"t"', "null", "5", "\x00", "[" * 2000])
def test_a_body_that_is_no_object_is_refused(assert_refused, url, body):
    assert_refused(url, body)


@pytest.mark.parametrize("url", DOORS)
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", MULTIPART_CONTENT])
def test_another_content_type_is_refused(assert_refused, url, kind):
    body = GOOD[url] if kind == MULTIPART_CONTENT else json.dumps(GOOD[url])
    assert_refused(url, body, 415, content_type=kind)


@pytest.mark.parametrize("url", DOORS)
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_there_are_no_other_methods(assert_refused, url, method):
    assert_refused(url, {} if method == "get" else "{}", 405, method=method)
