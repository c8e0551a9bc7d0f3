"""What WeChat has against a source, in words."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import prefetch_related_objects

from identity_sources.complaints import complaints_about
from identity_sources.health import NOTICES_LAST, note_punishment
from tests.support.wechat_calls import MINUTE, NOW, REFUSED, RID, SECOND, note

DAY = timedelta(days=1)


def about(source, *, now=NOW):
    return complaints_about(source, now=now)


def test_a_source_that_works_has_none(source):
    assert about(source) == []


def test_a_refusal_is_said_with_its_remedy_and_wechats_own_words(source):
    note(source, REFUSED)
    note(source, REFUSED, now=NOW + MINUTE)

    (complaint,) = about(source)

    assert complaint.subject == "Login: AppID and AppSecret"
    assert complaint.meaning == "The AppSecret is wrong, or it was reset and this is the old one."
    assert complaint.remedy.startswith("Enter the current AppSecret.")
    assert (complaint.call, complaint.errcode, complaint.rid) == ("jscode2session", 40125, RID)
    assert complaint.errmsg == f"invalid appsecret, rid: {RID}"
    assert (complaint.since, complaint.last_at) == (NOW, NOW + MINUTE)
    assert not complaint.is_notice


def test_each_call_is_named_by_what_it_is_for(source):
    subjects = {
        "jscode2session": "Login: AppID and AppSecret",
        "oauth2_access_token": "Login: AppID and AppSecret",
        "stable_token": "Server calls: phone numbers, codes to scan",
        "getuserphonenumber": "Phone numbers",
        "a_new_call": "a_new_call",
    }
    for call in subjects:
        note(source, replace(REFUSED, call=call, errcode=40164))

    assert {one.call: one.subject for one in about(source)} == subjects


@pytest.mark.parametrize(
    ("event_type", "meaning", "is_notice"),
    [
        (1, "WeChat has warned the account about a violation.", True),
        (2, "WeChat has banned functions of the app.", True),
        (3, "WeChat has removed the app (下架): nobody can open it.", False),
        (4, "WeChat has banned the account.", False),
        (10, "WeChat has banned pages of the app.", True),
        (99, "WeChat has taken a measure against the app that isn't known here.", True),
    ],
)
def test_a_punishment_is_said_with_what_wechat_said_of_it(source, event_type, meaning, is_notice):
    note_punishment(source, event_type=event_type, facts={"banned_days": 7}, now=NOW)

    (complaint,) = about(source)

    assert (complaint.subject, complaint.meaning) == ("Notice from WeChat", meaning)
    assert complaint.is_notice is is_notice
    assert ("offer them another way" in complaint.remedy) is not is_notice
    assert (complaint.call, complaint.errcode) == ("wxa_punish_event", None)
    assert complaint.facts == {"event_type": event_type, "banned_days": 7}


def test_failures_come_first_and_the_oldest_first_among_them(source):
    note_punishment(source, event_type=1, facts={}, now=NOW - DAY)
    note(source, replace(REFUSED, call="stable_token"), now=NOW)
    note(source, REFUSED, now=NOW + SECOND)
    note_punishment(source, event_type=3, facts={}, now=NOW + MINUTE)

    shown = [(one.call, one.is_notice) for one in about(source)]

    assert shown == [
        ("stable_token", False),
        ("jscode2session", False),
        ("wxa_punish_event", False),
        ("wxa_punish_event", True),
    ]


def test_a_notice_goes_after_its_time_and_a_failure_does_not(source):
    note_punishment(source, event_type=1, facts={}, now=NOW)
    note_punishment(source, event_type=4, facts={}, now=NOW)

    assert len(about(source, now=NOW + NOTICES_LAST - SECOND)) == 2
    (left,) = about(source, now=NOW + NOTICES_LAST)
    assert not left.is_notice


def test_another_sources_complaints_are_its_own(source, globex):
    note(globex.source, REFUSED)

    assert about(source) == []


@pytest.mark.parametrize(("prefetched", "queries"), [(False, 1), (True, 0)])
def test_it_costs_one_query_at_most(source, prefetched, queries, django_assert_num_queries):
    for call in ("jscode2session", "stable_token"):
        note(source, replace(REFUSED, call=call))
    if prefetched:
        prefetch_related_objects([source], "failures")

    with django_assert_num_queries(queries):
        assert len(about(source)) == 2
