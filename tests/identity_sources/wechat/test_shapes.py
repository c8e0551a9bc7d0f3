"""Shapes of AppIDs, AppSecrets and codes."""

import pytest

from identity_sources.wechat.shapes import is_app_id, is_app_secret, is_code

APP_ID = "wx0123456789abcdef"


@pytest.mark.parametrize(
    "value",
    ["", APP_ID.upper(), APP_ID[:-1], APP_ID + "0", APP_ID + "\n", f" {APP_ID}", "touristappid"],
)
def test_what_is_no_app_id_is_refused(value):
    assert not is_app_id(value)


def test_an_app_id_is_accepted():
    assert is_app_id(APP_ID)


@pytest.mark.parametrize("value", ["", "a" * 31, "a" * 33, "A" * 32, "g" * 32, "a" * 32 + "\n"])
def test_what_is_no_app_secret_is_refused(value):
    assert not is_app_secret(value)


def test_an_app_secret_is_accepted():
    assert is_app_secret("0123456789abcdef" * 2)


@pytest.mark.parametrize(
    "value",
    ["", "a" * 257, "a b", "a\n", "a+b", "é", "４", "the code is a mock one"],  # noqa: RUF001
)
def test_what_is_no_code_is_refused(value):
    assert not is_code(value)


@pytest.mark.parametrize("value", ["0", "0a1JsCode_-" + "x" * 21, "c0de" * 16, "a" * 256])
def test_codes_of_login_and_phone_number_are_accepted(value):
    assert is_code(value)
