"""What an operator types in is written under the user's lock, and nothing besides it."""

import pytest
from django.contrib.auth.hashers import check_password
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import User
from accounts.users.editing import ChangedMeanwhile, Entered, add_user, change_user
from tests.support import builders
from tests.support.people import make_pair

NOW = timezone.now()


def change(user, **entered):
    change_user(user, Entered(**entered), now=NOW)
    user.refresh_from_db()


@pytest.mark.parametrize("status", [User.Status.CLOSED, User.Status.MERGED])
def test_a_closed_or_merged_user_is_changed_by_nobody(acme, status):
    user, other = make_pair(acme)
    survivor = other if status == User.Status.MERGED else None
    User.objects.filter(pk=user.pk).update(status=status, merged_into=survivor)

    # As the page had them, before somebody else was faster.
    with pytest.raises(ChangedMeanwhile):
        change_user(user, Entered(nickname="Eve"), now=NOW)
    assert User.objects.get(pk=user.pk).nickname == "Alice"


def test_a_password_never_stays_without_an_address(acme):
    user = builders.make_user(acme.pool, email="a@example.com", email_verified_at=NOW)
    User.objects.update(password="set by a colleague meanwhile")

    with pytest.raises(ChangedMeanwhile):
        change_user(user, Entered(email=""), now=NOW)
    assert User.objects.get().email == "a@example.com"


@pytest.mark.parametrize("email", ["taken@example.com", "TAKEN@example.com"])
def test_an_address_is_one_users_alone_in_a_pool(acme, globex, email):
    add_user(acme.pool, Entered(email="taken@example.com"), now=NOW)
    add_user(globex.pool, Entered(email="taken@example.com"), now=NOW)

    with pytest.raises(IntegrityError):
        add_user(acme.pool, Entered(email=email), now=NOW)


def test_a_new_users_address_is_verified_and_the_password_is_a_hash(acme):
    entered = Entered(nickname="Alice", email="a@example.com", password="a long password")

    user = add_user(acme.pool, entered, now=NOW)

    user.refresh_from_db()
    assert (user.nickname, user.email, user.email_verified_at) == ("Alice", "a@example.com", NOW)
    assert user.status == User.Status.ACTIVE
    assert "a long password" not in user.password
    assert check_password("a long password", user.password)
    assert "a long password" not in repr(entered)


def test_only_what_was_entered_changes(acme):
    user = add_user(acme.pool, Entered(email="a@example.com", password="secret"), now=NOW)
    before = User.objects.get()
    User.objects.update(email="colleague@example.com")

    change(user, nickname="Alice")

    assert (user.nickname, user.email) == ("Alice", "colleague@example.com")
    assert user.password == before.password


def test_things_can_be_removed(acme):
    user = add_user(
        acme.pool, Entered(nickname="A", email="a@example.com", password="secret"), now=NOW
    )

    change(user, nickname="", email="", password="")

    assert (user.nickname, user.email, user.password) == ("", "", "")
    assert user.email_verified_at is None


def test_a_suspended_user_can_be_changed(acme):
    user = builders.make_user(acme.pool, status=User.Status.SUSPENDED)

    change(user, nickname="Alice")

    assert (user.nickname, user.status) == ("Alice", User.Status.SUSPENDED)
