"""Staged rotation: published a day before it signs, verifying long after, never without a key."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from tests.support.tenants import Tenant
from userpools.key_rotation import (
    KeyRotationRefused,
    PromotionTooEarly,
    UnknownKey,
    prepare_key,
    promotable_from,
    promote_key,
    remove_key,
    remove_retired_keys,
)
from userpools.keys import jwks, pool_keys
from userpools.models import SigningKey, UserPool

pytestmark = pytest.mark.rsa

DAY = timedelta(hours=24)

each_algorithm = pytest.mark.parametrize("algorithm", SigningKey.Algorithm.values)


@pytest.fixture
def pool(acme: Tenant) -> UserPool:
    return acme.pool


def key_in(pool, state, algorithm="ES256"):
    return SigningKey.objects.get(pool=pool, algorithm=algorithm, state=state)


def states(pool, algorithm="ES256"):
    keys = SigningKey.objects.filter(pool=pool, algorithm=algorithm)
    return sorted(keys.values_list("state", flat=True))


def elsewhere(pool):
    """The pool as another process reads it with its next request."""
    return UserPool.objects.get(pk=pool.pk)


def published(pool):
    return {key["kid"] for key in jwks(elsewhere(pool))["keys"]}


# Preparing


@each_algorithm
def test_a_next_key_is_published_and_signs_nothing(pool, algorithm):
    before = pool_keys(pool).signing[algorithm].kid

    coming = prepare_key(pool, algorithm)

    assert coming.state == "next"
    assert coming.promoted_at is None
    assert coming.kid in published(pool)
    assert pool_keys(elsewhere(pool)).signing[algorithm].kid == before


def test_a_second_next_key_is_refused(pool):
    coming = prepare_key(pool, "ES256")
    version = elsewhere(pool).signing_keys_version

    with pytest.raises(KeyRotationRefused) as refusal:
        prepare_key(pool, "ES256")

    assert str(refusal.value) == "ES256 has a next key already. Promote it, or revoke it first."
    assert key_in(pool, "next") == coming
    assert elsewhere(pool).signing_keys_version == version


def test_algorithms_and_pools_rotate_by_themselves(pool, globex):
    others = published(globex.pool)

    prepare_key(pool, "ES256")
    prepare_key(pool, "RS256")

    assert states(pool, "ES256") == states(pool, "RS256") == ["active", "next"]
    assert published(globex.pool) == others
    with pytest.raises(KeyRotationRefused):
        promote_key(globex.pool, "ES256", now=timezone.now() + DAY)


# Promoting


@each_algorithm
def test_after_a_day_the_next_key_signs_and_the_one_before_verifies(pool, algorithm):
    before = pool_keys(pool).signing[algorithm].kid
    coming = prepare_key(pool, algorithm)
    now = promotable_from(coming)

    promoted = promote_key(pool, algorithm, now=now)

    assert promoted == coming
    assert pool_keys(elsewhere(pool)).signing[algorithm].kid == coming.kid
    assert key_in(pool, "active", algorithm).promoted_at == now
    retired = key_in(pool, "retired", algorithm)
    assert (retired.kid, retired.retired_at) == (before, now)
    assert {before, coming.kid} <= published(pool)


def test_before_a_day_has_passed_promoting_is_refused_with_the_time(pool):
    coming = prepare_key(pool, "ES256")
    SigningKey.objects.filter(pk=coming.pk).update(created_at=datetime(2026, 5, 1, 8, tzinfo=UTC))
    version = elsewhere(pool).signing_keys_version

    with pytest.raises(PromotionTooEarly) as refusal:
        promote_key(pool, "ES256", now=datetime(2026, 5, 2, 7, 59, 59, tzinfo=UTC))

    assert str(refusal.value) == (
        "The next key of ES256 may be promoted from 2026-05-02 08:00:00 UTC."
    )
    assert states(pool) == ["active", "next"]
    assert elsewhere(pool).signing_keys_version == version
    promote_key(pool, "ES256", now=datetime(2026, 5, 2, 8, tzinfo=UTC))


def test_force_promotes_a_key_of_this_moment(pool):
    coming = prepare_key(pool, "ES256")

    promote_key(pool, "ES256", now=timezone.now(), force=True)

    assert key_in(pool, "active") == coming


@pytest.mark.parametrize("force", [True, False])
def test_without_a_next_key_promoting_is_refused(pool, force):
    with pytest.raises(KeyRotationRefused) as refusal:
        promote_key(pool, "ES256", now=timezone.now(), force=force)

    assert str(refusal.value) == "ES256 has no next key. Prepare one first."
    assert states(pool) == ["active"]


# Removing


@each_algorithm
def test_without_an_active_key_the_next_one_signs_at_once(pool, algorithm):
    active = key_in(pool, "active", algorithm)
    coming = prepare_key(pool, algorithm)
    now = timezone.now()

    removed = remove_key(pool, active.kid, now=now)

    assert (removed.kid, removed.state) == (active.kid, "active")
    assert states(pool, algorithm) == ["active"]
    assert key_in(pool, "active", algorithm) == coming
    assert key_in(pool, "active", algorithm).promoted_at == now
    assert active.kid not in published(pool)


@each_algorithm
def test_without_an_active_and_a_next_key_a_new_one_signs_at_once(pool, algorithm):
    active = key_in(pool, "active", algorithm)

    remove_key(pool, active.kid, now=timezone.now())

    replacement = key_in(pool, "active", algorithm)
    assert replacement.kid != active.kid
    assert replacement.promoted_at is not None
    assert pool_keys(elsewhere(pool)).signing[algorithm].kid == replacement.kid
    assert active.kid not in published(pool)


@pytest.mark.parametrize("state", ["next", "retired"])
def test_removing_another_key_leaves_the_active_one(pool, state):
    prepare_key(pool, "ES256")
    promote_key(pool, "ES256", now=timezone.now(), force=True)
    prepare_key(pool, "ES256")
    active, unwanted = key_in(pool, "active"), key_in(pool, state)

    remove_key(pool, unwanted.kid, now=timezone.now())

    assert key_in(pool, "active") == active
    assert unwanted.kid not in published(pool)


@pytest.mark.parametrize("kid", ["", "nothing", "' OR 1=1 --"])
def test_a_kid_that_the_pool_hasnt_is_refused(pool, globex, kid):
    for unknown in (kid, key_in(globex.pool, "active").kid):
        with pytest.raises(UnknownKey) as refusal:
            remove_key(pool, unknown, now=timezone.now())
        assert str(refusal.value) == f"This pool has no signing key {unknown}."

    assert states(pool) == states(globex.pool) == ["active"]


def test_keys_that_retired_before_a_moment_are_deleted(pool):
    now = timezone.now()
    for days in (3, 2, 1):
        prepare_key(pool, "ES256")
        promote_key(pool, "ES256", now=now - timedelta(days=days), force=True)

    assert remove_retired_keys(pool, before=now - timedelta(days=1)) == 2

    assert states(pool) == ["active", "retired"]
    assert len(published(pool)) == 3


def test_where_nothing_is_deleted_nobody_reads_the_keys_again(pool):
    version = elsewhere(pool).signing_keys_version

    assert remove_retired_keys(pool, before=timezone.now()) == 0

    assert elsewhere(pool).signing_keys_version == version


# Other processes


def test_each_change_is_seen_by_whoever_reads_the_pool_afterwards(pool):
    now = timezone.now()
    changes = [
        lambda: prepare_key(pool, "ES256"),
        lambda: promote_key(pool, "ES256", now=now, force=True),
        lambda: remove_key(pool, key_in(pool, "active").kid, now=now),
        lambda: remove_retired_keys(pool, before=now + DAY),
    ]
    for change in changes:
        known = published(pool), pool_keys(elsewhere(pool)).signing["ES256"].kid
        change()
        assert (published(pool), pool_keys(elsewhere(pool)).signing["ES256"].kid) != known


def test_a_change_that_is_taken_back_leaves_the_version(pool):
    before = elsewhere(pool).signing_keys_version

    with transaction.atomic():
        prepare_key(pool, "ES256")
        transaction.set_rollback(True)

    assert elsewhere(pool).signing_keys_version == before
    assert states(pool) == ["active"]
