from concurrent.futures import ThreadPoolExecutor

import pytest

from identity_sources.sandbox.exceptions import RefusedError
from identity_sources.sandbox.tokens import Tokens


@pytest.fixture
def tokens(store, clock):
    return Tokens(store, clock)


def errcode(tokens, text):
    with pytest.raises(RefusedError) as refused:
        tokens.app_id_of(text)
    return refused.value.errcode


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 41001),
        ("ACCESS_TOKEN", 40014),
        ("10_short", 40014),
        ("10_" + "ü" * 132, 40014),
        ("10_" + "x" * 132, 40001),
    ],
)
def test_a_token_that_was_never_issued_is_refused(tokens, text, expected):
    assert errcode(tokens, text) == expected


@pytest.mark.parametrize("family", ["mint_plain", "stable"])
def test_a_token_expires_after_two_hours(tokens, clock, shop, family):
    options = {"force_refresh": False} if family == "stable" else {}
    token = getattr(tokens, family)(shop, **options).text

    clock.advance(7199.9)
    assert tokens.app_id_of(token) == shop
    clock.advance(0.1)
    assert errcode(tokens, token) == 42001


def test_a_plain_token_is_new_each_time_and_its_predecessor_lives_five_minutes(tokens, clock, shop):
    first = tokens.mint_plain(shop).text
    clock.advance(1000)
    second = tokens.mint_plain(shop).text

    assert first != second
    clock.advance(299.9)
    assert tokens.app_id_of(first) == shop
    clock.advance(0.1)
    assert errcode(tokens, first) == 40001
    assert tokens.app_id_of(second) == shop


def test_a_stable_token_stays_the_same_until_its_last_five_minutes(tokens, clock, shop):
    first = tokens.stable(shop, force_refresh=False)
    clock.advance(6900)
    kept = tokens.stable(shop, force_refresh=False)
    clock.advance(0.5)
    second = tokens.stable(shop, force_refresh=False)

    assert first.expires_in(clock() - 6900.5) == 7200
    assert kept == first
    assert kept.expires_in(clock() - 0.5) == 300
    assert second.text != first.text
    assert second.expires_in(clock()) == 7200
    clock.advance(299)
    assert tokens.app_id_of(first.text) == tokens.app_id_of(second.text) == shop


def test_a_forced_refresh_kills_the_previous_token_at_once(tokens, shop):
    first = tokens.stable(shop, force_refresh=False).text
    second = tokens.stable(shop, force_refresh=True).text

    assert errcode(tokens, first) == 40001
    assert tokens.app_id_of(second) == shop
    assert tokens.stable(shop, force_refresh=False).text == second


def test_a_forced_refresh_within_30_seconds_silently_does_nothing(tokens, clock, shop):
    first = tokens.stable(shop, force_refresh=True).text

    clock.advance(29.9)
    assert tokens.stable(shop, force_refresh=True).text == first
    clock.advance(0.1)
    assert tokens.stable(shop, force_refresh=True).text != first


def test_the_21st_forced_refresh_of_a_day_is_refused_until_midnight_in_beijing(
    tokens, clock, shop, other_shop
):
    clock.now = 1_700_000_000 // 86_400 * 86_400 + 9 * 3600
    for _ in range(20):
        tokens.stable(shop, force_refresh=True)
        clock.advance(30)

    with pytest.raises(RefusedError) as refused:
        tokens.stable(shop, force_refresh=True)

    assert refused.value.errcode == 45009
    tokens.stable(other_shop, force_refresh=True)
    clock.now = 1_700_000_000 // 86_400 * 86_400 + 16 * 3600
    tokens.stable(shop, force_refresh=True)


def test_the_families_leave_each_other_alone(tokens, shop):
    stable = tokens.stable(shop, force_refresh=False).text
    plain = tokens.mint_plain(shop).text
    tokens.mint_plain(shop)
    tokens.stable(shop, force_refresh=True)

    assert tokens.app_id_of(plain) == shop
    assert errcode(tokens, stable) == 40001


def test_applications_have_tokens_of_their_own(tokens, shop, other_shop):
    first = tokens.stable(shop, force_refresh=False).text
    second = tokens.stable(other_shop, force_refresh=False).text

    assert (tokens.app_id_of(first), tokens.app_id_of(second)) == (shop, other_shop)


def test_concurrent_callers_get_one_stable_token(racing_store, clock, shop):
    tokens = Tokens(racing_store(racers=16, gets=4), clock)

    with ThreadPoolExecutor(16) as threads:
        given = set(threads.map(lambda _: tokens.stable(shop, force_refresh=False).text, range(16)))

    assert len(given) == 1
    assert tokens.app_id_of(given.pop()) == shop


def test_concurrent_callers_get_a_plain_token_each_and_one_of_them_lasts(tokens, clock, shop):
    with ThreadPoolExecutor(16) as threads:
        given = list(threads.map(lambda _: tokens.mint_plain(shop).text, range(50)))
    clock.advance(300)

    assert len(set(given)) == 50
    alive = []
    for token in given:
        try:
            alive.append(tokens.app_id_of(token))
        except RefusedError as refused:
            assert refused.errcode == 40001  # noqa: PT017  49 of 50 end here
    assert alive == [shop]


def test_texts_have_wechats_shape(tokens, shop):
    text = tokens.mint_plain(shop).text

    assert 110 <= len(text) <= 157
    assert text[:2].isdigit()
    assert text[2] == "_"
