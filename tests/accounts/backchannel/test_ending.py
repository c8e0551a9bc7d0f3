"""How sessions end: once, with whatever was entered from the same browser, and not in silence."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.merging.merge import merge_by_hand
from accounts.models import LogoutNotice, Session
from accounts.models.logout_notices import NOTICES_WRITTEN
from accounts.users.closing import close
from accounts.users.suspension import suspend
from tests.support import builders

NOW = timezone.now()
Reason = Session.EndReason
ABOUT_THE_PERSON = [
    Reason.USER_SUSPENDED,
    Reason.USER_MERGED,
    Reason.MERGE_UNDONE,
    Reason.UNLINKED,
    Reason.AUTHORIZATION_CANCELLED,
    Reason.ACCOUNT_CLOSED,
]
ABOUT_THE_SESSION = [reason for reason in Reason if reason not in ABOUT_THE_PERSON]
SILENT = [Reason.EXPERIENCE_ENDED, Reason.NOT_ENTERED]


def end(*sessions, reason=Reason.LOGGED_OUT, now=NOW):
    return Session.objects.filter(pk__in=[session.pk for session in sessions]).end(
        now=now, reason=reason
    )


def test_a_session_that_ends_says_when_and_why(alice, untold, enter):
    session = enter(alice, untold)

    assert end(session, reason=Reason.TOKEN_REVOKED) == 1

    session.refresh_from_db()
    assert (session.ended_at, session.end_reason) == (NOW, "token_revoked")


def test_a_session_that_ended_stays_as_it_ended(alice, told, enter):
    session = enter(alice, told)
    end(session)

    assert end(session, reason=Reason.USER_SUSPENDED, now=NOW + timedelta(hours=1)) == 0

    session.refresh_from_db()
    assert (session.ended_at, session.end_reason) == (NOW, "logged_out")
    assert LogoutNotice.objects.count() == 1


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in SILENT])
def test_an_application_that_asks_is_to_be_told(alice, told, untold, enter, reason):
    session = enter(alice, told)

    assert end(session, enter(alice, untold), reason=reason) == 2

    notice = LogoutNotice.objects.get()
    assert (notice.session, notice.pool) == (session, session.pool)
    assert (notice.due_at, notice.created_at) == (NOW, NOW)
    assert (notice.attempts, notice.delivered_at, notice.failure) == (0, None, "")


@pytest.mark.parametrize("reason", SILENT)
def test_a_session_without_tokens_ends_in_silence(alice, told, enter, reason):
    assert end(enter(alice, told), reason=reason) == 1

    assert not LogoutNotice.objects.exists()


def test_those_that_the_caller_knows_to_run_are_told_of_as_well(alice, told, enter):
    enter(alice, told)

    assert Session.objects.filter(ended_at=None).end(now=NOW, reason=Reason.LOGGED_OUT) == 1

    assert LogoutNotice.objects.count() == 1


def test_a_switched_off_application_is_told_too(alice, told, enter):
    told.enabled = False
    told.save()

    end(enter(alice, told))

    assert LogoutNotice.objects.count() == 1


@pytest.mark.parametrize("reason", ABOUT_THE_PERSON)
def test_what_is_about_the_person_ends_all_that_was_entered_from_the_browser(
    alice, told, untold, enter, browser, reason
):
    here, elsewhere = browser(alice), browser(alice)
    session = enter(alice, told, browser_session=here)
    sibling = enter(alice, untold, browser_session=here)
    apart = enter(alice, told, browser_session=elsewhere)

    assert end(session, reason=reason) == 2

    for row in (session, sibling, apart, here, elsewhere):
        row.refresh_from_db()
    assert session.ended_at == sibling.ended_at == here.ended_at == NOW
    assert session.end_reason == sibling.end_reason == reason
    assert apart.ended_at is elsewhere.ended_at is None


@pytest.mark.parametrize("reason", ABOUT_THE_SESSION)
def test_what_is_about_one_session_leaves_the_browser_signed_on(
    alice, told, untold, enter, browser, reason
):
    here = browser(alice)
    session = enter(alice, told, browser_session=here)
    sibling = enter(alice, untold, browser_session=here)

    assert end(session, reason=reason) == 1

    sibling.refresh_from_db()
    here.refresh_from_db()
    assert sibling.ended_at is here.ended_at is None


def test_a_browser_whose_sessions_have_all_ended_is_signed_off_with_the_person(
    alice, told, enter, browser
):
    """The suspension might be lifted: then they log in anew."""
    here = browser(alice)
    end(enter(alice, told, browser_session=here), reason=Reason.TOKEN_REVOKED)

    suspend(alice, now=NOW)

    here.refresh_from_db()
    assert here.ended_at == NOW


def test_a_browser_that_was_signed_off_stays_as_it_was(alice, told, enter, browser):
    earlier = NOW - timedelta(hours=1)
    here = browser(alice)
    here.ended_at = earlier
    here.save()
    session = enter(alice, told, browser_session=here)

    assert end(session, reason=Reason.ACCOUNT_CLOSED) == 1

    here.refresh_from_db()
    assert here.ended_at == earlier


def test_somebody_elses_browser_and_sessions_go_on(acme, alice, told, enter, browser):
    bob = builders.make_user(acme.pool)
    theirs = browser(bob)
    session = enter(bob, told, browser_session=theirs)
    enter(alice, told, browser_session=browser(alice))

    assert close(alice, now=NOW)

    session.refresh_from_db()
    theirs.refresh_from_db()
    assert session.ended_at is theirs.ended_at is None


def test_a_merge_ends_only_what_was_the_merged_users(acme, alice, told, enter, browser):
    younger = builders.make_user(acme.pool)
    kept, gone = browser(alice), browser(younger)
    enter(alice, told, browser_session=kept)
    ended = enter(younger, told, browser_session=gone)

    merge_by_hand(alice, younger, operator=builders.make_operator("ada", acme.pool), now=NOW)

    assert LogoutNotice.objects.get().session == ended
    kept.refresh_from_db()
    gone.refresh_from_db()
    assert (kept.ended_at, gone.ended_at) == (None, NOW)


def test_nothing_is_told_of_what_was_taken_back(alice, told, enter, threaded_database):
    session = enter(alice, told)
    NOTICES_WRITTEN.clear()

    with transaction.atomic():
        end(session)
        transaction.set_rollback(True)

    assert not LogoutNotice.objects.exists()
    assert not NOTICES_WRITTEN.is_set()


def test_the_delivery_thread_is_woken_once_a_notice_is_committed(
    alice, told, enter, threaded_database
):
    session = enter(alice, told)
    NOTICES_WRITTEN.clear()

    with transaction.atomic():
        end(session)
        assert not NOTICES_WRITTEN.is_set()

    assert NOTICES_WRITTEN.is_set()


def test_the_delivery_thread_sleeps_where_nobody_asks(alice, untold, enter, threaded_database):
    NOTICES_WRITTEN.clear()

    end(enter(alice, untold))

    assert not NOTICES_WRITTEN.is_set()


def test_ending_costs_two_statements_where_nobody_asks(
    alice, untold, enter, django_assert_num_queries
):
    session = enter(alice, untold)
    begin_and_end = 2

    with django_assert_num_queries(2 + begin_and_end):
        end(session)
    with django_assert_num_queries(1 + begin_and_end):
        end(session)


def test_of_many_who_end_a_session_at_once_one_does(
    alice, told, enter, threaded_database, together
):
    session = enter(alice, told)

    ended = together(lambda reason: end(session, reason=reason), ABOUT_THE_SESSION[:4] * 3)

    assert sorted(ended) == [0] * 11 + [1]
    assert LogoutNotice.objects.count() == 1


def test_of_many_who_keep_a_person_out_at_once_one_ends_each_session(
    alice, told, untold, enter, browser, threaded_database, together
):
    sessions = [
        enter(alice, application, browser_session=here)
        for here in (browser(alice), browser(alice))
        for application in (told, untold)
    ]

    ended = together(lambda one: end(one, reason=Reason.USER_SUSPENDED), sessions * 3)

    assert sum(ended) == 4
    assert not Session.objects.filter(ended_at=None).exists()
    assert LogoutNotice.objects.count() == 2


def test_more_sessions_than_a_statement_may_name_end_together(alice, told, enter, monkeypatch):
    monkeypatch.setattr("accounts.models.sessions._ROWS_AT_ONCE", 2)
    sessions = [enter(alice, told) for _ in range(5)]

    assert end(*sessions) == 5

    assert not Session.objects.filter(ended_at=None).exists()
    assert LogoutNotice.objects.count() == 5


@pytest.mark.postgresql
def test_whoever_comes_second_waits_and_ends_nothing(alice, told, enter, threaded_database):
    """The second looks while the first has ended the session, and hasn't committed."""
    session = enter(alice, told)
    looked = Event()

    def come_second():
        def look(execute, *statement):
            result = execute(*statement)
            looked.set()
            return result

        with connection.execute_wrapper(look), closing(connection):
            return end(session, reason=Reason.TOKEN_REVOKED)

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            assert end(session) == 1
            second = threads.submit(come_second)
            while not looked.is_set() and not _somebody_waits():
                """The one or the other happens."""
        assert second.result() == 0
    session.refresh_from_db()
    assert session.end_reason == "logged_out"


def _somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


@pytest.mark.postgresql
def test_ending_locks_no_application(alice, told, enter):
    """Logouts of one application don't wait for each other."""
    with connection.execute_wrapper(_refuse_broad_locks):
        end(enter(alice, told))


def _refuse_broad_locks(execute, sql, params, many, context):
    if "FOR NO KEY UPDATE" in sql:
        assert sql.endswith('OF "accounts_session"')
    return execute(sql, params, many, context)
