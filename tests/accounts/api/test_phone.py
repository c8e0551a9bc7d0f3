"""`POST /api/v1/me/phone`: who may ask, and what is answered."""

import pytest
from django.utils import timezone

from accounts.models import User
from tests.support import builders
from tests.support.oidc import bearer
from tests.support.records import count_rows

URL = "/api/v1/me/phone"
PHONE = "+8613800138001"


@pytest.fixture
def change(acme, client, log_in):
    """Alice changes her number; by default with a fresh code of her own."""

    def post(scope=None, headers=None, **fields):
        token = log_in(scope=scope).json()["access_token"]
        body = {"phone_code": builders.get_phone_number()} | fields
        return client.post(
            URL,
            body,
            content_type="application/json",
            headers=bearer(token) if headers is None else headers,
        )

    return post


def assert_refused(response, status, word):
    assert (response.status_code, response.json()["error"]) == (status, word)
    assert User.objects.get(linked_accounts__kind="openid").phone_number == ""


@pytest.mark.parametrize("headers", [{}, bearer("x.y.z")])
def test_without_a_token_nothing_changes(change, headers):
    assert_refused(change(headers=headers), 401, "invalid_token")


def test_without_the_scope_account_nothing_changes(change):
    assert_refused(change(scope="openid phone"), 403, "insufficient_scope")


@pytest.mark.parametrize(
    "fields",
    [
        {"phone_code": None},
        {"phone_code": ""},
        {"phone_code": 13800138001},
        {"phone_code": ["a"]},
        {"phone_code": "x" * 257},
        {"phone_code": "a\x00b"},
        {"phone_code": "a b"},
        {"phone_number": PHONE},
        {"openid": "o1"},
    ],
)
def test_bad_input_and_a_number_of_the_callers_are_refused(change, fields):
    assert_refused(change(**fields), 400, "invalid_request")


def test_a_code_of_somebody_else_is_refused(change):
    response = change(phone_code=builders.get_phone_number("bob"))

    assert_refused(response, 400, "invalid_code")
    assert response.json()["error_description"].startswith("phone_code: ")


def test_a_number_of_another_user_is_refused_without_saying_whose(acme, change):
    other = builders.make_user(
        acme.pool, phone_number=PHONE, phone_number_verified_at=timezone.now()
    )

    response = change()

    assert_refused(response, 409, "phone_taken")
    assert other.sub not in response.content.decode()


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_there_are_no_other_methods(acme, client, log_in, method):
    headers = bearer(log_in().json()["access_token"])

    assert getattr(client, method)(URL, headers=headers).status_code == 405


@pytest.mark.parametrize("scope", [None, "account"])
def test_the_answer_is_the_user_as_the_scopes_allow_and_what_became_of_the_number(change, scope):
    response = change(scope=scope)

    user = User.objects.get()
    shown = {"sub": user.sub}
    if scope is None:
        shown |= {"nickname": None, "avatar_url": None}
        shown |= {"phone_number": PHONE, "phone_number_verified": True}
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    assert response.json() == {"user": shown, "phone": {"status": "stored"}}


def test_an_old_login_suffices_and_one_code_costs_one_exchange(change):
    code = builders.get_phone_number()

    assert change(phone_code=code).json()["phone"] == {"status": "stored"}
    before = count_rows()
    assert change(phone_code=code).json()["phone"] == {"status": "unchanged"}
    assert (count_rows() - before)["accounts.AccountEvent"] == 0
