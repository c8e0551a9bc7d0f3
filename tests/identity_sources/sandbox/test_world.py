import re

import pytest

from identity_sources.sandbox import (
    PEOPLE,
    InvalidFieldError,
    is_sandbox_app_id,
    is_sandbox_identity,
    may_be_live_app_id,
    may_be_live_identity,
    openid_of,
    sandbox_app_secret,
    unionid_of,
)

REAL_APP_ID = "wx4f4bc4dec97d474b"
REAL_OPENID = "oGZUI0egBJY1zhBYw2KhdUfwVJJE"


@pytest.mark.parametrize(
    "app_id",
    [
        REAL_APP_ID,
        "",
        "wxsandbox",
        "wxsandbox00000001",
        "wxsandbox0000000011",
        "wxsandbox00000000G",
        "wxsandbox00000000A",
        "wxsandbox000000001\n",
        " wxsandbox000000001",
    ],
)
def test_an_app_id_outside_the_namespace_does_not_exist(app_id):
    assert not is_sandbox_app_id(app_id)

    with pytest.raises(InvalidFieldError) as refused:
        sandbox_app_secret(app_id)

    assert refused.value.field == "app_id"


def test_a_live_source_takes_no_sandbox_app_id_however_it_is_written():
    assert not may_be_live_app_id("wxsandbox000000001")
    assert not may_be_live_app_id(" WXSandbox000000001 ")
    assert not may_be_live_app_id("wxsandboxzzz")
    assert may_be_live_app_id(REAL_APP_ID)


def test_a_live_source_takes_no_sandbox_identity(shop):
    for identity in (openid_of(shop, "alice"), unionid_of(shop, "alice")):
        assert is_sandbox_identity(identity)
        assert not may_be_live_identity(identity)
    assert not is_sandbox_identity(REAL_OPENID)
    assert may_be_live_identity(REAL_OPENID)


def test_an_unknown_person_is_named_with_those_that_exist(shop):
    with pytest.raises(InvalidFieldError, match=r"alice, bob, carol") as refused:
        openid_of(shop, "nobody")

    assert refused.value.field == "person"


def test_a_real_app_id_cannot_lie_in_the_namespace():
    assert not re.fullmatch("wx[0-9a-f]{16}", "wxsandbox000000001")
    assert len("wxsandbox000000001") == len(REAL_APP_ID)


def test_every_app_id_of_the_namespace_has_a_secret_of_its_own(shop, other_shop):
    assert re.fullmatch("[0-9a-f]{32}", sandbox_app_secret(shop))
    assert sandbox_app_secret(shop) == sandbox_app_secret(shop)
    assert sandbox_app_secret(shop) != sandbox_app_secret(other_shop)


def test_identities_have_wechats_shape_and_are_all_different(shop, other_shop):
    openids = {openid_of(app_id, person) for app_id in (shop, other_shop) for person in PEOPLE}
    unionids = {unionid_of(shop, person) for person in PEOPLE}

    assert len(openids | unionids) == 3 * len(PEOPLE)
    assert all(re.fullmatch("oSANDBOX_[A-Za-z0-9_-]{19}", one) for one in openids | unionids)


def test_applications_of_one_account_share_the_unionid_and_unbound_ones_have_none(
    shop, other_shop, unbound_shop
):
    assert unionid_of(shop, "alice") == unionid_of(other_shop, "alice")
    assert unionid_of(unbound_shop, "alice") is None


def test_ids_stay_the_same_for_ever_because_recordings_hold_them(shop):
    assert openid_of(shop, "alice") == "oSANDBOX_Q2F2HZOtSWqtrc4LU9S"
    assert unionid_of(shop, "alice") == "oSANDBOX_hbnb2nm07BgMdD9ZOsT"
    assert sandbox_app_secret(shop) == "9d21dbce80d3ee2cefc2e7d3ddf51cac"


def test_the_cast_holds_the_people_that_break_clients():
    assert "🌸" in PEOPLE["carol"].nickname
    assert "\x14" in PEOPLE["carol"].nickname
    assert PEOPLE["dave"].phone is None
    assert PEOPLE["erin"].phone == ("852", "51234567")
    assert [key for key, person in PEOPLE.items() if person.risk_blocked] == ["mallory"]
