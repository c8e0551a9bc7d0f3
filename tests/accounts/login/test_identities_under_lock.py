"""The rows of an identity, found by hand: as the ORM reads them, and as they are under the lock."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.locking import LostRace, lock_users
from accounts.login.identities import find_locked
from accounts.merging.merge import merge
from accounts.models import LinkedAccount, User
from tests.support import builders

OPENID, UNIONID = "oSANDBOX_alice", "oSANDBOX_alices_union"


@pytest.fixture
def user(acme):
    return builders.make_user(acme.pool)


@pytest.fixture
def find(acme):
    """Find the rows of an identity at Acme's mini program, in a transaction."""

    def found(openid=OPENID, unionid=UNIONID):
        with transaction.atomic():
            return find_locked(acme.pool.pk, acme.source.app_id, openid, unionid)

    return found


def known(acme, user, *, other=None, **fields):
    """Link the OpenID to one user, and the UnionID to the same or another one."""
    openid = builders.link_openid(user, OPENID, app_id=acme.source.app_id, **fields)
    return openid, builders.link_unionid(other or user, UNIONID)


# What is found


def test_every_field_of_the_rows_and_their_users_is_what_the_orm_reads(acme, find):
    now = timezone.now()
    user = builders.make_member(
        acme.pool,
        nickname="爱丽 Alice",
        avatar_url="https://example.com/a.png",
        phone_number="+8613800138001",
        phone_number_verified_at=now,
        status=User.Status.CLOSED,
        closed_at=now,
        was_suspended=True,
        erased_at=now,
    )
    other = builders.make_user(acme.pool)
    known(acme, user, other=other, unionid="u", last_seen_at=now - timedelta(days=1))

    rows = find()

    assert [row.kind for row in rows] == ["openid", "unionid"]
    for row in rows:
        stored = LinkedAccount.objects.get(pk=row.pk)
        assert fields_of(row) == fields_of(stored)
        assert fields_of(row.user) == fields_of(User.objects.get(pk=stored.user_id))
        for found in (row, row.user):
            state = found._state  # noqa: SLF001 - documented by Django
            assert (state.adding, state.db) == (False, "default")
            assert found.get_deferred_fields() == set()
    assert [row.user for row in rows] == [user, other]


def fields_of(row):
    """Return the value of each field, with its type."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: (type(value), value) for name, value in values.items()}


def test_a_found_row_can_be_saved(acme, user, find):
    known(acme, user)
    row = find()[0]
    row.user.nickname = "Alice"

    row.user.save()
    row.save()

    assert User.objects.get().nickname == "Alice"
    assert LinkedAccount.objects.count() == 2


def test_each_half_of_an_identity_is_found_alone(acme, user, find):
    openid, unionid = known(acme, user)

    assert find(unionid="") == [openid]
    assert find(unionid="another") == [openid]
    assert find(openid="another") == [unionid]
    assert find(openid="another", unionid="another") == []


def test_an_empty_unionid_finds_nothing(acme, user, find):
    builders.link_openid(user, "o-of-somebody", app_id=acme.source.app_id)

    assert find(unionid="") == []


def test_a_unionid_is_no_openid_and_the_other_way_round(acme, user, find):
    known(acme, user)

    assert find(openid=UNIONID, unionid=OPENID) == []


def test_an_openid_of_another_app_is_not_found(acme, user, find):
    builders.link_openid(user, OPENID, app_id="wx00000000000000aa")

    assert find() == []


def test_rows_of_another_pool_are_not_found(acme, globex, find):
    stranger = builders.make_user(globex.pool)
    builders.link_openid(stranger, OPENID, app_id=acme.source.app_id)
    builders.link_unionid(stranger, UNIONID)

    assert find() == []


# The lock


@pytest.mark.postgresql
def test_users_are_locked_for_no_key_update_in_the_order_of_their_ids(acme, find):
    older, younger = builders.make_user(acme.pool), builders.make_user(acme.pool)
    known(acme, younger, other=older)

    with CaptureQueriesContext(connection) as log:
        find()

    said = [query["sql"] for query in log if query["sql"].startswith("SELECT")]
    assert len(said) == 2
    assert said[0].endswith(" ORDER BY person.id FOR NO KEY UPDATE")
    assert "FOR" not in said[1].split()


@pytest.mark.postgresql
def test_a_user_of_a_lower_id_is_locked_before_one_of_a_higher(threaded_database, acme, find):
    """While somebody holds the higher one, the lower one is locked already."""
    lower, higher = sorted((builders.make_user(acme.pool) for _ in range(2)), key=lambda u: u.pk)
    known(acme, higher, other=lower)

    with meanwhile(lambda: lock_users(acme.pool.pk, [higher.pk]), find) as found:
        assert not is_free(lower)

    assert {row.user_id for row in found()} == {lower.pk, higher.pk}


@pytest.mark.postgresql
def test_a_user_of_a_higher_id_is_not_locked_before_one_of_a_lower(threaded_database, acme, find):
    lower, higher = sorted((builders.make_user(acme.pool) for _ in range(2)), key=lambda u: u.pk)
    known(acme, lower, other=higher)

    with meanwhile(lambda: lock_users(acme.pool.pk, [lower.pk]), find) as found:
        assert is_free(higher)

    assert {row.user_id for row in found()} == {lower.pk, higher.pk}


@pytest.mark.postgresql
def test_only_the_users_that_are_found_are_locked_until_the_transaction_ends(
    threaded_database, acme, user
):
    other = builders.make_user(acme.pool)
    known(acme, user)

    with transaction.atomic():
        find_locked(acme.pool.pk, acme.source.app_id, OPENID, UNIONID)
        assert not in_thread(is_free, user)
        assert in_thread(is_free, other)
    assert in_thread(is_free, user)


@pytest.mark.postgresql
def test_rows_with_a_foreign_key_to_a_locked_user_may_be_inserted(threaded_database, acme, user):
    known(acme, user)

    with transaction.atomic():
        find_locked(acme.pool.pk, acme.source.app_id, OPENID, UNIONID)
        in_thread(lambda: builders.link_openid(user, "o-elsewhere", app_id="wx1"))

    assert LinkedAccount.objects.count() == 3


# Somebody else is at work when the login comes


@pytest.mark.postgresql
def test_a_user_is_read_as_the_transaction_before_left_them(threaded_database, acme, user, find):
    known(acme, user)

    def suspend():
        lock_users(acme.pool.pk, [user.pk])
        User.objects.filter(pk=user.pk).update(status=User.Status.SUSPENDED)

    with meanwhile(suspend, find) as found:
        pass

    assert {row.user.status for row in found()} == {"suspended"}


@pytest.mark.postgresql
def test_rows_that_move_to_a_user_who_was_not_locked_are_a_lost_race(
    threaded_database, acme, user, find
):
    other = builders.make_user(acme.pool)
    builders.link_unionid(other, UNIONID)

    with meanwhile(lambda: merged(acme, user, other), find) as found:
        pass

    with pytest.raises(LostRace):
        found()
    assert {row.user_id for row in find()} == {user.pk}


@pytest.mark.postgresql
def test_rows_that_move_between_locked_users_are_read_where_they_are(
    threaded_database, acme, user, find
):
    other = builders.make_user(acme.pool)
    known(acme, user, other=other)

    with meanwhile(lambda: merged(acme, user, other), find) as found:
        pass

    assert [row.user_id for row in found()] == [user.pk] * 2


@pytest.mark.postgresql
@pytest.mark.parametrize("gone", ["openid", "unionid"])
def test_a_row_that_was_unlinked_meanwhile_is_not_found(threaded_database, acme, user, find, gone):
    known(acme, user)

    def unlink():
        lock_users(acme.pool.pk, [user.pk])
        LinkedAccount.objects.filter(kind=gone).delete()

    with meanwhile(unlink, find) as found:
        pass

    assert [row.kind for row in found()] == [{"openid": "unionid", "unionid": "openid"}[gone]]


@pytest.mark.postgresql
def test_two_users_are_not_found_over_a_unionid_that_one_unlinked_meanwhile(
    threaded_database, acme, user, find
):
    other = builders.make_user(acme.pool)
    known(acme, user, other=other)

    def unlink():
        lock_users(acme.pool.pk, [other.pk])
        LinkedAccount.objects.filter(kind="unionid").delete()

    with meanwhile(unlink, find) as found:
        pass

    assert [(row.kind, row.user_id) for row in found()] == [("openid", user.pk)]


def merged(acme, user, other):
    locked = lock_users(acme.pool.pk, [user.pk, other.pk])
    merge(locked[user.pk], locked[other.pk], now=timezone.now())


@contextmanager
def meanwhile(work, find):
    """Do the work in a transaction, in which the block runs once the finder waits for its lock.

    Then the transaction is committed. Call what this yields for what the finder found.
    """
    result = []
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            work()
            finder = pool.submit(own_connection, find)
            wait_for_a_waiter()
            yield lambda: result[0].result()  # noqa: PLW0108 - there is no result yet
            assert not finder.done()
        result.append(finder)
        finder.exception()


def wait_for_a_waiter():
    """Wait until another connection waits for a lock that this one holds."""
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        waiting = None
        while not waiting:
            assert time.monotonic() < deadline, "nobody waits for a lock"
            time.sleep(0.01)
            cursor.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            waiting = cursor.fetchone()


def is_free(user):
    """Tell whether nobody holds the user's lock."""
    own = threading.Event()

    def look():
        with transaction.atomic():
            rows = User.objects.filter(pk=user.pk).select_for_update(no_key=True, skip_locked=True)
            if list(rows):
                own.set()

    in_thread(look)
    return own.is_set()


def in_thread(work, *arguments):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(own_connection, work, *arguments).result()


def own_connection(work, *arguments):
    try:
        return work(*arguments)
    finally:
        connection.close()
