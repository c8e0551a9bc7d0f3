"""Retired keys are published until nothing that they signed is of use, and not for longer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.sessions.signing_keys import delete_spent_keys
from applications.models import Application
from tests.support import builders
from userpools.key_rotation import prepare_key, promote_key
from userpools.keys import jwks
from userpools.models import SigningKey

pytestmark = pytest.mark.rsa

HINT = timedelta(days=30)
HOUR = timedelta(hours=1)


def retire(pool, *, ago):
    retiring = SigningKey.objects.get(pool=pool, algorithm="ES256", state="active")
    prepare_key(pool, "ES256")
    promote_key(pool, "ES256", now=timezone.now() - ago, force=True)
    return retiring


def kids(pool):
    pool.refresh_from_db()
    return {key["kid"] for key in jwks(pool)["keys"]}


def test_a_key_goes_thirty_days_after_its_last_token_expired(acme):
    now = timezone.now()
    older = retire(acme.pool, ago=HINT + HOUR + timedelta(minutes=1))
    newer = retire(acme.pool, ago=HINT + HOUR - timedelta(minutes=1))

    assert delete_spent_keys(now=now) == 1

    assert older.kid not in kids(acme.pool)
    assert newer.kid in kids(acme.pool)
    assert delete_spent_keys(now=now) == 0


def test_the_longest_access_token_of_the_pool_decides(acme, globex):
    builders.make_application(
        acme.pool, client_id="acme-long", access_token_lifetime=timedelta(days=2)
    )
    ours, theirs = (retire(one.pool, ago=HINT + 24 * HOUR) for one in (acme, globex))

    assert delete_spent_keys(now=timezone.now()) == 1

    assert ours.kid in kids(acme.pool)
    assert theirs.kid not in kids(globex.pool)


def test_a_pool_without_applications_forgets_its_keys_after_thirty_days(db):
    pool = builders.make_pool("empty")
    retired = retire(pool, ago=HINT + timedelta(minutes=1))
    assert not Application.objects.exists()

    assert delete_spent_keys(now=timezone.now()) == 1
    assert retired.kid not in kids(pool)


@pytest.mark.parametrize("state", ["active", "next"])
def test_keys_that_sign_or_will_stay_however_old(acme, state):
    prepare_key(acme.pool, "ES256")
    long_ago = timezone.now() - timedelta(days=1000)
    SigningKey.objects.update(created_at=long_ago)
    SigningKey.objects.filter(state="active").update(promoted_at=long_ago)

    assert delete_spent_keys(now=timezone.now()) == 0
    assert SigningKey.objects.filter(state=state).exists()
