"""`/api/v1/me/linked-accounts`: the list of the contract, linking by code, and unlinking."""

from datetime import timedelta
from unittest.mock import ANY
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AccountEvent, LinkedAccount, User
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.oidc import bearer
from tests.support.records import count_rows

URL = "/api/v1/me/linked-accounts"
SECOND = builders.SECOND_MINI_APP_ID
CHALLENGE = 'Bearer error="insufficient_user_authentication", max_age="300"'


@pytest.fixture
def second_source(acme):
    source = builders.make_source(acme.pool, identifier="acme-second", app_id=SECOND)
    builders.offer(acme.application, source, position=1)
    return source


@pytest.fixture
def log_in_with(log_in, second_source):
    """Log in at Acme's first mini program, and return the headers of the access token."""

    def make(person="alice", **fields):
        answer = log_in(person, identity_source="acme-mini", **fields)
        assert answer.status_code == 200
        return bearer(answer.json()["access_token"])

    return make


@pytest.fixture
def call(client):
    def make(method, headers, *, url=URL, **fields):
        body = {"data": fields, "content_type": "application/json"} if fields else {}
        return getattr(client, method)(url, headers=headers, **body)

    return make


def code_of(person="alice", app_id=SECOND):
    return {"code": builders.wx_login(person, app_id), "identity_source": "acme-second"}


DOORS = [("get", URL), ("post", URL), ("delete", f"{URL}/{uuid4()}")]


def use(call, door, headers):
    method, url = door
    return call(method, headers, url=url, **(code_of() if method == "post" else {}))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("headers", [{}, bearer("x.y.z"), {"Authorization": "Basic YTpi"}])
def test_without_a_token_nothing_is_told_or_done(acme, second_source, call, door, headers):
    response = use(call, door, headers)

    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")


@pytest.mark.parametrize("door", DOORS)
def test_a_token_of_another_pools_key_opens_nothing(acme, globex, log_in, call, door):
    code = builders.wx_login("alice", SECOND)
    answer = log_in(client_id="globex-shop", code=code).json()
    stranger = bearer(answer["access_token"])
    assert call("get", stranger).json()["items"][0]["openids"][0]["identity_source"] == (
        "globex-mini"
    )
    User.objects.update(sub="moved")

    assert use(call, door, stranger).status_code == 401


@pytest.mark.parametrize("door", DOORS)
def test_without_the_scope_account_nothing_is_told_or_done(log_in_with, call, door):
    headers = log_in_with(scope="openid profile phone")
    before = count_rows()

    response = use(call, door, headers)

    assert (response.status_code, response.json()["error"]) == (403, "insufficient_scope")
    assert count_rows() == before


@pytest.mark.parametrize("door", DOORS[1:])
def test_a_login_of_more_than_five_minutes_ago_changes_nothing(log_in_with, call, door):
    headers = log_in_with()
    before = count_rows()

    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        response = use(call, door, headers)
        assert call("get", headers).status_code == 200

    assert (response.status_code, response.json()["error"]) == (
        401,
        "insufficient_user_authentication",
    )
    assert response["WWW-Authenticate"] == CHALLENGE
    assert count_rows() == before


def test_the_list_is_as_the_contract_says(acme, log_in_with, call):
    headers = log_in_with()
    call("post", headers, **code_of("bob"))

    body = call("get", headers).json()

    openids = {row.openid: row for row in LinkedAccount.objects.filter(kind="openid")}
    unionids = LinkedAccount.objects.filter(kind="unionid").order_by("first_seen_at")
    assert body == {
        "items": [
            {
                "id": str(row.wechat_identity),
                "provider": "wechat",
                "unionid": row.unionid,
                "openids": [
                    {
                        "identity_source": name,
                        "openid": openid.openid,
                        "first_seen_at": ANY,
                        "last_seen_at": ANY,
                    }
                    for openid in openids.values()
                    if openid.unionid == row.unionid
                ],
            }
            for row, name in zip(unionids, ["acme-mini", "acme-second"], strict=True)
        ]
    }
    assert body["items"][0]["openids"][0]["first_seen_at"].endswith("Z")


def test_a_lone_openid_has_no_unionid_and_an_archived_source_no_name(log_in_with, call):
    headers = log_in_with()
    builders.link_openid(User.objects.get(), "o-lone", app_id=builders.LIVE_APP_ID)
    IdentitySource.objects.filter(app_id=builders.LIVE_APP_ID).update(archived_at=timezone.now())

    lone = next(item for item in call("get", headers).json()["items"] if not item["unionid"])

    assert lone["unionid"] is None
    assert [openid["identity_source"] for openid in lone["openids"]] == [None]


def test_linking_answers_with_the_list_and_once_more_with_the_same(log_in_with, call):
    headers = log_in_with()

    first = call("post", headers, **code_of("bob"))
    second = call("post", headers, **code_of("bob"))

    assert (first.status_code, second.status_code) == (200, 200)
    assert [len(item["openids"]) for item in first.json()["items"]] == [1, 1]
    assert [item["id"] for item in first.json()["items"]] == [
        item["id"] for item in second.json()["items"]
    ]
    assert first["Cache-Control"] == "no-store"


def test_somebody_elses_identity_is_refused_without_saying_whose(log_in, log_in_with, call):
    bob = log_in("bob", identity_source="acme-mini").json()["user"]["sub"]
    headers = log_in_with()

    response = call("post", headers, **code_of("bob"))

    assert (response.status_code, response.json()["error"]) == (409, "identity_taken")
    assert response.json().keys() == {"error", "error_description", "request_id"}
    assert bob not in response.content.decode()


def test_another_wechat_account_of_the_app_is_refused(log_in_with, call):
    headers = log_in_with()

    response = call(
        "post", headers, **code_of("bob", builders.MINI_APP_ID) | {"identity_source": "acme-mini"}
    )

    assert (response.status_code, response.json()["error"]) == (409, "already_linked")


@pytest.mark.parametrize(
    "fields",
    [
        {"identity_source": "acme-second"},
        {"code": ""},
        {"code": 5},
        {"code": "x" * 257},
        {"code": "a\x00b"},
        {"code": None},
        {"code": "x", "identity_source": ["acme-second"]},
        {"code": "x", "identity_source": "acme-second", "openid": "o1"},
        {"code": "x", "identity_source": "acme-second", "unionid": "u1"},
        {"code": "x"},
    ],
)
def test_bad_input_is_refused_by_name_and_links_nothing(log_in_with, call, fields):
    headers = log_in_with()
    rows = LinkedAccount.objects.count()

    response = call("post", headers, **fields)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert LinkedAccount.objects.count() == rows


def test_unlinking_answers_with_nothing_and_ends_that_session(log_in_with, call):
    headers = log_in_with()
    items = call("post", headers, **code_of("bob")).json()["items"]

    gone = call("delete", headers, url=f"{URL}/{items[1]['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert [item["id"] for item in call("get", headers).json()["items"]] == [items[0]["id"]]

    last = call("delete", headers, url=f"{URL}/{items[0]['id']}")
    assert (last.status_code, last.json()["error"]) == (409, "last_way_in")


def test_who_unlinks_what_they_came_by_is_out(log_in_with, call):
    headers = log_in_with()
    items = call("post", headers, **code_of("bob")).json()["items"]

    assert call("delete", headers, url=f"{URL}/{items[0]['id']}").status_code == 204

    assert call("get", headers).status_code == 401


@pytest.mark.parametrize("whose", ["nobody", "bob", "globex"])
def test_what_isnt_theirs_isnt_found(globex, log_in, log_in_with, call, whose):
    headers = log_in_with()
    log_in("bob", identity_source="acme-mini")
    log_in(client_id="globex-shop", code=builders.wx_login("alice", SECOND))
    others = LinkedAccount.objects.exclude(user__sub=call("get", headers).json())
    keys = {
        "nobody": uuid4(),
        "bob": others.filter(pool__identifier="acme").latest("pk").wechat_identity,
        "globex": others.filter(pool__identifier="globex").latest("pk").wechat_identity,
    }
    before = LinkedAccount.objects.count()

    response = call("delete", headers, url=f"{URL}/{keys[whose]}")

    assert (response.status_code, response.json()["error"]) == (404, "not_found")
    assert LinkedAccount.objects.count() == before
    assert AccountEvent.objects.filter(kind="unlinked").count() == 0


@pytest.mark.parametrize(
    ("method", "url"),
    [("put", URL), ("patch", URL), ("get", f"{URL}/{uuid4()}")],
    ids=["put", "patch", "get"],  # the same in every worker
)
def test_there_are_no_other_methods(log_in_with, call, method, url):
    response = call(method, log_in_with(), url=url)

    assert (response.status_code, response.json()["error"]) == (405, "invalid_request")
