"""First logins that race: one person is one user, and everybody gets in."""

import itertools
import json

import pytest
from django.db import connection

from accounts.models import LinkedAccount, LoginEvent, RefreshToken, Session, User
from identity_sources.sandbox import openid_of, unionid_of
from tests.support import builders
from tests.support.client import LOGIN_URL, GuardedClient
from tests.support.records import linked_rows
from tests.support.wechat import LIVE_URL

RACERS = 50
MANY = 200
SHOP = builders.MINI_APP_ID
SECOND = builders.SECOND_MINI_APP_ID


@pytest.fixture(autouse=True)
def many_connections(threaded_database):
    """Every test here needs a database for many threads."""


@pytest.fixture(autouse=True)
def large_cache(settings, shared_caches):
    """Django's cache in process forgets from 300 entries on: the racers' codes are as many."""
    settings.CACHES = {
        alias: cache | {"OPTIONS": {"MAX_ENTRIES": 10_000}}
        for alias, cache in settings.CACHES.items()
    }


@pytest.fixture
def second_source(acme):
    source = builders.make_source(acme.pool, identifier="acme-second", app_id=SECOND)
    builders.offer(acme.application, source, position=1)
    return source


def post(fields):
    response = GuardedClient().post(
        LOGIN_URL, {"client_id": "acme-shop"} | fields, content_type="application/json"
    )
    return response.status_code, response.json()


def codes(person, *apps, racers=RACERS):
    """Return what the racers send: each a code of their own, the apps taking turns."""
    return [
        {"code": builders.wx_login(person, app_id), "identity_source": identifier}
        for app_id, identifier in itertools.islice(itertools.cycle(apps), racers)
    ]


def assert_one_user(answers):
    assert {status for status, _ in answers} == {200}, answers[:3]
    assert len({body["user"]["sub"] for _, body in answers}) == 1
    assert [body["created"] for _, body in answers].count(True) == 1
    assert User.objects.count() == 1


def assert_consistent_rows(racers=RACERS):
    """Each login has its session, family and event; none was left behind by a lost race."""
    assert Session.objects.count() == racers
    assert RefreshToken.objects.count() == racers
    events = LoginEvent.objects.all()
    assert {event.outcome for event in events} == {"succeeded"}
    assert len(events) == racers
    assert [event.decision for event in events].count("created") == 1
    assert {event.user_id for event in events} == {User.objects.get().pk}
    assert {event.conflict for event in events} == {""}
    for event in events:
        # A user who was made in a transaction that was lost is in no trace.
        names = [step["step"] for step in event.steps]
        assert names == ["checked", "asked", "identity", "matched", "issued"]
        assert event.steps[3]["decision"] == event.decision
        assert event.steps[4]["access_token"]["sub"] == User.objects.get().sub


def test_fifty_first_logins_of_one_person_make_one_user(acme, together):
    answers = together(post, codes("alice", (SHOP, "acme-mini")))

    assert_one_user(answers)
    assert_consistent_rows()
    unionid = unionid_of(SHOP, "alice")
    assert LinkedAccount.objects.count() == 2
    assert linked_rows() == {
        ("openid", SHOP, openid_of(SHOP, "alice"), unionid),
        ("unionid", "", "", unionid),
    }


@pytest.fixture
def connections_for_all(threaded_database):
    """A connection for each racer: the usual sixteen would have some wait for longer than 10 s."""
    options = connection.settings_dict["OPTIONS"]
    if "pool" not in options:
        yield
        return
    usual = options["pool"]
    connection.close()
    connection.close_pool()
    options["pool"] = usual | {"max_size": MANY, "timeout": 120}
    yield
    connection.close()
    connection.close_pool()
    options["pool"] = usual


def test_two_hundred_first_logins_over_two_apps_with_one_unionid_make_one_user(
    connections_for_all, acme, second_source, together
):
    """Fifty on SQLite, whose one writer at a time serves nobody in turn."""
    racers = MANY if connection.vendor == "postgresql" else RACERS
    apps = [(SHOP, "acme-mini"), (SECOND, "acme-second")]
    answers = together(post, codes("alice", *apps, racers=racers))

    assert_one_user(answers)
    assert_consistent_rows(racers)
    unionid = unionid_of(SHOP, "alice")
    assert LinkedAccount.objects.count() == 3
    assert linked_rows() == {
        ("openid", SHOP, openid_of(SHOP, "alice"), unionid),
        ("openid", SECOND, openid_of(SECOND, "alice"), unionid),
        ("unionid", "", "", unionid),
    }


def test_returning_logins_of_one_person_do_not_block_each_other(acme, second_source, together):
    """Each notes on the rows of OpenID and UnionID that it saw them, in whatever order."""
    apps = [(SHOP, "acme-mini"), (SECOND, "acme-second")]
    first, *others = codes("alice", *apps)
    assert post(first)[0] == post(others[0])[0] == 200

    for _ in range(3):
        answers = together(post, codes("alice", *apps))
        assert [status for status, _ in answers] == [200] * RACERS

    assert User.objects.count() == 1
    assert LinkedAccount.objects.count() == 3


def test_a_late_unionid_is_added_once(acme, together):
    """Known by OpenID alone; fifty logins bring the UnionID at once."""
    user = builders.make_user(acme.pool)
    now = user.created_at
    LinkedAccount.objects.create(
        pool=acme.pool,
        user=user,
        kind="openid",
        app_id=SHOP,
        openid=openid_of(SHOP, "alice"),
        first_seen_at=now,
        last_seen_at=now,
    )

    answers = together(post, codes("alice", (SHOP, "acme-mini")))

    assert {status for status, _ in answers} == {200}
    assert {body["user"]["sub"] for _, body in answers} == {user.sub}
    assert LinkedAccount.objects.filter(kind="unionid").count() == 1
    assert LoginEvent.objects.filter(unionid_added=True).count() == 1


def test_two_people_who_race_are_two_users(acme, together):
    both = codes("alice", (SHOP, "acme-mini"))[::2] + codes("bob", (SHOP, "acme-mini"))[::2]

    answers = together(post, both)

    assert {status for status, _ in answers} == {200}
    assert [body["created"] for _, body in answers].count(True) == 2
    assert User.objects.count() == 2
    assert LinkedAccount.objects.count() == 4


def test_of_two_openids_of_one_app_with_one_unionid_one_is_refused(
    acme, live_source, live, together
):
    """What can't be one WeChat account stays two, however close together they come."""
    openids = {f"code-{n}": f"o6_bmjrPTlm6_2sgVt7hMZOPf{n:03d}" for n in range(10)}

    def session(request):
        answer = {
            "session_key": "c2Vzc2lvbiBrZXkgb2YgMTY=",
            "openid": openids[request.params["js_code"]],
            "unionid": "o6_the_unionid_of_them_all",
        }
        return 200, {}, json.dumps(answer)

    live.add_callback("GET", f"{LIVE_URL}/sns/jscode2session", session)

    answers = together(post, [{"code": code, "identity_source": "acme-live"} for code in openids])

    assert sorted(status for status, _ in answers) == [200] + [409] * 9
    assert {body.get("error") for _, body in answers} == {None, "identity_conflict"}
    assert User.objects.count() == 1
    assert LinkedAccount.objects.count() == 2
    assert LoginEvent.objects.filter(error="identity_conflict").count() == 9
