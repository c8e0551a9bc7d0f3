"""Erasing closed accounts after their grace period: what goes, what stays, and for whom."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.merging.merge import merge_by_hand
from accounts.models import AccountEvent, Conflict, LinkedAccount, LoginEvent, Merge, Session, User
from accounts.users.closing import close, erase_due, reopen
from tests.support import builders
from tests.support.people import EMAIL, PHONE, give
from tests.support.records import assert_invariants
from tests.support.secret_scanner import Scanner, dump

NOW = timezone.now()
GRACE = timedelta(days=30)
IDS = ["o-openid-of-ann", "u-unionid-of-ann"]
PERSONAL = [*IDS, "Ann of the nickname", PHONE["phone_number"], EMAIL["email"], "hash-of-anns"]
EMPTY = {
    "nickname": "",
    "avatar_url": "",
    "phone_number": "",
    "phone_number_verified_at": None,
    "email": "",
    "email_verified_at": None,
    "password": "",
}


@pytest.fixture
def ann(weixin):
    user = weixin.enter(*IDS).user
    give(user, **PHONE, **EMAIL, nickname=PERSONAL[2], password="hash-of-anns", avatar_url="a.png")
    return user


def personal_cells():
    # CodeExchange is encrypted, and gone after a minute.
    return [(table, column) for table, column, cell in dump() if Scanner(PERSONAL).found_in(cell)]


def personal(user):
    return User.objects.values(*EMPTY).get(pk=user.pk)


@pytest.mark.parametrize("status", ["active", "suspended"])
def test_nobody_is_erased_who_didnt_close_their_account(ann, status):
    give(ann, status=status, closed_at=NOW)

    assert erase_due(now=NOW + 10 * GRACE) == 0
    assert personal(ann)["nickname"] == PERSONAL[2]


def test_nobody_is_erased_before_the_grace_period_is_over(ann):
    close(ann, now=NOW)

    assert erase_due(now=NOW + GRACE - timedelta(seconds=1)) == 0
    assert personal(ann)["nickname"] == PERSONAL[2]
    assert erase_due(now=NOW + GRACE) == 1


def test_how_long_it_is_is_a_setting(ann, settings):
    settings.CLOSED_ACCOUNT_GRACE_DAYS = 7
    close(ann, now=NOW)

    assert erase_due(now=NOW + timedelta(days=7)) == 1


def test_one_that_was_opened_again_is_closed_anew(ann, operator):
    close(ann, now=NOW)
    reopen(ann, operator=operator, now=NOW)
    close(ann, now=NOW + GRACE)

    assert erase_due(now=NOW + GRACE) == 0


def test_everything_personal_goes_from_every_table(weixin, ann):
    builders.link_openid(ann, "o-elsewhere", app_id="wx00000000000000aa")
    Conflict.objects.create(
        pool=ann.pool, user=ann, app_id="wx1", openid=IDS[0], reason="second_openid",
        first_seen_at=NOW, last_seen_at=NOW,
    )  # fmt: skip
    assert personal_cells()
    close(ann, now=NOW)

    assert erase_due(now=NOW + GRACE) == 1

    assert personal_cells() == []
    assert personal(ann) == EMPTY
    assert LinkedAccount.objects.count() == Conflict.objects.count() == 0


def test_the_row_with_its_sub_and_the_events_stay(ann):
    sub, logins = ann.sub, list(LoginEvent.objects.values())
    close(ann, now=NOW)

    erase_due(now=NOW + GRACE)

    user = User.objects.get()
    assert (user.sub, user.status, user.erased_at) == (sub, "closed", NOW + GRACE)
    assert list(LoginEvent.objects.values()) == logins
    assert Session.objects.get().user == user
    kinds = AccountEvent.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["closed", "erased"]


def test_whoever_was_erased_comes_again_as_somebody_new(weixin, ann):
    close(ann, now=NOW)
    erase_due(now=NOW + GRACE)

    login = weixin.enter(*IDS, number="13800138001")

    assert (login.created, login.user == ann, login.phone_status) == (True, False, "stored")


def test_nobody_is_erased_twice(ann):
    close(ann, now=NOW)

    assert [erase_due(now=NOW + days * GRACE) for days in (1, 2, 3)] == [1, 0, 0]
    assert User.objects.get().erased_at == NOW + GRACE
    assert AccountEvent.objects.filter(kind="erased").count() == 1


def test_many_are_erased_at_once_in_each_pool_and_others_stay(acme, globex):
    for tenant in (acme, globex):
        for name in ("Ann", "Ben"):
            user = builders.make_user(tenant.pool, nickname=name)
            if name == "Ann":
                close(user, now=NOW)

    assert erase_due(now=NOW + GRACE) == 2
    assert set(User.objects.values_list("nickname", flat=True)) == {"", "Ben"}


# Tombstones


@pytest.fixture
def merged(acme, ann, operator):
    """Ann's older account, into which the one with the data was merged."""
    older = builders.make_user(acme.pool, created_at=NOW)
    User.objects.filter(pk=older.pk).update(created_at="2020-01-01T00:00Z", nickname="Older")
    older.refresh_from_db()
    merge_by_hand(older, ann, operator=operator, now=NOW)
    return older


def test_the_tombstones_of_the_erased_hold_nothing_personal_and_name_them_still(ann, merged):
    close(merged, now=NOW)

    assert erase_due(now=NOW + GRACE) == 1

    assert personal_cells() == []
    ann.refresh_from_db()
    assert (ann.status, ann.merged_into) == ("merged", merged)
    assert_invariants()


def test_a_tombstone_keeps_what_undoing_needs_as_long_as_undoing_lasts(ann, merged):
    erase_due(now=NOW + Merge.UNDO_WITHIN - timedelta(seconds=1))
    assert personal(ann)["nickname"] == PERSONAL[2]

    assert erase_due(now=NOW + Merge.UNDO_WITHIN) == 0

    ann.refresh_from_db()
    assert personal(ann) == EMPTY
    assert ann.erased_at == NOW + Merge.UNDO_WITHIN
    assert User.objects.get(pk=merged.pk).nickname == "Older"
    assert User.objects.get(pk=merged.pk).phone_number == PHONE["phone_number"]
