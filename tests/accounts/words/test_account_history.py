"""An account's history in words: what, by whom, and nothing that looks like a program's."""

import pytest
from django.utils import timezone

from accounts.models import AccountEvent
from accounts.words.account_history import author_of, facts_of
from tests.support import builders

Kind = AccountEvent.Kind


@pytest.fixture
def event(acme):
    user = builders.make_user(acme.pool, sub="own")

    def make(kind, **fields):
        AccountEvent.record(user, kind, now=timezone.now(), **fields)
        return AccountEvent.objects.latest("pk")

    return make


def test_it_is_told_by_whom(acme, event):
    ada = builders.make_operator("ada")

    assert author_of(event(Kind.CLOSED, operator=ada)) == "ada"
    assert author_of(event(Kind.LINKED, application=acme.application)) == "the person, in Shop"
    by_wechat = event(Kind.AUTHORIZATION_CANCELLED, identity_source=acme.source)
    assert author_of(by_wechat) == "WeChat, for Mini program"
    assert author_of(event(Kind.MERGED)) == "a login"
    assert author_of(event(Kind.ERASED)) == "a rule of Unionpass"


def test_a_person_who_links_is_named_before_the_source(acme, event):
    linked = event(Kind.LINKED, application=acme.application, identity_source=acme.source)

    assert author_of(linked) == "the person, in Shop"


def test_a_merge_is_told_from_the_side_of_the_user(event):
    into = event(Kind.MERGED, facts={"other": "theirs", "survivor": "theirs"})
    of = event(Kind.MERGED, facts={"other": "theirs", "survivor": "own"})
    undone = event(Kind.MERGE_UNDONE, facts={"other": "theirs", "survivor": "own"})

    assert facts_of(into) == "This user was merged into theirs."
    assert facts_of(of) == "theirs was merged into this user."
    assert facts_of(undone) == "theirs and this user are two again."


def test_other_facts_are_told_and_unknown_ones_are_shown(event):
    closed = event(Kind.CLOSED, facts={"suspended": True})
    assert facts_of(closed) == "It was suspended at the time, and stays refused."
    assert facts_of(event(Kind.FIELD_ERASED, facts={"fields": ["nickname"]})) == "nickname"
    assert facts_of(event(Kind.LINKED)) == ""
    assert facts_of(event(Kind.LINKED, facts={"new": 1})) == "new: 1"
