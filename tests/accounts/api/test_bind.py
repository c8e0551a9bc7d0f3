"""`POST /api/v1/login/bind` and `…/email-code`: the answers of the contract, to the letter."""

import re
from unittest.mock import ANY

import pytest
from django.utils import timezone

from accounts.binding import email_codes
from accounts.models import BindingTicket, LinkedAccount, LoginEvent, Session, User
from identity_sources.sandbox import openid_of, unionid_of
from tests.support import builders
from tests.support.oidc import bearer
from tests.support.records import count_rows
from tests.support.secret_scanner import Scanner, dump

BIND = "/api/v1/login/bind"
EMAIL_CODE = "/api/v1/login/bind/email-code"
RIGHT = {"email": "ann@example.com", "password": builders.MEMBERS_PASSWORD}


@pytest.fixture
def asking(acme):
    """Acme, whose source asks; Ann has an account without WeChat."""
    acme.source.association = "ask"
    acme.source.save()
    return builders.make_member(acme.pool)


@pytest.fixture
def get_ticket(asking, log_in):
    return lambda person="alice", **fields: log_in(person, **fields).json()["binding_ticket"]


@pytest.fixture
def bind(client):
    def post(ticket, action="bind", *, url=BIND, **fields):
        body = {"client_id": "acme-shop", "binding_ticket": ticket, "action": action} | fields
        body = {name: value for name, value in body.items() if value is not None}
        return client.post(url, body, content_type="application/json")

    return post


@pytest.fixture
def ask_for_code(bind, settings):
    settings.SENDS_EMAIL = True
    return lambda ticket, email: bind(ticket, None, url=EMAIL_CODE, email=email)


# The ticket


@pytest.mark.parametrize("registration", ["open", "closed"])
def test_the_ticket_comes_as_the_contract_says(acme, asking, log_in, registration):
    acme.source.registration = registration
    acme.source.save()

    response = log_in()

    assert (response.status_code, response["Cache-Control"]) == (409, "no-store")
    assert response.json() == {
        "error": "account_binding_required",
        "error_description": ANY,
        "request_id": response["X-Request-ID"],
        "binding_ticket": ANY,
        "expires_in": 300,
        "may_create": registration == "open",
        "methods": ["password", "phone_code"],
    }
    assert re.fullmatch(r"[\w-]{43}", response.json()["binding_ticket"])


def test_asking_is_no_refusal_that_throttles(asking, log_in, settings):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "2/min"

    assert {log_in().status_code for _ in range(4)} == {409}


def test_an_answer_that_was_lost_gives_a_fresh_ticket(asking, log_in, bind, wechat):
    code = builders.wx_login()
    first, second = (log_in(code=code).json()["binding_ticket"] for _ in range(2))

    assert first != second
    assert wechat.calls == ["jscode2session"] * 2
    assert bind(second, "create").status_code == 200


# Refusals


def test_unknown_target_and_wrong_proof_answer_to_the_letter_alike(get_ticket, bind):
    answers = []
    for email in ("ann@example.com", "nobody@example.com"):
        response = bind(get_ticket(), email=email, password="wrong")
        answers.append((response.status_code, response.json() | {"request_id": ""}))

    assert answers[0] == answers[1]
    assert answers[0] == (
        403,
        {
            "error": "invalid_proof",
            "error_description": "No account has this address or number, or the proof is wrong.",
            "request_id": "",
            "proofs_left": 4,
        },
    )


@pytest.mark.usefixtures("frozen_clock")
def test_wrong_proofs_throttle_the_address_and_use_the_ticket_up(get_ticket, bind, settings):
    ticket, another = get_ticket(), get_ticket()

    left = [bind(ticket, **RIGHT | {"password": "x"}).json()["proofs_left"] for _ in range(5)]

    assert left == [4, 3, 2, 1, 0]
    response = bind(ticket, **RIGHT)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_binding_ticket")
    settings.THROTTLE_LOGIN_PER_ADDRESS = "3/min"
    again = [bind(another, **RIGHT | {"password": "x"}).status_code for _ in range(2)]
    assert again == [403, 429]


@pytest.mark.parametrize("client_id", ["acme-other", "globex-shop", "nobody"])
def test_a_ticket_of_another_application_is_refused(acme, globex, get_ticket, bind, client_id):
    builders.offer(builders.make_application(acme.pool, client_id="acme-other"), acme.source)

    response = bind(get_ticket(), "create", client_id=client_id)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_binding_ticket")
    assert User.objects.count() == 1


def test_who_has_another_wechat_account_of_the_app_is_refused(asking, get_ticket, bind):
    builders.link_openid(asking, "o-other", app_id=builders.MINI_APP_ID)

    response = bind(get_ticket(), **RIGHT)

    assert (response.status_code, response.json()["error"]) == (409, "already_linked")


@pytest.mark.parametrize(
    ("status", "word"), [("suspended", "user_suspended"), ("closed", "account_closed")]
)
def test_who_isnt_active_is_refused(asking, get_ticket, bind, status, word):
    User.objects.update(status=status)

    response = bind(get_ticket(), **RIGHT)

    assert (response.status_code, response.json()["error"]) == (403, word)


# What comes of it


def test_create_answers_as_a_login_does(get_ticket, bind, client):
    response = bind(get_ticket(), "create")

    body = response.json()
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    assert body.keys() == {
        *("access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope"),
        *("user", "created"),
    }
    assert body["created"] is True
    me = client.get("/api/v1/me", headers=bearer(body["access_token"]))
    assert me.json()["sub"] == body["user"]["sub"]


@pytest.mark.parametrize("way", ["password", "phone_code", "number"])
def test_bind_logs_in_whose_account_it_is(asking, get_ticket, bind, way):
    User.objects.update(phone_number="+8613800138001", phone_number_verified_at=timezone.now())
    with_login = {"phone_code": builders.get_phone_number()} if way == "number" else {}
    ticket = get_ticket(**with_login)
    proof = {
        "password": RIGHT,
        "phone_code": {"phone_code": builders.get_phone_number()},
        "number": {},
    }[way]

    body = bind(ticket, **proof).json()

    assert (body["user"]["sub"], body["created"]) == (asking.sub, False)
    assert body.get("phone") == (None if way == "password" else {"status": "unchanged"})
    assert LinkedAccount.objects.filter(user=asking).count() == 2


def test_a_code_that_was_sent_by_mail_proves_the_account(
    asking, get_ticket, bind, ask_for_code, mailoutbox, monkeypatch
):
    posted = []
    submit = email_codes._mailing.submit  # noqa: SLF001
    monkeypatch.setattr(
        email_codes._mailing,  # noqa: SLF001
        "submit",
        lambda *arguments: posted.append(submit(*arguments)),
    )
    ticket = get_ticket()
    known, unknown = ask_for_code(ticket, RIGHT["email"]), ask_for_code(ticket, "nobody@x.org")
    posted[0].result(timeout=10)

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert (known.status_code, known.content) == (202, b"")
    assert len(posted) == len(mailoutbox) == 1
    code = re.search(r"\d{6}", mailoutbox[0].body)[0]
    assert bind(ticket, email=RIGHT["email"], email_code=code).json()["user"]["sub"] == asking.sub


@pytest.mark.usefixtures("frozen_clock")
def test_codes_by_mail_are_throttled_and_refused_where_there_is_no_mail(
    get_ticket, ask_for_code, settings
):
    ticket = get_ticket()
    assert [ask_for_code(ticket, "nobody@x.org").status_code for _ in range(4)] == [
        *[202] * 3,
        429,
    ]
    assert ask_for_code("no-ticket", "nobody@x.org").json()["error"] == "invalid_binding_ticket"
    settings.SENDS_EMAIL = False
    assert ask_for_code(get_ticket(), "nobody@x.org").json()["error"] == "invalid_request"


def test_no_secret_and_nothing_personal_is_left_behind(asking, get_ticket, bind, caplog):
    caplog.set_level("DEBUG")
    ticket, phone_code = get_ticket(), builders.get_phone_number()
    wrong = "a wrong password"
    refused = bind(ticket, email=RIGHT["email"], password=wrong)
    bind(ticket, phone_code=phone_code)
    bind(ticket, **RIGHT)
    secrets = Scanner([ticket, phone_code, wrong, RIGHT["password"]])
    personal = Scanner(
        [
            openid_of(builders.MINI_APP_ID, "alice"),
            unionid_of(builders.MINI_APP_ID, "alice"),
            "13800138001",
            RIGHT["email"],
        ]
    )

    assert [cell for *cell, value in dump() if secrets.found_in(value)] == []
    events = str(list(LoginEvent.objects.values()))
    for text in (events, caplog.text, refused.content):
        assert secrets.found_in(text) == set()
        assert personal.found_in(text) == set()


def test_a_session_of_the_bound_account_stands_behind_the_tokens(asking, get_ticket, bind):
    before = count_rows()

    bind(get_ticket(), **RIGHT)

    session = Session.objects.get()
    assert (session.user, session.way, session.ended_at) == (asking, "mini_program", None)
    assert (count_rows() - before)["accounts.RefreshToken"] == 1
    assert BindingTicket.objects.get().used_at is not None
