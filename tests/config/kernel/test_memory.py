"""Configuration is read from memory: 2 seconds at most, and never older than this process's change.

The rows are pools, sources and applications; `known_application` and `find_pool` keep them.
"""

import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import Http404

from applications.models import (
    Application,
    ClientSecret,
    LoginMethod,
    PostLogoutRedirectURI,
    RedirectURI,
)
from applications.offers import known_application
from config.kernel import memory
from config.kernel.errors import InvalidClient
from config.kernel.memory import FRESH_SECONDS, Memory
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.tenants import make_tenant
from userpools.models import UserPool
from userpools.pools import find_pool


@pytest.fixture
def committed(transactional_db):
    """Acme, whose rows are committed: within a test's own transaction nothing is kept."""
    return make_tenant("acme", builders.MINI_APP_ID)


class Clock:
    """The clock of the memory, which moves when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def shift(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(memory, "time", clock)
    return clock


class Reading:
    """Counts how often something is read."""

    def __init__(self, fail_after=None):
        self.count, self.fail_after = 0, fail_after

    def __call__(self, key):
        self.count += 1
        if self.fail_after is not None and self.count > self.fail_after:
            raise DatabaseError
        return f"{key} {self.count}"


def behind_the_back(statement, *parameters):
    """Change a row as another process does."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


# How long it is kept


def test_a_value_is_kept_for_two_seconds(transactional_db, clock):
    read = Memory(reading := Reading())
    first = read("a")

    clock.shift(1.9)
    assert (read("a"), reading.count) == (first, 1)
    clock.shift(0.1)
    assert (read("a"), reading.count) == ("a 2", 2)


def test_the_time_of_the_read_counts(transactional_db, clock):
    reads = []

    def read_slowly(key):
        reads.append(key)
        clock.shift(FRESH_SECONDS)

    read = Memory(read_slowly)
    read("a")
    read("a")

    assert reads == ["a", "a"]


def test_a_read_that_fails_serves_nothing_older(transactional_db, clock):
    read = Memory(Reading(fail_after=1))
    read("a")
    clock.shift(FRESH_SECONDS)

    for _ in range(2):
        with pytest.raises(DatabaseError):
            read("a")


def test_the_number_of_values_is_bounded(transactional_db, monkeypatch):
    monkeypatch.setattr(memory, "MOST_VALUES", 3)
    read = Memory(reading := Reading())
    for key in "abcd":
        read(key)

    assert read("d") == "d 4"
    assert read("a") == "a 5"
    assert reading.count == 5


@pytest.mark.parametrize(
    ("look_up", "refusal"), [(known_application, InvalidClient), (find_pool, Http404)]
)
def test_an_unknown_name_is_not_kept(committed, django_assert_num_queries, look_up, refusal):
    for _ in range(2):
        with django_assert_num_queries(1), pytest.raises(refusal):
            look_up("nobody")


def test_another_process_sees_a_change_when_two_seconds_are_over(committed, clock):
    assert known_application("acme-shop").application.enabled
    behind_the_back("UPDATE applications_application SET enabled = %s", False)

    assert known_application("acme-shop").application.enabled
    clock.shift(FRESH_SECONDS)
    assert not known_application("acme-shop").application.enabled


# This process's own changes


def save(row, **fields):
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


CHANGES = {
    "an application is saved": lambda acme: save(acme.application, enabled=False),
    "applications are updated": lambda _: Application.objects.update(enabled=False),
    "a pool is saved": lambda acme: save(acme.pool, name="Another"),
    "pools are updated": lambda _: UserPool.objects.update(signing_keys_version=7),
    "a source is saved": lambda acme: save(acme.source, enabled=False),
    "sources are updated": lambda _: IdentitySource.objects.update(enabled=False),
    "sources are updated in bulk": lambda acme: IdentitySource.objects.bulk_update(
        [acme.source], ["display_name"]
    ),
    "a method is saved": lambda acme: save(acme.method, enabled=False),
    "methods are updated": lambda acme: acme.application.login_methods.update(enabled=False),
    "a method is deleted": lambda acme: acme.method.delete(),
    "methods are deleted": lambda _: LoginMethod.objects.all().delete(),
    "a redirect URI is registered": lambda acme: RedirectURI(
        application=acme.application, uri="https://shop.example.com/"
    ).save(),
    "redirect URIs are deleted": lambda _: RedirectURI.objects.all().delete(),
    "post-logout URIs are deleted": lambda _: PostLogoutRedirectURI.objects.all().delete(),
    "a secret is made": lambda acme: ClientSecret.for_application(
        acme.application, builders.CLIENT_SECRET
    ).save(),
    "secrets are made in bulk": lambda acme: ClientSecret.objects.bulk_create(
        [ClientSecret.for_application(acme.application, builders.CLIENT_SECRET)]
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_this_process_is_seen_at_once(committed, change):
    before = known_application("acme-shop")
    assert known_application("acme-shop") is before

    change(committed)

    assert known_application("acme-shop") is not before


def test_a_change_is_seen_by_others_when_it_is_committed(threaded_database):
    tenant = make_tenant("acme", builders.MINI_APP_ID)
    seen = []

    def look():
        seen.append(known_application("acme-shop").application.enabled)
        connection.close()

    def look_from_elsewhere():
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    known_application("acme-shop")
    with transaction.atomic():
        save(tenant.application, enabled=False)
        if connection.vendor == "postgresql":  # SQLite's other threads wait for the writer
            look_from_elsewhere()
        assert not known_application("acme-shop").application.enabled
    look_from_elsewhere()

    assert seen[-1] is False
    assert all(seen[:-1])


def test_a_change_that_is_rolled_back_leaves_nothing_in_memory(committed):
    with transaction.atomic():
        with transaction.atomic():
            save(committed.application, enabled=False)
            assert not known_application("acme-shop").application.enabled
            transaction.set_rollback(True)
        assert known_application("acme-shop").application.enabled

    assert known_application("acme-shop").application.enabled


def test_what_was_read_before_a_change_was_committed_is_not_kept(committed):
    """The read began first, and ended when the change had been committed."""

    @Memory
    def read(client_id):
        enabled = Application.objects.get(client_id=client_id).enabled
        Application.objects.update(enabled=False)
        return enabled

    assert read("acme-shop") is True
    assert read("acme-shop") is False


def test_a_manager_deletes_nothing_by_itself():
    """Django's has no `delete` either: it would delete every row."""
    configuration = (Application, ClientSecret, LoginMethod, RedirectURI, PostLogoutRedirectURI)
    for model in (*configuration, IdentitySource, UserPool):
        assert not hasattr(model.objects, "delete")


def test_what_is_kept_is_shared(committed):
    assert known_application("acme-shop").application is known_application("acme-shop").application
