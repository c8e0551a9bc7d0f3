"""The exception tree: what callers catch, what a circuit breaker counts, what the texts say."""

import pytest

from identity_sources.wechat import errors
from identity_sources.wechat.errors import WeChatRefusal, WeChatUnavailable

REFUSALS = [
    errors.InvalidCode,
    errors.CodeAlreadyUsed,
    errors.SessionKeyStale,
    errors.AccessTokenRejected,
    errors.SystemBusy,
    errors.LimitReached,
    errors.UserBlocked,
    errors.ConsentNeeded,
    errors.OpenIdMismatch,
    errors.SourceMisconfigured,
    errors.MalformedCall,
]


def test_only_failures_of_wechat_or_the_way_to_it_are_outages():
    outages = [kind for kind in [WeChatUnavailable, *REFUSALS] if kind.is_outage]

    assert outages == [WeChatUnavailable, errors.SystemBusy]


@pytest.mark.parametrize(
    "kind", [errors.InvalidCode, errors.CodeAlreadyUsed, errors.SessionKeyStale]
)
def test_a_spent_code_is_caught_as_a_refused_code(kind):
    assert issubclass(kind, errors.CodeRefused)


def test_a_code_used_twice_is_told_from_an_invalid_one():
    assert not issubclass(errors.CodeAlreadyUsed, errors.InvalidCode)


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_holds_its_facts_in_attributes_and_text(kind):
    refusal = kind(
        call="jscode2session",
        errcode=40029,
        errmsg="invalid code,\n rid: 65f3e9f7-77cf1a1c-0dd74a0e",
    )

    assert isinstance(refusal, WeChatRefusal)
    assert vars(refusal) == {
        "call": "jscode2session",
        "errcode": 40029,
        "errmsg": "invalid code, rid: 65f3e9f7-77cf1a1c-0dd74a0e",
        "rid": "65f3e9f7-77cf1a1c-0dd74a0e",
    }
    assert str(refusal) == (
        "jscode2session was refused with errcode 40029:"
        " invalid code, rid: 65f3e9f7-77cf1a1c-0dd74a0e"
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (WeChatUnavailable("timed_out"), "WeChat gave no usable answer: timed_out"),
        (
            WeChatUnavailable("bad_status", status=502),
            "WeChat gave no usable answer: bad_status 502",
        ),
    ],
)
def test_an_unavailability_names_its_reason(error, text):
    assert str(error) == text


def rid_of(errmsg):
    return WeChatRefusal(call="jscode2session", errcode=40029, errmsg=errmsg).rid


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
