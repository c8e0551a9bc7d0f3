"""The connection is given back, and a violated constraint is told by its name on both databases."""

from datetime import timedelta

import pytest
from django.core.exceptions import MultipleObjectsReturned
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CodeExchange, Conflict, LinkedAccount, User
from config.kernel.database import (
    one_or_none,
    release_connection,
    save_unless_taken,
    violated_constraint,
)
from config.kernel.primary_keys import new_id
from tests.support import builders
from userpools.models import UserPool


@pytest.mark.django_db(transaction=True)
def test_the_connection_goes_back():
    connection.ensure_connection()

    release_connection()

    # With its last connection an SQLite in memory would vanish; Django keeps that one open.
    stays = connection.vendor == "sqlite" and connection.is_in_memory_db()
    assert (connection.connection is not None) == stays


def test_within_a_transaction_there_is_nothing_to_give_back(db):
    release_connection()

    assert connection.connection is not None
    assert connection.in_atomic_block


# Which constraint was violated


def violation_of(work):
    with pytest.raises(IntegrityError) as violated, transaction.atomic():
        work()
    return violated_constraint(violated.value)


def test_a_constraint_over_columns(acme):
    user = builders.make_user(acme.pool)

    assert violation_of(lambda: builders.make_user(acme.pool, sub=user.sub)) == "accounts_user_sub"


def test_a_constraint_with_a_condition(acme):
    builders.link_openid(builders.make_user(acme.pool), "o1")
    other = builders.make_user(acme.pool)

    assert (
        violation_of(lambda: builders.link_openid(other, "o1")) == "accounts_linkedaccount_openid"
    )


def test_a_constraint_over_an_expression(acme):
    builders.make_member(acme.pool, "ann@example.com")

    violation = violation_of(lambda: builders.make_member(acme.pool, "ANN@example.com"))

    assert violation == "accounts_user_verified_email"


def test_a_primary_key(db):
    exchange().save()

    violation = violation_of(lambda: exchange().save(force_insert=True))

    assert violation == "accounts_codeexchange_pkey"


def test_a_unique_column(acme):
    violation = violation_of(lambda: UserPool.objects.create(identifier="acme", name="Again"))

    assert violation == "userpools_userpool_identifier_key"


def test_a_check_is_no_unique_constraint(acme):
    user = builders.make_user(acme.pool)
    seen = {"first_seen_at": timezone.now(), "last_seen_at": timezone.now()}

    assert (
        violation_of(
            lambda: LinkedAccount.objects.create(pool=acme.pool, user=user, kind="openid", **seen)
        )
        == ""
    )


def test_a_column_that_may_not_be_null_is_no_unique_constraint(acme):
    user = builders.make_user(acme.pool)

    assert violation_of(lambda: User.objects.filter(pk=user.pk).update(nickname=None)) == ""


@pytest.mark.django_db(transaction=True)
def test_a_foreign_key_is_no_unique_constraint(acme):
    conflict = Conflict(
        pool=acme.pool,
        user_id=new_id(),
        reason=Conflict.Reason.SECOND_OPENID,
        first_seen_at=timezone.now(),
        last_seen_at=timezone.now(),
    )

    assert violation_of(lambda: conflict.save(force_insert=True)) == ""


# Inserting once


def exchange(key="a-key", **fields):
    later = timezone.now() + timedelta(minutes=1)
    return CodeExchange(**{"key": key, "expires_at": later} | fields)


def test_only_the_first_of_two_rows_is_inserted(db):
    first, second = exchange(answer_ciphertext=b"1"), exchange(answer_ciphertext=b"2")

    assert save_unless_taken(first, "accounts_codeexchange_pkey", force_insert=True) is True
    assert save_unless_taken(second, "accounts_codeexchange_pkey", force_insert=True) is False
    assert bytes(CodeExchange.objects.get().answer_ciphertext) == b"1"


def test_another_violation_is_no_row_in_the_way(db):
    with pytest.raises(IntegrityError):
        save_unless_taken(
            exchange(expires_at=None), "accounts_codeexchange_pkey", force_insert=True
        )


# A look-up that is unique


def test_the_row_of_a_unique_look_up_or_none(acme):
    acmes = UserPool.objects.filter(identifier="acme")

    assert one_or_none(acmes) == acme.pool
    assert one_or_none(acmes.values_list("name", flat=True)) == acme.pool.name
    assert one_or_none(UserPool.objects.filter(identifier="nobodys")) is None


def test_a_unique_look_up_is_neither_sorted_nor_limited(acme):
    with CaptureQueriesContext(connection) as log:
        one_or_none(UserPool.objects.filter(identifier="acme"))

    [statement] = [query["sql"] for query in log]
    assert "ORDER BY" not in statement
    assert "LIMIT" not in statement


def test_a_look_up_with_several_rows_is_a_mistake(acme, globex):
    with pytest.raises(MultipleObjectsReturned, match=r"^2 rows of userpools\.UserPool$"):
        one_or_none(UserPool.objects.all())
