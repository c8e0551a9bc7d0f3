"""What the database itself refuses about merged users, conflicts, tickets and addresses."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import (
    AccountEvent,
    BindingTicket,
    BlockedIdentity,
    Conflict,
    LinkedAccount,
    Merge,
    User,
)
from config.kernel.encryption import DecryptionError
from tests.support import builders

NOW = timezone.now()


@pytest.fixture
def alice(acme):
    return builders.make_user(acme.pool)


@pytest.fixture
def bob(acme):
    return builders.make_user(acme.pool)


@pytest.fixture
def stranger(globex):
    return builders.make_user(globex.pool)


def refused(write):
    def write_all():
        write()
        connection.check_constraints()  # some are looked at only when a transaction ends

    with pytest.raises(IntegrityError), transaction.atomic():
        write_all()


def change(user, **fields):
    return lambda: User.objects.filter(pk=user.pk).update(**fields)


# Users


@pytest.mark.parametrize("written", ["ann@example.com", "Ann@Example.COM"])
def test_a_verified_address_is_one_persons_in_a_pool_in_whatever_case(
    alice, bob, stranger, written
):
    verified = {"email": "ann@example.com", "email_verified_at": NOW}
    change(alice, **verified)()

    refused(change(bob, email=written, email_verified_at=NOW))
    change(bob, email=written)()
    change(stranger, **verified)()


def test_without_an_address_none_is_verified(alice):
    refused(change(alice, email_verified_at=NOW))


@pytest.mark.parametrize("status", ["active", "suspended", "closed"])
def test_only_a_merged_user_has_a_survivor(alice, bob, status):
    refused(change(alice, status=status, merged_into=bob))


def test_a_merged_user_has_a_survivor_of_the_same_pool(alice, bob, stranger):
    refused(change(alice, status="merged"))
    refused(change(alice, status="merged", merged_into=stranger))
    change(alice, status="merged", merged_into=bob)()


# Merges


def merge(survivor, merged, **fields):
    return lambda: Merge.objects.create(
        **{"pool": survivor.pool, "survivor": survivor, "merged": merged, "merged_at": NOW} | fields
    )


def test_a_user_is_merged_once_at_a_time(acme, alice, bob):
    carol = builders.make_user(acme.pool)
    made = merge(alice, bob)()

    refused(merge(carol, bob))
    Merge.objects.filter(pk=made.pk).update(undone_at=NOW)
    merge(carol, bob)()


def test_a_merge_is_of_two_users_of_its_pool(alice, bob, stranger):
    refused(merge(alice, alice))
    refused(merge(alice, stranger))
    refused(merge(alice, bob, pool=stranger.pool))


# Conflicts


def conflict(user, other=None, **fields):
    reason = "unionid_of_another_user" if other else "second_openid"
    seen = {"first_seen_at": NOW, "last_seen_at": NOW}
    return lambda: Conflict.objects.create(
        **{"pool": user.pool, "user": user, "other": other, "reason": reason} | seen | fields
    )


def test_a_pair_is_held_once_and_so_is_an_openid(alice, bob):
    conflict(alice, bob)()
    conflict(alice, app_id="wx1", openid="o1")()

    refused(conflict(alice, bob))
    refused(conflict(alice, bob, app_id="wx1", openid="o1"))
    refused(conflict(alice, app_id="wx1", openid="o1"))
    conflict(alice, app_id="wx1", openid="o2")()
    conflict(bob, app_id="wx1", openid="o1")()


def test_a_conflict_is_of_two_users_of_its_pool(alice, bob, stranger):
    refused(conflict(alice, alice))
    refused(conflict(alice, stranger))
    refused(conflict(alice, bob, pool=stranger.pool))


# What is of a user is of their pool


@pytest.mark.parametrize(
    "write",
    [
        lambda user, pool: AccountEvent.objects.create(
            pool=pool, user=user, kind="merged", occurred_at=NOW
        ),
        lambda user, pool: BlockedIdentity.objects.create(
            pool=pool, user=user, identity_hash="h", created_at=NOW
        ),
        lambda user, pool: LinkedAccount.objects.create(
            pool=pool, user=user, kind="unionid", unionid="u", first_seen_at=NOW, last_seen_at=NOW
        ),
    ],
)
def test_what_is_of_a_user_is_of_their_pool(alice, globex, write):
    refused(lambda: write(alice, globex.pool))
    write(alice, alice.pool)


def test_a_hash_is_kept_once_in_a_pool(alice, bob, stranger):
    def block(user):
        row = {"pool": user.pool, "user": user, "identity_hash": "h", "created_at": NOW}
        return lambda: BlockedIdentity.objects.create(**row)

    block(alice)()
    refused(block(bob))
    block(stranger)()


# Tickets


def make_ticket(tenant, **fields):
    row = {
        "pool": tenant.pool,
        "application": tenant.application,
        "login_method": tenant.method,
        "ticket_hash": b"h" * 32,
        "answer_ciphertext": b"",
        "scope": "openid",
        "expires_at": NOW + timedelta(minutes=5),
    }
    return BindingTicket.objects.create(**row | fields)


def test_a_ticket_occurs_once_and_is_of_its_applications_pool(acme, globex):
    make_ticket(acme)

    refused(lambda: make_ticket(acme))
    refused(lambda: make_ticket(acme, ticket_hash=b"i" * 32, application=globex.application))


def test_a_ticket_is_usable_until_it_is_used_expired_or_guessed_at(acme):
    spent = [{"used_at": NOW}, {"expires_at": NOW}, {"failed_proofs": 5}, {"failed_proofs": 6}]
    for number, fields in enumerate(spent):
        make_ticket(acme, ticket_hash=bytes([number]) * 32, **fields)
    good = make_ticket(acme, failed_proofs=4)

    assert list(BindingTicket.objects.usable(NOW)) == [good]


def test_the_tries_of_a_ticket_are_counted_in_the_database(acme):
    ticket = make_ticket(acme)
    same = BindingTicket.objects.get()

    assert [row.count_proof(NOW) for row in (ticket, same) * 3] == [True] * 5 + [False]


def test_what_a_ticket_stands_for_is_readable_in_its_own_row_only(acme):
    ticket = make_ticket(acme)
    ticket.answer_ciphertext = ticket.seal_answer("somebody")
    other = make_ticket(acme, ticket_hash=b"i" * 32, answer_ciphertext=ticket.answer_ciphertext)

    assert ticket.answer() == "somebody"
    with pytest.raises(DecryptionError):
        other.answer()
