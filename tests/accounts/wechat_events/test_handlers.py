"""What each event obliges to, and what it leaves alone."""

import pytest
from django.utils import timezone

from accounts.models import AccountEvent, BlockedIdentity, LinkedAccount, Session, User, WeChatEvent
from accounts.users.suspension import lift_suspension, suspend
from accounts.wechat_events.handlers import punish
from identity_sources.models import SourceFailure
from identity_sources.wechat.push import Push
from tests.support import builders

CANCELLED = "user_authorization_cancellation"
REVOKED = "user_authorization_revoke"
ALL = {"nickname", "avatar_url", "phone_number"}


def filled(user):
    """Return the names of what the user still has."""
    user.refresh_from_db()
    return {name for name in ALL if getattr(user, name)}


def kinds():
    return list(AccountEvent.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("revoke_info", "left"),
    [
        ("6", {"phone_number"}),
        ("19", {"avatar_url", "phone_number"}),
        ("20", {"nickname", "phone_number"}),
        ("205", {"phone_number"}),
        ("8", {"nickname", "avatar_url"}),
        ("13", ALL),
    ],
)
def test_what_is_withdrawn_is_erased_and_the_account_stays(alice, push, revoke_info, left):
    push(REVOKED, revoke_info=revoke_info)

    assert filled(alice) == left
    assert alice.status == "active"
    assert bool(alice.phone_number_verified_at) == ("phone_number" in left)
    event = WeChatEvent.objects.get()
    assert event.outcome == ("nothing_to_do" if left == ALL else "applied")
    assert (event.user, event.facts) == (alice, {"revoke_info": [revoke_info]})
    assert kinds() == ([] if left == ALL else ["field_erased"])


def test_a_profile_that_wechat_cleaned_is_cleared(alice, push):
    push("user_info_modified")

    assert filled(alice) == {"phone_number"}


def test_cancelling_the_last_way_in_closes_the_account(alice, push, log_in):
    push(CANCELLED)

    alice.refresh_from_db()
    assert alice.status == "closed"
    assert LinkedAccount.objects.count() == 0
    assert set(Session.objects.values_list("end_reason", flat=True)) == {"authorization_cancelled"}
    assert kinds() == ["authorization_cancelled", "closed"]
    # Whoever comes back is somebody new.
    assert log_in().json()["user"]["sub"] != alice.sub


def test_everything_withdrawn_is_a_cancellation(alice, push):
    push(REVOKED, revoke_info="301")

    alice.refresh_from_db()
    assert alice.status == "closed"


def test_cancelling_in_one_app_leaves_the_other(alice, push, log_in, second_source):
    second = {
        "identity_source": "acme-second",
        "code": builders.wx_login("alice", builders.SECOND_MINI_APP_ID),
    }
    assert log_in(**second).json()["user"]["sub"] == alice.sub

    push(CANCELLED)

    alice.refresh_from_db()
    assert alice.status == "active"
    rows = alice.linked_accounts.values_list("kind", "app_id")
    assert set(rows) == {("openid", builders.SECOND_MINI_APP_ID), ("unionid", "")}
    running = Session.objects.filter(ended_at__isnull=True)
    assert [session.identity_source for session in running] == [second_source]


def test_with_the_last_openid_of_the_identity_its_unionid_goes(alice, push, log_in, acme):
    User.objects.filter(pk=alice.pk).update(
        email="alice@example.com", email_verified_at=timezone.now()
    )

    push(CANCELLED)

    alice.refresh_from_db()
    # She can bind a WeChat account again, by her address.
    assert alice.status == "active"
    assert not alice.linked_accounts.exists()


def test_another_wechat_account_of_the_user_keeps_its_unionid(alice, push):
    other = builders.make_user(alice.pool)
    LinkedAccount.objects.create(
        pool=alice.pool,
        user=alice,
        kind="unionid",
        unionid="oSANDBOX_another",
        first_seen_at=other.created_at,
        last_seen_at=other.created_at,
    )

    push(CANCELLED)

    assert [row.unionid for row in alice.linked_accounts.all()] == ["oSANDBOX_another"]
    alice.refresh_from_db()
    assert alice.status == "active"


def test_a_suspended_user_does_not_come_back_by_cancelling(alice, push, log_in):
    suspend(alice, now=timezone.now())

    push(CANCELLED)

    assert log_in().json()["error"] == "user_suspended"
    assert BlockedIdentity.objects.count() == 2


def test_a_lifted_suspension_lets_in_who_had_cancelled(alice, push, log_in):
    User.objects.filter(pk=alice.pk).update(
        email="alice@example.com", email_verified_at=timezone.now()
    )
    suspend(alice, now=timezone.now())
    push(CANCELLED)

    lift_suspension(alice, now=timezone.now())

    assert log_in().status_code == 200
    assert BlockedIdentity.objects.count() == 0


def test_the_same_openid_in_another_pool_is_left_alone(alice, push, globex):
    source = builders.make_source(globex.pool, identifier="twin", app_id=builders.MINI_APP_ID)
    user = builders.make_user(globex.pool, nickname="Their Alice")
    row = alice.linked_accounts.get(kind="openid")
    LinkedAccount.objects.create(
        pool=globex.pool,
        user=user,
        kind="openid",
        app_id=source.app_id,
        openid=row.openid,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )

    push(CANCELLED)

    user.refresh_from_db()
    assert (user.status, user.linked_accounts.count()) == ("active", 1)


@pytest.mark.parametrize(("event_type", "fails"), [("1", False), ("3", True), ("4", True)])
def test_a_punishment_stands_with_the_source(acme, push, event_type, fails):
    push("wxa_punish_event", event_type=event_type)

    acme.source.refresh_from_db()
    assert bool(acme.source.failing_since) == fails
    assert SourceFailure.objects.get().facts["event_type"] == int(event_type)
    assert WeChatEvent.objects.get().outcome == "applied"


def test_what_no_database_takes_is_left_out_of_a_punishment(acme):
    detail = r'{"banned_days": "3\u0000\ud800", "warned_type": ["x"], "suspended_days": 7}'
    fields = {"event": "wxa_punish_event", "event_type": "4", "detail": detail}

    done = punish(acme.source, Push(mode="safe", fields=fields), timezone.now())

    assert done.facts == {"banned_days": "3", "suspended_days": "7", "event_type": 4}
    assert SourceFailure.objects.get().facts == done.facts
