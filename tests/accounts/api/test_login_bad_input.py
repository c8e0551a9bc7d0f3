"""The mini program's login door: requests that make no sense are named and leave no trace."""

import base64
import json

import pytest

from tests.support import builders
from tests.support.client import LOGIN_URL
from tests.support.records import count_rows, events, refusal

GOOD = {"client_id": "acme-shop", "code": "a-code-that-was-never-issued"}
JSON = "application/json"
LONE_SURROGATE = "\ud800"


@pytest.fixture
def send(client, acme, wechat):
    """Post raw bytes, or an object as JSON; nothing may be written, and WeChat isn't asked."""
    rows = []

    def post(body, content_type=JSON, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        rows.append(count_rows())
        return client.generic("POST", LOGIN_URL, raw, content_type=content_type, headers=headers)

    yield post

    assert rows, "the test sent nothing"
    assert count_rows() == rows[0]
    assert wechat.calls == []


def reason(response, status=400, word="invalid_request"):
    """Return why a request was refused, having checked how."""
    body = response.json()
    assert (response.status_code, body["error"]) == (status, word)
    assert body.keys() == {"error", "error_description", "request_id"}
    return body["error_description"]


TEXT = "must be a string."
NOT_EMPTY = "must not be empty."
LONG = "must be at most {} characters long."
NOT_NULL = "must not be null."
SHAPE = "is not a code of wx.login: those are letters, digits, _ and -."
UNSTORABLE = "holds a NUL character or half of a surrogate pair."

REQUIRED = ("code",)
WRONG_TYPES = (7, 1.5, True, ["a"], [], {"a": "b"}, {})
BAD_FIELDS = [
    *(
        (name, value, TEXT)
        for name in ("client_id", "code", "identity_source", "phone_code", "scope", "client_secret")
        for value in WRONG_TYPES
    ),
    *(
        (name, value, why)
        for name in REQUIRED
        for value, why in ((None, NOT_NULL), ("", NOT_EMPTY))
    ),
    *(
        (name, "x" * (longest + 1), LONG.format(longest))
        for name, longest in (
            ("client_id", 64),
            ("code", 256),
            ("identity_source", 64),
            ("phone_code", 256),
            ("scope", 256),
            ("client_secret", 256),
        )
    ),
    *(
        (name, value, UNSTORABLE)
        for name in ("client_id", "code", "identity_source", "phone_code", "scope", "client_secret")
        for value in ("a\x00b", "\x00", LONE_SURROGATE, f"a{LONE_SURROGATE}b", "\udfff")
    ),
    *(
        (name, value, SHAPE)
        for name in ("code", "phone_code")
        for value in (
            " ",
            "  abc",
            "abc ",
            "a b",
            "abc\n",
            "ab+c",
            "ab/c",
            "ab=",
            "ä",
            "\uff10\uff11",
        )
    ),
    (
        "code",
        "the code is a mock one",
        "is the developer tools' mock code. Open the project with your own AppID.",
    ),
]


@pytest.mark.parametrize("value", ["", None])
def test_an_application_without_a_value_counts_as_absent(send, value):
    assert reason(send(GOOD | {"client_id": value})) == reason(send({"code": GOOD["code"]}))


@pytest.mark.parametrize(("name", "value", "why"), BAD_FIELDS)
def test_a_bad_field_is_named_with_the_reason(send, name, value, why):
    assert reason(send(GOOD | {name: value})) == f"{name}: {why}"


@pytest.mark.parametrize(
    ("missing", "why"),
    [("code", "code: is required."), ("client_id", "client_id: is required.")],
)
def test_a_missing_field_is_named(send, missing, why):
    body = {name: value for name, value in GOOD.items() if name != missing}

    assert reason(send(body)) == why


@pytest.mark.parametrize("value", [None, 7, "", "a b"])
def test_a_developers_sentence_is_the_same_in_every_language(send, value):
    body = GOOD | {"code": value}

    in_english, in_chinese = send(body), send(body, **{"accept-language": "zh-hans"})

    assert reason(in_chinese) == reason(in_english)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("openid", "openid"),
        ("Code", "Code"),
        ("code ", "code?"),
        ("", ""),
        ("<script>", "?script?"),
        ("a\r\nb", "a??b"),
        (LONE_SURROGATE, "?"),
        ("\x00", "?"),
        ("名字", "??"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_an_unknown_field_is_named_in_harmless_characters(send, name, printed):
    said = reason(send(GOOD | {name: "o6_bmjrPTlm6"}))

    assert said == (f"{printed}: is not known here." if printed else "is not known here.")


@pytest.mark.parametrize("name", ["openid", "unionid", "phone_number", "nickname", "user", "sub"])
def test_an_identity_that_a_caller_brings_is_refused(send, name):
    assert reason(send(GOOD | {name: "somebody"})) == f"{name}: is not known here."


BROKEN_JSON = [
    b"{",
    b"}",
    b"",
    b" ",
    b"nothing",
    b"{'client_id': 'acme-shop'}",
    b'{"client_id": "acme-shop",}',
    b'{"client_id": "acme-shop"} {}',
    b'{"client_id": "acme-shop", "code": NaN}',
    b'{"client_id": "acme-shop", "code": Infinity}',
    b'{"client_id": "acme-shop", "code": -Infinity}',
    b'{"client_id": "acme-shop", "client_id": "acme-shop", "code": "c"}',
    b'{"client_id": "acme-shop", "code": "a", "code": "b"}',
    b'{"client_id": "acme-shop", "code": {"a": 1, "a": 2}}',
    b'{"client_id": "acme-shop", "code": "\xff\xfe"}',
    b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    json.dumps(GOOD).encode("utf-16"),
    b'{"code": "\x01"}',
    b'{"code": ' + b"9" * 5000 + b"}",
    b"\x00",
    b"client_id=acme-shop&code=c",
]


@pytest.mark.parametrize("raw", BROKEN_JSON, ids=lambda raw: repr(raw[:40]))
def test_what_is_not_json_in_utf_8_is_refused(send, raw):
    said = reason(send(raw))

    expected = "The body is not JSON in UTF-8, or names a field twice."
    # Nothing at all counts as an object without fields.
    assert said == (expected if raw else "code: is required.")


@pytest.mark.parametrize("value", [[], [GOOD], "acme", 7, None, True])
def test_json_that_is_not_an_object_is_refused(send, value):
    assert reason(send(value)) == "The body must be a JSON object."


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_without_end_is_refused(send, opening):
    raw = opening * (60_000 // len(opening))

    assert "The body is" in reason(send(raw))


def test_a_hundred_thousand_levels_are_too_large_to_be_read(send):
    reason(send(b"[" * 100_000), status=413)


def test_a_deep_value_that_is_closed_properly_is_refused_too(send):
    raw = b'{"client_id": "acme-shop", "code": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"

    assert reason(send(raw)) == "The body is nested too deeply."


@pytest.mark.parametrize("size", [64 * 1024 + 1, 10 * 1024 * 1024])
def test_a_body_that_is_too_large_is_refused(send, size):
    raw = json.dumps(GOOD | {"code": ""}).encode()[:-2]

    reason(send(raw + b"x" * (size - len(raw) - 2) + b'"}'), status=413)


def test_the_largest_body_is_still_read(send):
    raw = json.dumps(GOOD).encode()

    # Blanks are JSON; the refusal is about what stands in it.
    raw = raw[:-1] + b', "openid": 1}'
    said = reason(send(raw + b" " * (64 * 1024 - len(raw))))

    assert said == "openid: is not known here."


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/xml",
        "nonsense",
        "application/json, text/plain",
    ],
)
def test_another_content_type_is_refused(send, content_type):
    reason(send(GOOD, content_type=content_type), status=415)


def test_a_charset_beside_json_is_no_reason_to_refuse(send):
    said = reason(send(GOOD | {"openid": "o"}, content_type="application/json; charset=utf-8"))

    assert said == "openid: is not known here."


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_another_method_is_refused(client, acme, method):
    before = count_rows()

    response = getattr(client, method)(LOGIN_URL)

    assert response.status_code == 405
    assert response["Allow"] == "POST, OPTIONS"
    reason(response, status=405)
    assert count_rows() == before


def test_a_body_in_chunks_is_refused(client, acme):
    before = count_rows()

    response = client.generic("POST", LOGIN_URL, headers={"Transfer-Encoding": "chunked"})

    reason(response, status=411)
    assert count_rows() == before


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense"])
def test_the_answer_is_json_whatever_is_accepted(send, accept):
    response = send(GOOD | {"code": ""}, accept=accept)

    assert response.json()["error"] == "invalid_request"
    assert response["Content-Type"] == "application/json"


# Credentials


def basic(pair, scheme="Basic"):
    raw = pair if isinstance(pair, bytes) else pair.encode()
    return f"{scheme} {base64.b64encode(raw).decode()}"


@pytest.fixture
def confidential(acme):
    application = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(application, acme.source)
    return application


@pytest.mark.parametrize(
    "header",
    [
        "Basic !",
        "Basic ",
        "Basic YQ",
        basic("acme-safe"),
        basic(b"acme-safe:\xff"),
        basic("acme-safe:a\x00b"),
        basic("") + "=",
        "Basic " + "A" * 5001,
    ],
)
def test_a_malformed_basic_header_is_an_unknown_client(send, confidential, header):
    reason(send(GOOD | {"client_id": "acme-safe"}, authorization=header), 401, "invalid_client")


def test_a_secret_in_the_body_and_by_basic_is_refused(send, confidential):
    header = basic(f"acme-safe:{builders.CLIENT_SECRET}")
    body = {"client_secret": builders.CLIENT_SECRET, "code": "c"}

    said = reason(send(body, authorization=header))

    assert said == "client_secret: give it in the body or by HTTP Basic, not both."


def test_two_different_applications_are_refused(send, confidential):
    header = basic(f"acme-safe:{builders.CLIENT_SECRET}")

    said = reason(send(GOOD, authorization=header))

    assert said == "client_id: the body and HTTP Basic name different applications."


@pytest.mark.parametrize("client_id", ["%00", "acme%00safe"])
def test_an_escaped_nul_in_basic_is_an_unknown_client(send, confidential, client_id):
    header = basic(f"{client_id}:secret")

    reason(send({"code": "c"}, authorization=header), 401, "invalid_client")


def test_an_overlong_client_id_by_basic_is_an_unknown_client(send, confidential):
    header = basic("x" * 4000 + ":secret")

    reason(send({"code": "c"}, authorization=header), 401, "invalid_client")


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_basic_opens_the_door_as_the_body_does(client, confidential, scheme):
    header = basic(f"acme-safe:{builders.CLIENT_SECRET.replace(' ', '+')}", scheme)

    response = client.post(
        LOGIN_URL,
        {"code": builders.wx_login()},
        content_type=JSON,
        headers={"authorization": header},
    )

    assert response.status_code == 200


def test_a_bearer_token_is_no_client(send, acme):
    body = {"code": "c"}

    assert reason(send(body, authorization="Bearer abc")) == "client_id: is required."


# Well-formed, though wrong: refused by a rule, hence recorded


@pytest.mark.parametrize(
    "scope", ["admin", "openid admin", "OPENID", "openid,phone", "*", "öpenid"]
)
def test_an_unknown_scope_is_recorded_as_refused(client, acme, scope):
    response = client.post(LOGIN_URL, GOOD | {"scope": scope}, content_type=JSON)

    assert scope not in reason(response, word="invalid_scope").split(":")[0]
    assert events() == [
        refusal("invalid_scope", identity_source__identifier=None, wechat_milliseconds=None)
    ]


@pytest.mark.parametrize(
    ("scope", "granted", "tokens"),
    [
        ("openid", "openid", {"access_token", "id_token"}),
        ("offline_access", "offline_access", {"access_token", "refresh_token"}),
        ("phone  openid openid", "openid phone", {"access_token", "id_token"}),
        ("profile", "profile", {"access_token"}),
    ],
)
def test_only_the_tokens_of_the_scope_are_made(client, acme, scope, granted, tokens):
    body = GOOD | {"scope": scope, "code": builders.wx_login()}

    answer = client.post(LOGIN_URL, body, content_type=JSON).json()

    assert answer["scope"] == granted
    assert answer.keys() & {"access_token", "id_token", "refresh_token"} == tokens


@pytest.mark.parametrize("client_id", [" ", "acme-shop ", "ACME-SHOP", "' OR 1=1 --", "名"])
def test_a_client_id_that_nobody_has_is_just_unknown(send, client_id):
    reason(send(GOOD | {"client_id": client_id}), 401, "invalid_client")


@pytest.mark.parametrize("identifier", [" ", "acme-mini ", "ACME-MINI", "' OR 1=1 --", "名"])
def test_an_identifier_that_no_source_has_is_just_not_offered(client, acme, identifier):
    body = GOOD | {"identity_source": identifier}

    response = client.post(LOGIN_URL, body, content_type=JSON)

    assert (response.status_code, response.json()["error"]) == (403, "login_method_disabled")
