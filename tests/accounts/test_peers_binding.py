"""What other products let be bound to an account or taken from it: done here, and refused.

As in test_peers.py, each is named after the product whose fault it was.
"""

import pytest

from accounts.models import BindingTicket, LinkedAccount
from identity_sources.sandbox import openid_of, unionid_of
from tests.accounts.peers import BIND, LINKED, PHONE, SECOND, switch
from tests.support import builders
from tests.support.client import LOGIN_URL
from tests.support.records import linked_rows

# The Keycloak plugin


@pytest.mark.parametrize("where", ["body", "query"])
def test_keycloak_an_openid_of_the_callers_authenticates_nobody(acme, log_in, post, where):
    log_in()
    openid = openid_of(builders.MINI_APP_ID, "alice")
    url = f"{LOGIN_URL}?openid={openid}&code={openid}" if where == "query" else LOGIN_URL
    fields = {"client_id": "acme-shop"} | ({"openid": openid} if where == "body" else {})

    response = post(url, fields)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_keycloak_an_openid_sent_as_a_code_is_no_code(acme, log_in):
    log_in()

    response = log_in(code=openid_of(builders.MINI_APP_ID, "alice"))

    assert response.json()["error"] == "invalid_code"


# TopIAM


def test_topiam_unlinking_somebody_elses_identity_is_not_found(acme, log_in, post):
    log_in("bob")
    key = LinkedAccount.objects.first().wechat_identity
    token = log_in("alice").json()["access_token"]
    before = linked_rows()

    assert post(f"{LINKED}/{key}", {}, token, "delete").status_code == 404
    assert linked_rows() == before


# MaxKey, ArkID


@pytest.mark.parametrize("field", ["openid", "unionid", "ext_id", "social_id", "uuid", "user_id"])
def test_maxkey_a_social_id_sent_by_the_browser_binds_nothing(acme, victim, log_in, post, field):
    switch(acme, association="ask")
    ticket = log_in().json()["binding_ticket"]

    response = post(
        BIND,
        {
            "client_id": "acme-shop",
            "binding_ticket": ticket,
            "action": "bind",
            "email": victim.email,
            "password": builders.MEMBERS_PASSWORD,
            field: openid_of(builders.MINI_APP_ID, "bob"),
        },
    )

    assert (response.status_code, linked_rows()) == (400, set())


@pytest.mark.parametrize("field", ["openid", "unionid", "ext_id"])
def test_arkid_whoever_is_logged_in_attaches_no_openid_that_they_only_name(
    acme, log_in, post, field
):
    token = log_in().json()["access_token"]
    before = linked_rows()

    response = post(LINKED, {field: openid_of(SECOND, "bob")}, token)

    assert (response.status_code, linked_rows()) == (400, before)


def test_maxkey_the_number_of_a_text_message_binds_nothing(acme, victim, log_in, post):
    """Only WeChat proves a number, and only for the person who holds the ticket."""
    switch(acme, association="ask")
    fields = {
        "client_id": "acme-shop",
        "binding_ticket": log_in("bob").json()["binding_ticket"],
        "action": "bind",
    }

    assert post(BIND, fields | {"phone_number": PHONE}).status_code == 400
    of_alice = post(BIND, fields | {"phone_code": builders.get_phone_number("alice")})
    assert of_alice.json()["error"] == "invalid_proof"
    assert linked_rows() == set()


def test_arkid_an_openid_of_another_tenant_is_nobody_here(acme, globex, log_in):
    stranger = builders.make_user(globex.pool)
    builders.link_openid(
        stranger, openid_of(builders.MINI_APP_ID, "alice"), app_id=builders.MINI_APP_ID
    )
    builders.link_unionid(stranger, unionid_of(builders.MINI_APP_ID, "alice"))

    answer = log_in().json()

    assert (answer["created"], answer["user"]["sub"] == stranger.sub) == (True, False)


def test_arkid_a_failed_exchange_is_no_success_that_isnt_bound(acme, log_in):
    switch(acme, association="ask")

    response = log_in(code="never-issued")

    assert (response.status_code, response.json()["error"]) == (400, "invalid_code")
    assert BindingTicket.objects.count() == 0


def test_arkid_the_way_to_bind_is_no_openid(acme, log_in):
    switch(acme, association="ask")

    body = log_in().content.decode()

    assert openid_of(builders.MINI_APP_ID, "alice") not in body
    assert unionid_of(builders.MINI_APP_ID, "alice") not in body


# Patterns of several


def test_most_an_unverified_address_or_number_matches_nobody(acme, log_in, post):
    unproven = builders.make_member(
        acme.pool, phone_number=PHONE, email_verified_at=None, phone_number_verified_at=None
    )
    switch(acme, association="field")
    assert log_in(phone_code=builders.get_phone_number()).json()["created"] is True
    switch(acme, association="ask")
    ticket = log_in("bob").json()["binding_ticket"]

    fields = {"client_id": "acme-shop", "binding_ticket": ticket, "action": "bind"}
    proof = {"email": unproven.email, "password": builders.MEMBERS_PASSWORD}
    assert post(BIND, fields | proof).json()["error"] == "invalid_proof"
    assert LinkedAccount.objects.filter(user=unproven).count() == 0


def test_kratos_who_unlinks_can_log_in_still(acme, log_in, post):
    token = log_in().json()["access_token"]
    key = LinkedAccount.objects.first().wechat_identity

    response = post(f"{LINKED}/{key}", {}, token, "delete")

    assert (response.status_code, response.json()["error"]) == (409, "last_way_in")


def test_zitadel_a_link_that_is_sent_twice_is_no_error(acme, log_in, post):
    source = builders.make_source(acme.pool, identifier="acme-second", app_id=SECOND)
    builders.offer(acme.application, source, position=1)
    token = log_in(identity_source="acme-mini").json()["access_token"]
    fields = {"code": builders.wx_login("bob", SECOND), "identity_source": "acme-second"}

    assert [post(LINKED, fields, token).status_code for _ in range(2)] == [200, 200]
