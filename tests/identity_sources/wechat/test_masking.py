"""What a record may show of a call: by allow-lists, bounded, whatever WeChat answers."""

import json

import pytest

from identity_sources.wechat.masking import (
    LONGEST_REQUEST,
    MOST_FIELDS,
    cleaned,
    errmsg_without,
    shown_answer,
    shown_request,
)

SECRET = "5ec4e75ec4e75ec4e75ec4e75ec4e75e"
OPENID = "oFAKEfake0000000000000000001"
LETTERS = "oFAKEfakeWithoutAnyDigits"
PHONE = "13800138001"


# Requests


def test_only_known_parameters_show_their_values():
    query = {"appid": "wx01", "secret": SECRET, "lang": "zh_CN"}
    body = {"grant_type": "x", "force_refresh": False, "access_token": SECRET, "is_new": True}

    assert shown_request("POST", "https://h/p", query, body) == (
        "POST https://h/p?appid=wx01&secret=***&lang=***"
        ' {"grant_type": "x", "force_refresh": false, "access_token": "***", "is_new": "***"}'
    )


def test_a_request_without_parameters_is_its_url():
    assert shown_request("GET", "https://h/p", {}, None) == "GET https://h/p"


def test_a_parameter_cannot_run_into_the_next():
    shown = shown_request("GET", "https://h/p", {"appid": "wx&secret=\n\u202e"}, None)

    assert shown == "GET https://h/p?appid=wx%26secret%3D%0A%E2%80%AE"


def test_a_long_request_is_cut():
    assert len(shown_request("GET", "https://h/" + "p" * 600, {}, None)) == LONGEST_REQUEST


# Answers


def test_only_known_fields_show_their_values():
    answer = {
        "errcode": 0,
        "errmsg": "ok",
        "expires_in": 7200,
        "openid": OPENID,
        "is_snapshotuser": 1,
        "scope": ["snsapi_base"],
        "phone_info": {"purePhoneNumber": PHONE},
        "nothing": None,
    }

    assert shown_answer(answer, ()) == {
        "errcode": 0,
        "errmsg": "ok",
        "expires_in": 7200,
        "openid": "***",
        "is_snapshotuser": "***",
        "scope": "***",
        "phone_info": "***",
        "nothing": "***",
    }


@pytest.mark.parametrize("errcode", [40029, -1, "40029", "-1"])
def test_an_errcode_shows_as_it_came(errcode):
    assert shown_answer({"errcode": errcode}, ()) == {"errcode": errcode}


@pytest.mark.parametrize("name", ["errcode", "expires_in"])
@pytest.mark.parametrize(
    "value", [SECRET, OPENID, PHONE, int(PHONE), True, 40029.5, None, [1], {"a": 1}, "", "1\n"]
)
def test_what_is_no_small_number_is_masked(name, value):
    assert shown_answer({name: value}, ()) == {name: "***"}


@pytest.mark.parametrize("errmsg", [None, 7, [SECRET], {"a": SECRET}])
def test_an_errmsg_that_is_no_text_is_empty(errmsg):
    assert shown_answer({"errmsg": errmsg}, ()) == {"errmsg": ""}


@pytest.mark.parametrize(
    "name",
    [
        OPENID,
        PHONE,
        SECRET,
        "",
        "with blank",
        "a\x00b",
        "微信",
        "x" * 41,
        "openid2",
        "a=b",
        LETTERS,
    ],
)
def test_a_name_that_may_be_a_value_is_masked(name):
    assert shown_answer({name: 1, "openid": LETTERS}, ()) == {"***": "***", "openid": "***"}


def test_a_name_that_the_call_sent_is_masked():
    assert shown_answer({"abcdefgh": 1}, ["abcdefgh"]) == {"***": "***"}


def test_an_answer_of_many_fields_is_cut():
    fields = {chr(ord("a") + number % 26) * (1 + number // 26): 1 for number in range(500)}

    assert len(shown_answer(fields, ())) == MOST_FIELDS


def test_the_largest_record_of_an_answer_is_small():
    fields = {chr(ord("a") + number) * 40: "x" * 1000 for number in range(26)}

    assert len(json.dumps(shown_answer({"errmsg": "x" * 100_000} | fields, ()))) < 1500


# The error text


@pytest.mark.parametrize(
    "answer",
    [
        {"openid": OPENID},
        {"phone_info": {"purePhoneNumber": OPENID}},
        {"list": [[{"deep": OPENID}]]},
    ],
)
def test_the_error_text_does_not_repeat_what_the_answer_holds(answer):
    answer = {"errmsg": f"sent {SECRET}, got {OPENID}"} | answer

    assert errmsg_without(answer, [SECRET]) == "sent ***, got ***"
    assert shown_answer(answer, [SECRET])["errmsg"] == "sent ***, got ***"


def test_a_number_in_the_answer_is_not_repeated_either():
    answer = {"errmsg": f"call {PHONE}", "phoneNumber": int(PHONE)}

    assert errmsg_without(answer, ()) == "call ***"


def test_invisible_characters_hide_no_secret():
    broken = "\u200b".join(SECRET)

    assert errmsg_without({"errmsg": f"invalid {broken}"}, [SECRET]) == "invalid ***"


def test_a_value_that_is_part_of_another_leaves_no_rest():
    whole = f"{SECRET}-and-more"

    assert errmsg_without({"errmsg": f"got {whole}"}, [SECRET, whole]) == "got ***"


def test_short_values_are_left_since_they_occur_by_chance():
    answer = {"errmsg": "invalid code", "lang": "in", "is_new": 1}

    assert errmsg_without(answer, ["code"]) == "invalid code"


def test_a_deep_or_endless_answer_is_looked_into_only_so_far():
    deep = {"errmsg": "ok", "deep": []}
    for _ in range(900):
        deep["deep"] = [deep["deep"]]
    wide = {"errmsg": "ok", "wide": ["x" * 9] * 100_000}

    assert shown_answer(deep, ()) == {"errmsg": "ok", "deep": "***"}
    assert shown_answer(wide, ()) == {"errmsg": "ok", "wide": "***"}


@pytest.mark.parametrize(
    ("answer", "text"), [({}, ""), ({"errmsg": 1}, ""), ({"errmsg": "a"}, "a")]
)
def test_errmsg_is_text_or_empty(answer, text):
    assert errmsg_without(answer, ()) == text


def test_control_characters_and_direction_marks_are_removed():
    assert cleaned("a\r\nb\x1b[31m\x00\u202e\u2028\ud800c微") == "ab[31mc微"


def test_a_long_text_is_cut():
    assert cleaned("x" * 301) == "x" * 300


def test_a_secret_that_is_quoted_by_name_is_masked():
    assert cleaned("bad secret=abc&x=1") == "bad secret=***&x=1"
