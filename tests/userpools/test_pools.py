"""Making a user pool."""

import pytest
from django.db import IntegrityError

from tests.support import builders
from userpools import pools
from userpools.models import SigningKey, UserPool


def test_a_pool_without_keys_isnt_made(acme):
    with pytest.raises(IntegrityError):
        pools.save_new_pool(UserPool(identifier="acme", name="Another Acme"))


@pytest.mark.django_db(transaction=True)
def test_what_fails_leaves_neither_pool_nor_keys():
    builders.make_pool("acme")
    keys = SigningKey.objects.count()

    with pytest.raises(IntegrityError):
        pools.save_new_pool(UserPool(identifier="acme", name="Another Acme"))

    assert UserPool.objects.count() == 1
    assert SigningKey.objects.count() == keys


@pytest.mark.parametrize(
    "make",
    [
        lambda: pools.create_pool(identifier="acme", name="Acme"),
        lambda: pools.save_new_pool(UserPool(identifier="acme", name="Acme")),
    ],
)
def test_a_new_pool_signs_by_each_algorithm_from_the_start(make, db):
    make()

    keys = SigningKey.objects.filter(pool__identifier="acme").order_by("algorithm")
    assert [(key.algorithm, key.state) for key in keys] == [
        ("ES256", "active"),
        ("RS256", "active"),
    ]
    assert all("PRIVATE" not in str(key.public_jwk) and "d" not in key.public_jwk for key in keys)
    assert all(key.private_jwk() for key in keys)


def test_no_two_pools_have_a_key_in_common(db):
    for identifier in ("acme", "globex"):
        pools.create_pool(identifier=identifier, name=identifier)

    kids = SigningKey.objects.values_list("kid", flat=True)
    assert len(set(kids)) == 4
