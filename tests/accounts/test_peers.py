"""What other products let happen to a person's account: each test does it, and is refused.

Each is named after the product whose fault it was (docs/identities.md says what holds instead).
"""

import json

import pytest

from accounts.login import rules as login
from accounts.login.identities import FoundIdentity
from accounts.models import LinkedAccount, LoginEvent, Session, User
from tests.accounts.peers import BIND, LINKED, switch
from tests.support import builders
from tests.support.records import linked_rows
from tests.support.secret_scanner import Scanner, dump

SECOND = builders.SECOND_MINI_APP_ID


# Casdoor


@pytest.mark.parametrize("association", ["none", "field", "ask"])
@pytest.mark.parametrize("detail", ["email", "phone_number", "sub", "id"])
def test_casdoor_a_nickname_equal_to_a_victims_detail_links_nobody(
    acme, victim, log_in, post, association, detail
):
    token = log_in("bob").json()["access_token"]
    renamed = post("/api/v1/me", {"nickname": str(getattr(victim, detail))}, token, "patch")
    assert renamed.status_code == 200
    switch(acme, association=association)

    assert log_in("bob").json()["user"]["sub"] != victim.sub
    log_in("carol", phone_code=builders.get_phone_number("carol"))
    assert LinkedAccount.objects.filter(user=victim).count() == 0


@pytest.mark.parametrize("field", ["username", "avatar", "nickname", "openid", "unionid", "phone"])
def test_casdoor_what_the_caller_says_of_the_person_is_no_field_of_a_login(acme, log_in, field):
    response = log_in(**{field: "victim"})

    assert (response.status_code, User.objects.count()) == (400, 0)


def test_casdoor_a_chosen_name_makes_no_second_user_of_one_openid(acme, log_in):
    assert len({log_in().json()["user"]["sub"] for _ in range(3)}) == 1
    assert User.objects.count() == 1


def test_casdoor_mini_program_first_is_no_second_account_at_the_next_app(acme, log_in):
    source = builders.make_source(acme.pool, identifier="acme-second", app_id=SECOND)
    first = log_in().json()
    builders.offer(acme.application, source, position=1)

    second = log_in(code=builders.wx_login("alice", SECOND), identity_source="acme-second").json()

    assert second["user"]["sub"] == first["user"]["sub"]


@pytest.mark.parametrize(
    ("status", "word"), [("suspended", "user_suspended"), ("closed", "account_closed")]
)
def test_casdoor_the_mini_programs_door_skips_no_status(acme, log_in, status, word):
    log_in()
    User.objects.update(status=status)

    assert log_in().json()["error"] == word


def test_casdoor_the_session_key_is_in_no_row(acme, log_in, wechat):
    log_in()
    _request, answer = wechat.exchanges[0]
    session_key = json.loads(answer.body)["session_key"]

    assert [cell for *cell, value in dump() if Scanner([session_key]).found_in(value)] == []


def test_casdoor_unlinking_takes_no_properties_from_the_caller(acme, log_in, post):
    token = log_in().json()["access_token"]
    key = LinkedAccount.objects.first().wechat_identity
    before = linked_rows()

    response = post(f"{LINKED}/{key}", {"openid": "o1", "user": "victim"}, token, "delete")

    assert response.status_code == 409
    assert linked_rows() == before


# Logto, hydrogen, django-allauth


def test_logto_a_late_unionid_makes_no_second_account(weixin):
    first = weixin.enter("o1").user

    second = weixin.enter("o1", "u1")

    assert (second.user, second.created, User.objects.count()) == (first, False, 1)


def test_hydrogen_a_late_unionid_of_another_user_doesnt_fail_the_login(weixin):
    weixin.add_source("wx00000000000000aa")
    first = weixin.enter("o1").user
    weixin.enter("o2", "u1", app_id="wx00000000000000aa")

    assert weixin.enter("o1", "u1").user == first
    assert set(LoginEvent.objects.values_list("outcome", flat=True)) == {"succeeded"}


def test_logto_one_user_may_have_two_wechat_accounts(weixin):
    weixin.add_source("wx00000000000000aa")
    user = weixin.enter("o1", "u1").user
    builders.link_openid(user, "o9", app_id="wx00000000000000aa")

    assert weixin.enter("o9", "u9", app_id="wx00000000000000aa").user == user
    assert weixin.enter("o1", "u1").user == user


def test_logto_who_is_asked_to_bind_isnt_logged_into_the_other_account(acme, victim, log_in, post):
    switch(acme, association="ask")
    response = log_in()

    assert "access_token" not in response.json()
    assert Session.objects.count() == 0
    fields = {"client_id": "acme-shop", "binding_ticket": response.json()["binding_ticket"]}
    wrong = post(BIND, fields | {"action": "bind", "email": victim.email, "password": "x"})
    assert wrong.json()["error"] == "invalid_proof"
    assert Session.objects.count() == 0


def test_allauth_the_loser_of_a_race_leaves_no_orphan(acme, log_in, monkeypatch):
    """It looked before the winner's rows were there."""
    winner = log_in().json()["user"]["sub"]
    find, looked = login.find_identity, []

    def find_too_early(source, identity):
        looked.append(identity)
        if len(looked) == 1:
            return FoundIdentity(source=source, identity=identity, rows=[])
        return find(source, identity)

    monkeypatch.setattr(login, "find_identity", find_too_early)

    assert log_in().json()["user"]["sub"] == winner
    assert len(looked) == 2
    assert User.objects.count() == 1


# authentik


def test_authentik_linking_somebody_elses_identity_logs_nobody_in_as_them(acme, log_in, post):
    source = builders.make_source(acme.pool, identifier="acme-second", app_id=SECOND)
    builders.offer(acme.application, source, position=1)
    bob = log_in("bob", identity_source="acme-mini").json()
    token = log_in("alice", identity_source="acme-mini").json()["access_token"]

    response = post(
        LINKED,
        {"code": builders.wx_login("bob", SECOND), "identity_source": "acme-second"},
        token,
    )

    assert (response.status_code, response.json()["error"]) == (409, "identity_taken")
    assert bob["user"]["sub"] not in response.content.decode()
    assert "access_token" not in response.json()
