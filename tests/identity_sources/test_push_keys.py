"""Token and EncodingAESKey: made, kept encrypted, replaced with a day's overlap."""

from datetime import timedelta

from django.utils import timezone

from identity_sources.models import MessagePushKey
from identity_sources.push_keys import make_push_key, push_keys_of


def test_a_source_has_none_at_first(acme):
    assert push_keys_of(acme.source, now=timezone.now()) == []


def test_what_was_made_is_good_and_stored_encrypted(acme):
    made = make_push_key(acme.source, now=timezone.now())

    assert push_keys_of(acme.source, now=timezone.now()) == [made]
    row = MessagePushKey.objects.get()
    assert made.token.encode() not in bytes(row.token_ciphertext)
    assert made.aes_key.encode() not in bytes(row.aes_key_ciphertext)


def test_a_new_one_leaves_the_old_one_a_day(acme):
    now = timezone.now()
    old = make_push_key(acme.source, now=now)
    new = make_push_key(acme.source, now=now + timedelta(hours=1))

    assert push_keys_of(acme.source, now=now + timedelta(hours=24)) == [new, old]
    assert push_keys_of(acme.source, now=now + timedelta(hours=26)) == [new]


def test_making_another_ends_no_old_one_later_than_it_would(acme):
    now = timezone.now()
    make_push_key(acme.source, now=now)
    second = make_push_key(acme.source, now=now + timedelta(hours=1))
    third = make_push_key(acme.source, now=now + timedelta(hours=20))

    assert push_keys_of(acme.source, now=now + timedelta(hours=26)) == [third, second]


def test_those_that_ran_out_are_deleted_with_the_next(acme):
    now = timezone.now()
    for days in (0, 2, 4):
        make_push_key(acme.source, now=now + timedelta(days=days))

    assert MessagePushKey.objects.count() == 2


def test_another_sources_keys_are_not_its_own(acme, globex):
    make_push_key(globex.source, now=timezone.now())

    assert push_keys_of(acme.source, now=timezone.now()) == []
