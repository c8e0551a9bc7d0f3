"""The request id in WeChat's error text, and that text made safe."""

import pytest

from identity_sources.wechat.errmsg import cleaned, rid_of


@pytest.mark.parametrize(
    "errmsg",
    ["", "ok", "rid:", "rid: 65f3e9f7", "rid: 65F3E9F7-77cf1a1c-0dd74a0e", "hint: []", "grid: x"],
)
def test_a_text_without_request_id_has_none(errmsg):
    assert rid_of(errmsg) is None


@pytest.mark.parametrize(
    ("errmsg", "rid"),
    [
        ("invalid code, rid: 65f3e9f7-77cf1a1c-0dd74a0e", "65f3e9f7-77cf1a1c-0dd74a0e"),
        ("invalid appid rid: 65f3e9f7-77cf1a1c-0dd74a0e", "65f3e9f7-77cf1a1c-0dd74a0e"),
        ("invalid code, hints: [ req_id: DFUdg0947ns2 ]", "DFUdg0947ns2"),
        ("invalid code hint: [mGhbWV0sf-LxnVma]", "mGhbWV0sf-LxnVma"),
        (
            "invalid code hint: [mGhbWV0sf-LxnVma] rid: 65f3e9f7-77cf1a1c-0dd74a0e",
            "65f3e9f7-77cf1a1c-0dd74a0e",
        ),
    ],
)
def test_the_request_id_is_found_in_todays_and_older_texts(errmsg, rid):
    assert rid_of(errmsg) == rid


def test_control_characters_and_direction_marks_are_removed():
    assert cleaned("a\r\nb\x1b[31m\x00\u202e\u2028\ud800c微") == "ab[31mc微"


def test_a_long_text_is_cut():
    assert cleaned("x" * 301) == "x" * 300


def test_a_secret_that_is_quoted_by_name_is_masked():
    assert cleaned("bad secret=abc&x=1") == "bad secret=***&x=1"
