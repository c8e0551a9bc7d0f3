"""Which exception each errcode of the catalogue raises; the table is the reference's."""

from datetime import timedelta

import pytest

from identity_sources.wechat import errors
from identity_sources.wechat.errcodes import (
    BANS,
    KNOWN_ERRCODES,
    Credential,
    accuses_settings,
    refusal,
    refusal_class,
    settings_accepted,
)

CODES_BY_CLASS = {
    errors.SystemBusy: [-1],
    errors.AccessTokenRejected: [40001, 40014, 42001],
    errors.MalformedCall: [
        *[40002, 40033, 47001, 47002, 40097, 44002, 43001, 43002, 43003],
        *[40129, 40169, 41030, 85096, 40159, 41001, 41002, 41003, 41004, 41008, 41009, 87008],
    ],
    errors.OpenIdMismatch: [40003],
    errors.SourceMisconfigured: [
        *[40013, 40125, 40164, 61004, 40243, 48001, 48004, 50002, 50004, 50007, 89002],
        *range(89501, 89508),
        *[1, 99999, -2, 2**40],  # unknown
    ],
    errors.InvalidCode: [40029, 42003],
    errors.CodeAlreadyUsed: [40163],
    errors.ConsentNeeded: [40030, 42002, 42007, 50001, 50005],
    errors.UserBlocked: [40226],
    errors.LimitReached: [45009, 45011, 44990, 44993, 85406],
    errors.SessionKeyStale: [87007, 87009],
}
CALLS = ["jscode2session", "oauth2_access_token", "stable_token", "getuserphonenumber", "other"]
UNKNOWN = {1, 99999, -2, 2**40}
OF_THE_CREDENTIALS = {40001, 40013, 40125, 40243}
OF_THE_ADDRESS = {40164, 61004, *range(89501, 89508)}
ALL = [(code, kind) for kind, codes in CODES_BY_CLASS.items() for code in codes]


@pytest.mark.parametrize(("errcode", "kind"), [pair for pair in ALL if pair[0] != 40013])
def test_a_call_with_an_access_token_raises_the_errcodes_class(errcode, kind):
    assert refusal_class(errcode, Credential.ACCESS_TOKEN) is kind


@pytest.mark.parametrize(
    ("errcode", "kind"), [pair for pair in ALL if pair[0] not in (40001, 40003)]
)
def test_a_call_with_an_app_secret_raises_the_errcodes_class(errcode, kind):
    assert refusal_class(errcode, Credential.APP_SECRET) is kind


@pytest.mark.parametrize(
    ("credential", "errcode", "kind"),
    [
        (Credential.APP_SECRET, 40001, errors.SourceMisconfigured),
        (Credential.APP_SECRET, 40003, errors.MalformedCall),
        (Credential.ACCESS_TOKEN, 40013, errors.InvalidCode),
        (Credential.USER_TOKEN, 40001, errors.ConsentNeeded),
        (Credential.USER_TOKEN, 40003, errors.ConsentNeeded),
        (Credential.USER_TOKEN, 40014, errors.ConsentNeeded),
        (Credential.USER_TOKEN, 42001, errors.ConsentNeeded),
        (Credential.USER_TOKEN, 48001, errors.ConsentNeeded),
        (Credential.USER_TOKEN, 40029, errors.InvalidCode),
    ],
)
def test_some_errcodes_depend_on_the_credential(credential, errcode, kind):
    assert refusal_class(errcode, credential) is kind


def test_every_errcode_of_the_reference_is_known_and_no_other():
    assert {code for code, _ in ALL} - UNKNOWN == KNOWN_ERRCODES


@pytest.mark.parametrize(
    ("errcode", "window"),
    [
        (44990, timedelta(seconds=1)),
        (45011, timedelta(minutes=1)),
        (45009, timedelta(days=1)),
        (44993, timedelta(days=1)),
        (85406, timedelta(days=1)),
    ],
)
def test_a_limit_says_over_which_period_it_counts(errcode, window):
    limit = refusal(
        call="stable_token", credential=Credential.APP_SECRET, errcode=errcode, errmsg=""
    )

    assert isinstance(limit, errors.LimitReached)
    assert limit.window == window


def test_a_refusal_is_repeated_from_its_stored_facts():
    first = refusal(
        call="jscode2session",
        credential=Credential.APP_SECRET,
        errcode=40163,
        errmsg="x" * 400 + " rid: 65f3e9f7-77cf1a1c-0dd74a0e",
    )

    again = refusal(
        call=first.call,
        credential=Credential.APP_SECRET,
        errcode=first.errcode,
        errmsg=first.errmsg,
        rid=first.rid,
    )

    assert vars(again) == vars(first)
    assert type(again) is errors.CodeAlreadyUsed
    assert again.rid == "65f3e9f7-77cf1a1c-0dd74a0e"


@pytest.mark.parametrize(
    ("credential", "accusing"),
    [
        (Credential.APP_SECRET, OF_THE_CREDENTIALS | OF_THE_ADDRESS | BANS),
        (Credential.ACCESS_TOKEN, OF_THE_ADDRESS | BANS),
        (Credential.USER_TOKEN, set()),
    ],
)
def test_the_errcodes_that_accuse_the_settings_are_these_and_no_others(credential, accusing):
    accused = {code for code, _ in ALL if accuses_settings(code, credential)}

    assert accused == accusing
    assert {48004, 50002, 50004, 50007} == BANS
    assert not accuses_settings(0, credential)


@pytest.mark.parametrize("credential", Credential)
@pytest.mark.parametrize("call", CALLS)
def test_what_a_caller_can_bring_about_is_raised_and_accuses_nothing(call, credential):
    """40013 comes with a phone code of another app, 48001 where phone numbers aren't allowed."""
    by_callers = {40029, 40163, 40226, 40003, 41008, 45009, 45011, 48001, *UNKNOWN}
    if credential is not Credential.APP_SECRET:
        by_callers |= {40001, 40013}

    assert False not in {settings_accepted(call, code, credential) for code in by_callers}


@pytest.mark.parametrize(
    ("call", "accepted"),
    [
        ("jscode2session", {0, 40029, 40163, 40226}),
        ("oauth2_access_token", {0, 40029, 40163, 42003}),
        ("getuserphonenumber", {0, 40029}),
        ("stable_token", {0}),
        ("other", {0}),
    ],
)
def test_settings_are_good_where_the_call_got_as_far_as_the_code(call, accepted):
    codes = {0} | {code for code, _ in ALL}

    for credential in Credential:
        found = {code for code in codes if settings_accepted(call, code, credential)}
        assert found == accepted


def test_an_outage_says_nothing_of_the_settings():
    assert settings_accepted("jscode2session", -1, Credential.APP_SECRET) is None
