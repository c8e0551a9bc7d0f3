from concurrent.futures import ThreadPoolExecutor

import pytest

from identity_sources.sandbox.codes import OAUTH, CodeKind, Codes
from identity_sources.sandbox.exceptions import RefusedError


@pytest.fixture
def codes(store, clock):
    return Codes(store, clock)


def errcode(codes, kind, code, app_id):
    with pytest.raises(RefusedError) as refused:
        codes.consume({kind}, code, app_id=app_id)
    return refused.value.errcode


@pytest.mark.parametrize("code", ["", "the code is a mock one", "\ud800", "码" * 1000])
def test_an_unknown_code_is_refused(codes, shop, code):
    assert errcode(codes, CodeKind.LOGIN, code, shop) == 40029


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        (CodeKind.LOGIN, 300),
        (CodeKind.PHONE, 300),
        (CodeKind.WEBSITE, 600),
        (CodeKind.OFFICIAL_ACCOUNT, 300),
        (CodeKind.MOBILE_APP, 600),
    ],
)
def test_a_code_is_good_for_just_under_its_minutes(codes, clock, shop, kind, seconds):
    code = codes.issue(kind, app_id=shop, person="alice")
    late = codes.issue(kind, app_id=shop, person="alice")

    clock.advance(seconds - 0.1)
    assert codes.consume({kind}, code, app_id=shop).person == "alice"
    clock.advance(0.1)
    assert errcode(codes, kind, late, shop) == 40029


def test_a_used_code_says_so_until_it_expires(codes, clock, shop):
    for kind, seconds in ((CodeKind.LOGIN, 300), (CodeKind.WEBSITE, 600)):
        code = codes.issue(kind, app_id=shop, person="alice")
        codes.consume({kind}, code, app_id=shop)

        assert errcode(codes, kind, code, shop) == 40163
        clock.advance(seconds - 0.1)
        assert errcode(codes, kind, code, shop) == 40163
        clock.advance(0.1)
        assert errcode(codes, kind, code, shop) == 40029


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(CodeKind.LOGIN, 40029), (CodeKind.WEBSITE, 40029), (CodeKind.PHONE, 40013)],
)
def test_another_applications_code_is_refused_and_not_used_up(
    codes, shop, other_shop, kind, expected
):
    code = codes.issue(kind, app_id=shop, person="alice")

    assert errcode(codes, kind, code, other_shop) == expected
    assert codes.consume({kind}, code, app_id=shop).app_id == shop


@pytest.mark.parametrize("kind", CodeKind)
def test_a_code_of_another_kind_is_refused_and_not_used_up(codes, shop, kind):
    code = codes.issue(kind, app_id=shop, person="alice")

    for other in set(CodeKind) - {kind}:
        assert errcode(codes, other, code, shop) == 40029
    assert codes.consume({kind}, code, app_id=shop).kind is kind


def test_of_many_concurrent_exchanges_one_wins(racing_store, clock, shop):
    codes = Codes(racing_store(racers=16, gets=2), clock)
    code = codes.issue(CodeKind.LOGIN, app_id=shop, person="alice")

    def exchange(_):
        try:
            return codes.consume({CodeKind.LOGIN}, code, app_id=shop).person
        except RefusedError as refused:
            return refused.errcode

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(exchange, range(16)))

    assert sorted(outcomes, key=str) == [40163] * 15 + ["alice"]


@pytest.mark.parametrize("kind", [CodeKind.LOGIN, *sorted(OAUTH)])
def test_login_codes_have_wechats_shape(codes, shop, kind):
    login = codes.issue(kind, app_id=shop, person="alice")

    assert len(login) == 32
    assert login.isascii()
    assert login.isalnum()
    assert login[0] == "0"
    assert login[1:3].isdigit()
    assert login[3:7] == login[27:31]


def test_phone_codes_have_wechats_shape(codes, shop):
    phone = codes.issue(CodeKind.PHONE, app_id=shop, person="alice")

    assert len(phone) == 64
    assert set(phone) <= set("0123456789abcdef")
