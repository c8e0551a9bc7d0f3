"""Whoever changes keys at once: one key signs afterwards, and the slower are refused in words."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Session, User
from accounts.sessions.signing_keys import revoke_key
from tests.support import builders
from tests.support.client import LOGIN_URL, GuardedClient
from userpools.key_rotation import KeyRotationRefused, prepare_key, promote_key
from userpools.keys import pool_keys
from userpools.models import SigningKey, UserPool

pytestmark = pytest.mark.rsa

ROUNDS = 5


@pytest.fixture(autouse=True)
def many_connections(threaded_database):
    """Every test here needs a database for many threads."""


def attempt(change):
    """Make a change; return the sentence of its refusal, if it was refused."""
    try:
        change()
    except KeyRotationRefused as refusal:
        return str(refusal)
    return ""


def promote(pool):
    return promote_key(pool, "ES256", now=timezone.now(), force=True)


def key_in(pool, state):
    return SigningKey.objects.get(pool=pool, algorithm="ES256", state=state)


def count(pool, state):
    return SigningKey.objects.filter(pool=pool, algorithm="ES256", state=state).count()


def test_of_many_who_prepare_one_does(acme, together):
    said = together(attempt, [lambda: prepare_key(acme.pool, "ES256")] * 8)

    assert said.count("") == 1
    assert set(said) == {"", "ES256 has a next key already. Promote it, or revoke it first."}
    assert count(acme.pool, "next") == 1


def test_of_many_who_promote_one_does(acme, together):
    for _ in range(ROUNDS):
        coming = prepare_key(acme.pool, "ES256")

        said = together(attempt, [lambda: promote(acme.pool)] * 8)

        assert said.count("") == 1
        assert set(said) == {"", "ES256 has no next key. Prepare one first."}
        assert key_in(acme.pool, "active") == coming
    assert count(acme.pool, "retired") == ROUNDS


@pytest.mark.parametrize("state", ["active", "next"])
def test_promoting_and_revoking_at_once_leaves_one_key_that_signs(acme, together, state):
    for _ in range(ROUNDS):
        prepare_key(acme.pool, "ES256")
        revoked = key_in(acme.pool, state).kid
        changes = [
            lambda: promote(acme.pool),
            lambda kid=revoked: revoke_key(acme.pool, kid, now=timezone.now()),
        ]

        said = together(attempt, changes * 3)

        assert all(not one or "has no next key" in one or revoked in one for one in said)
        assert count(acme.pool, "active") == 1
        assert count(acme.pool, "next") == 0
        assert not SigningKey.objects.filter(kid=revoked).exists()
        acme.pool.refresh_from_db()
        assert pool_keys(acme.pool).signing["ES256"].kid == key_in(acme.pool, "active").kid


def test_revoking_all_keys_at_once_leaves_one_that_signs(acme, together):
    promote_at = timezone.now() - timedelta(days=1)
    for _ in range(3):
        prepare_key(acme.pool, "ES256")
        promote_key(acme.pool, "ES256", now=promote_at, force=True)
    prepare_key(acme.pool, "ES256")
    kids = list(SigningKey.objects.filter(algorithm="ES256").values_list("kid", flat=True))

    together(lambda kid: revoke_key(acme.pool, kid, now=timezone.now()), kids)

    assert count(acme.pool, "active") == 1
    assert not SigningKey.objects.filter(kid__in=kids).exists()


def test_every_change_counts_in_the_version(acme, globex, together):
    pools = [acme.pool, globex.pool]
    algorithms = SigningKey.Algorithm.values
    changes = [
        lambda pool=pool, name=name: prepare_key(pool, name)
        for pool in pools
        for name in algorithms
    ]
    before = dict(UserPool.objects.values_list("pk", F("signing_keys_version") + len(algorithms)))

    assert set(together(attempt, changes)) == {""}

    assert dict(UserPool.objects.values_list("pk", "signing_keys_version")) == before


def test_logins_go_on_while_keys_change(acme, together):
    def log_in():
        fields = {"client_id": "acme-shop", "code": builders.wx_login("alice")}
        return GuardedClient().post(LOGIN_URL, fields, content_type="application/json").status_code

    def rotate():
        prepare_key(acme.pool, "ES256")
        promote(acme.pool)
        revoke_key(acme.pool, key_in(acme.pool, "active").kid, now=timezone.now())
        return 200

    assert set(together(lambda work: work(), [*[log_in] * 8, rotate])) == {200}

    assert count(acme.pool, "active") == 1
    assert Session.objects.count() == 8


@pytest.mark.postgresql
def test_nobody_waits_for_a_change_of_keys_that_is_under_way(acme, together):
    def arrive(pool):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            builders.make_user(pool)

    with transaction.atomic():
        prepare_key(acme.pool, "ES256")
        together(arrive, [acme.pool])

    assert User.objects.count() == 1
