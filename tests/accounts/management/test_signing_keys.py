"""``manage.py signing_keys``: rotating by command, for both algorithms or one."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Session
from userpools.models import SigningKey

pytestmark = pytest.mark.rsa

DAY = timedelta(hours=24)


def run(*words):
    said = io.StringIO()
    call_command("signing_keys", *words, stdout=said)
    return said.getvalue()


def key_in(tenant, state, algorithm="ES256"):
    return SigningKey.objects.get(pool=tenant.pool, algorithm=algorithm, state=state)


def states(tenant):
    keys = SigningKey.objects.filter(pool=tenant.pool).order_by("algorithm", "state")
    return list(keys.values_list("algorithm", "state"))


BOTH_ACTIVE = [("ES256", "active"), ("RS256", "active")]


@pytest.mark.parametrize("action", ["list", "prepare", "promote", "revoke"])
def test_a_pool_that_isnt_there_is_named(acme, action):
    with pytest.raises(CommandError, match=r"^There is no user pool 'umbrella'\.$"):
        run("umbrella", action)


def test_an_action_that_doesnt_exist_is_refused(acme):
    with pytest.raises(CommandError, match="invalid choice: 'rotate'"):
        run("acme", "rotate")


def test_an_algorithm_that_doesnt_exist_is_refused(acme):
    with pytest.raises(CommandError, match="invalid choice: 'HS256'"):
        run("acme", "prepare", "--algorithm", "HS256")


def test_keys_are_listed_with_their_times(acme, globex):
    run("acme", "prepare", "--algorithm", "ES256")
    moments = {"created_at": "2026-05-01T08:00:00Z", "promoted_at": None}
    SigningKey.objects.filter(state="next").update(**moments)

    said = run("acme")

    assert run("acme", "list") == said
    header, *rows = [line.split("  ") for line in said.splitlines()]
    assert [cell.strip() for cell in header if cell] == [
        "kid",
        "algorithm",
        "state",
        "published",
        "promoted",
        "retired",
        "may be promoted from",
    ]
    assert len(rows) == 3
    coming = next(line for line in said.splitlines() if "next" in line)
    assert coming.split() == [
        key_in(acme, "next").kid,
        *("ES256", "next", "2026-05-01", "08:00:00", "UTC"),
        *("-", "-", "2026-05-02", "08:00:00", "UTC"),
    ]
    assert not any(key.kid in said for key in SigningKey.objects.filter(pool=globex.pool))


def test_no_listing_holds_a_private_key(acme):
    assert '"d"' not in run("acme", "list")


def test_both_algorithms_rotate_within_a_day_and_a_moment(acme):
    said = run("acme", "prepare")

    assert [line.partition(":")[0] for line in said.splitlines()] == ["ES256", "RS256"]
    for algorithm in SigningKey.Algorithm.values:
        assert f"{algorithm}: {key_in(acme, 'next', algorithm).kid} is published. " in said
    with time_machine.travel(timezone.now() + DAY):
        said = run("acme", "promote")
    for algorithm in SigningKey.Algorithm.values:
        kid = key_in(acme, "active", algorithm).kid
        assert f"{algorithm}: {kid} signs from now on.\n" in said
        assert key_in(acme, "retired", algorithm).kid != kid


def test_one_algorithm_rotates_alone(acme):
    run("acme", "prepare", "--algorithm", "RS256")

    assert states(acme) == [*BOTH_ACTIVE, ("RS256", "next")]


def test_a_second_next_key_is_refused_for_both(acme):
    run("acme", "prepare", "--algorithm", "RS256")

    with pytest.raises(CommandError) as refusal:
        run("acme", "prepare")

    assert str(refusal.value) == (
        "RS256 has a next key already. Promote it, or revoke it first. Nothing was changed."
    )
    assert states(acme) == [*BOTH_ACTIVE, ("RS256", "next")]


def test_promoting_too_early_says_from_when_and_what_force_costs(acme):
    run("acme", "prepare")
    SigningKey.objects.filter(state="next").update(created_at="2026-05-01T08:00:00Z")

    with time_machine.travel("2026-05-02T07:00:00Z"), pytest.raises(CommandError) as refusal:
        run("acme", "promote")

    assert str(refusal.value) == (
        "The next key of ES256 may be promoted from 2026-05-02 08:00:00 UTC. Nothing was changed. "
        "With --force it is promoted now, and clients that fetched the keys before it was "
        "published refuse its tokens for up to an hour."
    )


def test_force_promotes_now(acme):
    run("acme", "prepare")

    run("acme", "promote", "--force")

    assert states(acme) == [
        ("ES256", "active"),
        ("ES256", "retired"),
        ("RS256", "active"),
        ("RS256", "retired"),
    ]


def test_promoting_one_without_a_next_key_promotes_neither(acme):
    run("acme", "prepare", "--algorithm", "ES256")

    with pytest.raises(CommandError, match="RS256 has no next key"):
        run("acme", "promote", "--force")

    assert states(acme) == [("ES256", "active"), ("ES256", "next"), ("RS256", "active")]


def test_a_revoked_key_is_gone_with_its_sessions(acme, log_in):
    log_in()
    kid = key_in(acme, "active").kid

    assert run("acme", "revoke", f"--kid={kid}") == (f"{kid} is revoked. Sessions that ended: 1.\n")

    assert Session.objects.get().end_reason == "signing_key_revoked"
    assert key_in(acme, "active").kid != kid


def test_which_key_is_revoked_has_to_be_said(acme):
    with pytest.raises(CommandError) as refusal:
        run("acme", "revoke")

    assert str(refusal.value) == "Say which key, by --kid=…. `signing_keys acme` lists them."
    assert states(acme) == BOTH_ACTIVE


def test_another_pools_key_isnt_revoked(acme, globex):
    kid = key_in(globex, "active").kid

    with pytest.raises(CommandError) as refusal:
        run("acme", "revoke", f"--kid={kid}")

    assert str(refusal.value) == f"This pool has no signing key {kid}. Nothing was changed."
    assert states(globex) == BOTH_ACTIVE
