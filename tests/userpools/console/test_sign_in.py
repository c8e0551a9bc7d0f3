"""How operators sign in, and what happens to those who guess."""

import hashlib
import ipaddress
import logging
from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.hashers import MD5PasswordHasher, get_hashers
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from tests.support import builders
from tests.support.builders import OPERATOR_PASSWORD
from tests.support.client import GuardedClient, signed_in
from tests.support.pages import fill_in, see
from userpools.models import Membership, Operator

WRONG = "not-the-password-of-ada"
ENOUGH = 10
NEW_PASSWORD = "another password that nobody guesses"
PROXY = "10.0.0.7"


@pytest.fixture
def ada(acme):
    return builders.make_operator("ada", acme.pool)


def sign_in(client, username="ada", password=OPERATOR_PASSWORD, address="192.0.2.1", **meta):
    fields = {"username": username, "password": password}
    return client.post("/console/login/", fields, REMOTE_ADDR=address, **meta)


def guess(times, address="192.0.2.1", **meta):
    """Guess wrong from an address, each time in a new browser."""
    answer = None
    for _ in range(times):
        answer = sign_in(GuardedClient(), password=WRONG, address=address, **meta)
    return answer


def is_in(answer):
    return answer.status_code == 302 and answer["Location"] == "/console/"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada", WRONG),
        ("ada", ""),
        ("ada", OPERATOR_PASSWORD.upper()),
        ("ADA", OPERATOR_PASSWORD),
        ("nobody", OPERATOR_PASSWORD),
        ("", OPERATOR_PASSWORD),
        ("ada\0", OPERATOR_PASSWORD),
        ("a" * 5000, "b" * 5000),
        ("' or 1=1 --", "' or 1=1 --"),
    ],
)
def test_a_wrong_name_or_password_is_refused(username, password, client, ada):
    answer = sign_in(client, username, password)

    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


def test_an_unknown_name_is_refused_in_the_words_of_a_wrong_password(client, ada):
    wrong = sign_in(client, "ada", WRONG).context["form"].non_field_errors()
    unknown = sign_in(client, "eve", WRONG).context["form"].non_field_errors()

    assert [error.replace("eve", "ada") for error in unknown] == list(wrong)


def test_an_inactive_operator_is_refused_in_the_same_words(client, ada):
    wrong = sign_in(client, "ada", WRONG).context["form"].non_field_errors()
    Operator.objects.update(is_active=False)

    inactive = sign_in(client).context["form"].non_field_errors()

    assert list(inactive) == list(wrong)
    assert "_auth_user_id" not in client.session


def test_an_operator_without_a_usable_password_is_refused(client, ada):
    ada.set_unusable_password()
    ada.save()

    assert sign_in(client).status_code == 200


def test_ten_wrong_passwords_shut_the_console_for_the_address(client, ada):
    assert guess(ENOUGH - 1).status_code == 200
    assert guess(1).status_code == 429

    right = sign_in(client)

    assert right.status_code == 429
    assert "Too many wrong passwords" in right.content.decode()
    assert "_auth_user_id" not in client.session
    assert "no-store" in right["Cache-Control"]


def test_nine_wrong_passwords_dont(client, ada):
    guess(ENOUGH - 1)

    assert is_in(sign_in(client))


def test_guesses_count_together_whatever_name_and_browser_they_come_with(client, ada):
    for number in range(ENOUGH):
        sign_in(GuardedClient(), f"name-{number}", WRONG, HTTP_USER_AGENT=f"Browser {number}" * 100)

    assert sign_in(client).status_code == 429


def test_a_right_password_in_between_forgives_no_guess(client, ada, globex):
    builders.make_operator("mallory", globex.pool)

    guess(ENOUGH - 1)
    assert is_in(sign_in(GuardedClient(), "mallory"))
    assert guess(1).status_code == 429


def test_another_address_is_free(client, ada):
    guess(ENOUGH)

    assert is_in(sign_in(client, address="192.0.2.2"))


def test_after_fifteen_minutes_the_right_password_is_right_again(client, ada):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        guess(ENOUGH)
    with time_machine.travel(now + timedelta(minutes=14), tick=False):
        assert sign_in(client).status_code == 429
        # Trying in the meantime doesn't make it longer.
        guess(1)
    with time_machine.travel(now + timedelta(minutes=15, seconds=1), tick=False):
        assert is_in(sign_in(client))


def test_who_is_signed_in_stays_in(ada):
    client = signed_in(ada)

    guess(ENOUGH, address="127.0.0.1")

    assert client.get("/console/acme/").status_code == 200


def test_addresses_of_one_ipv6_network_count_together(client, ada):
    for number in range(ENOUGH):
        guess(1, address=f"2001:db8:0:1::{number:x}")

    assert sign_in(client, address="2001:db8:0:1:ffff::1").status_code == 429
    assert is_in(sign_in(client, address="2001:db8:0:2::1"))


def test_an_ipv4_address_is_itself_in_ipv6_clothes(client, ada):
    guess(ENOUGH, address="::ffff:192.0.2.1")

    assert sign_in(client, address="192.0.2.1").status_code == 429
    assert is_in(sign_in(client, address="::ffff:192.0.2.2"))


def test_a_stranger_cant_blame_others_by_a_forwarding_header(client, ada):
    for number in range(ENOUGH):
        guess(1, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")

    assert sign_in(client, HTTP_X_FORWARDED_FOR="203.0.113.77").status_code == 429
    assert is_in(sign_in(client, address="203.0.113.1"))


def test_behind_a_trusted_proxy_the_callers_address_counts(client, ada, settings):
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]
    guess(ENOUGH, address=PROXY, HTTP_X_FORWARDED_FOR="1.2.3.4, 203.0.113.9")

    guessing = sign_in(client, address=PROXY, HTTP_X_FORWARDED_FOR="5.6.7.8, 203.0.113.9")
    another = sign_in(client, address=PROXY, HTTP_X_FORWARDED_FOR="203.0.113.10")

    assert guessing.status_code == 429
    assert is_in(another)


def test_a_script_that_asks_for_json_is_shut_out_too(client, ada):
    guess(ENOUGH)

    answer = sign_in(client, HTTP_X_REQUESTED_WITH="XMLHttpRequest")

    assert answer.status_code == 429
    assert "_auth_user_id" not in client.session


def test_long_headers_of_a_guess_are_no_mistake_of_ours(client, ada):
    answer = guess(
        1,
        HTTP_USER_AGENT="a" * 4000,
        HTTP_ACCEPT="b" * 4000,
        HTTP_REFERER="http://testserver/" + "c" * 4000,
    )

    assert answer.status_code == 200
    fields = {"username": "n" * 150, "password": WRONG, "next": "/" + "d" * 4000}
    assert client.post(f"/console/login/?next=/{'e' * 4000}", fields).status_code == 200


@pytest.mark.parametrize("password", [WRONG, OPERATOR_PASSWORD])
def test_no_password_is_logged_or_stored(password, client, ada, caplog):
    caplog.set_level(logging.DEBUG)

    for _ in range(ENOUGH + 1):
        sign_in(client, password=password)
        sign_in(client, "eve", password=password)
        client.logout()

    assert password not in caplog.text
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        assert password not in str(list(model.objects.values()))
    assert password not in str([session.get_decoded() for session in Session.objects.all()])


def test_no_more_is_kept_than_what_is_counted(client, ada):
    sign_in(client, password=WRONG)
    sign_in(client)

    assert AccessAttempt.objects.count() == 1
    assert not AccessFailureLog.objects.exists()
    assert not AccessLog.objects.exists()


def test_an_operator_signs_in(client, ada):
    assert is_in(sign_in(client))
    assert client.get("/console/acme/").status_code == 200


def test_signing_in_begins_a_new_session(client, ada):
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = session.session_key
    client.cookies["unionpass_operator"] = planted

    sign_in(client)

    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_the_token_against_forgery_changes_with_the_session(client, ada):
    see(client, "/console/login/")
    before = client.cookies["csrftoken"].value

    sign_in(client)

    assert client.cookies["csrftoken"].value != before


def test_the_session_is_in_a_cookie_that_scripts_and_other_sites_cant_use(client, ada):
    sign_in(client)

    cookie = client.cookies["unionpass_operator"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == pytest.approx(timedelta(hours=12).total_seconds(), abs=5)
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert client.cookies["csrftoken"]["httponly"]


def test_a_working_day_later_the_operator_signs_in_anew(client, ada):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        sign_in(client)
    with time_machine.travel(now + timedelta(hours=12, seconds=1), tick=False):
        assert client.get("/console/acme/").status_code == 302


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"old_password": WRONG}, "old_password"),
        ({"new_password2": "something else"}, "new_password2"),
        ({"new_password1": "password", "new_password2": "password"}, "new_password2"),
        ({"new_password1": "8472917263", "new_password2": "8472917263"}, "new_password2"),
    ],
)
def test_a_password_that_is_wrong_or_weak_changes_nothing(changes, field, ada):
    client = signed_in(ada)
    fields = {
        "old_password": OPERATOR_PASSWORD,
        "new_password1": NEW_PASSWORD,
        "new_password2": NEW_PASSWORD,
    }

    answer = client.post("/console/acme/password/", fields | changes)

    assert list(answer.context["form"].errors) == [field]
    ada.refresh_from_db()
    assert ada.check_password(OPERATOR_PASSWORD)


def test_an_operator_changes_their_password_and_is_out_everywhere_else(client, ada):
    here, elsewhere = signed_in(ada), signed_in(ada)

    answer = fill_in(
        here,
        "/console/acme/password/",
        old_password=OPERATOR_PASSWORD,
        new_password1=NEW_PASSWORD,
        new_password2=NEW_PASSWORD,
    )

    assert answer["Location"] == "/console/acme/password/done/"
    assert here.get("/console/acme/password/done/").status_code == 200
    assert elsewhere.get("/console/acme/").status_code == 302
    assert sign_in(client).status_code == 200
    assert is_in(sign_in(client, password=NEW_PASSWORD))


def test_a_page_for_signing_in_asks_no_browser_to_keep_it(client, db):
    answer = client.get("/console/login/")

    assert "no-store" in answer["Cache-Control"]


def test_of_wrong_passwords_at_the_same_moment_no_more_are_tried_than_count(
    threaded_database, together, acme
):
    builders.make_operator("ada", acme.pool)

    answers = together(lambda _: guess(1).content.decode(), list(range(2 * ENOUGH)))

    tried = [answer for answer in answers if "Somebody at your address is signing in" not in answer]
    counted = AccessAttempt.objects.aggregate(n=Sum("failures_since_start"))["n"]
    assert 1 <= counted == len(tried) <= ENOUGH


def test_while_somebody_signs_in_another_address_isnt_kept_waiting(client, ada):
    busy = "signing-in:" + hashlib.sha256(b"192.0.2.1").hexdigest()
    cache.add(busy, True, timeout=10)

    assert not is_in(sign_in(client))
    assert is_in(sign_in(GuardedClient(), address="192.0.2.2"))


def test_wrong_old_passwords_count_and_the_right_one_is_no_way_around(ada):
    client = signed_in(ada)
    fields = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}

    guesses = [
        client.post("/console/password/", {"old_password": f"wrong {n}", **fields}).status_code
        for n in range(ENOUGH)
    ]
    late = client.post("/console/password/", {"old_password": OPERATOR_PASSWORD, **fields})

    assert guesses == [200] * (ENOUGH - 1) + [429]
    assert late.status_code == 429
    assert Operator.objects.get(pk=ada.pk).check_password(OPERATOR_PASSWORD)


def test_going_from_pool_to_pool_doesnt_make_the_session_longer(client, acme, globex, ada):
    Membership.objects.create(pool=globex.pool, operator=ada, role="viewer")
    sign_in(client)
    ends = [Session.objects.get().expire_date]

    for pool in ("acme", "globex", "acme"):
        client.get(f"/console/{pool}/")
        ends.append(Session.objects.get().expire_date)

    assert len(set(ends)) == 1


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_no_database_connection_is_held_while_a_password_is_hashed(
    threaded_database, acme, monkeypatch, name
):
    builders.make_operator("ada", acme.pool)
    held = []

    class Watching(MD5PasswordHasher):
        def encode(self, *args, **kwargs):
            held.append(connection.connection is not None)
            return super().encode(*args, **kwargs)

    monkeypatch.setattr("django.contrib.auth.hashers.MD5PasswordHasher", Watching)
    get_hashers.cache_clear()
    try:
        sign_in(GuardedClient(), username=name, password="not the password")
    finally:
        get_hashers.cache_clear()

    assert held
    assert not any(held)
