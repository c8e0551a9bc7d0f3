"""A refresh token that is sent again: the same successor for a short time, afterwards reuse."""

import random
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import RefreshToken, Session
from accounts.oidc.grants import refresh_token
from applications.models import Application, ClientSecret
from config.kernel.encryption import DecryptionError, unseal_under
from tests.support import builders
from tests.support.oidc import assert_refused, claims_of, refresh, userinfo

LEEWAY = 30


@pytest.fixture
def clock():
    """The time, which stands still until a test shifts it."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def spent(clock, tokens):
    """A refresh token that was used just now."""
    return tokens["refresh_token"]


@pytest.fixture
def first(spent):
    """The answer to the first use."""
    return refresh(spent).json()


def set_leeway(seconds):
    Application.objects.update(refresh_leeway=seconds)


def assert_ended(response):
    assert_refused(response)
    assert Session.objects.get().end_reason == "refresh_token_reused"
    assert not RefreshToken.objects.filter(revoked_at=None).exists()


# --- Again ------------------------------------------------------------------------------------


def test_the_same_successor_comes_with_a_new_access_token(spent, first):
    again = refresh(spent)

    assert (again.status_code, again["Cache-Control"]) == (200, "no-store")
    assert again.json()["refresh_token"] == first["refresh_token"]
    assert again.json()["access_token"] != first["access_token"]
    assert userinfo(again.json()["access_token"]).status_code == 200
    assert userinfo(first["access_token"]).status_code == 200
    assert RefreshToken.objects.count() == 2


def test_however_often_it_comes(clock, spent, first):
    for _ in range(5):
        clock.shift(5)
        assert refresh(spent).json()["refresh_token"] == first["refresh_token"]

    assert refresh(first["refresh_token"]).status_code == 200


def test_the_time_counts_from_the_first_use(clock, spent, first):
    clock.shift(LEEWAY)
    assert refresh(spent).status_code == 200

    clock.shift(1)
    assert_ended(refresh(spent))


@pytest.mark.parametrize("seconds", [1, 45, 60])
def test_an_application_has_a_leeway_of_its_own(clock, spent, seconds):
    set_leeway(seconds)
    refresh(spent)

    clock.shift(seconds)
    assert refresh(spent).status_code == 200
    clock.shift(1)
    assert_ended(refresh(spent))


def test_a_shorter_leeway_holds_at_once(clock, spent, first):
    clock.shift(20)
    set_leeway(10)

    assert_ended(refresh(spent))


def test_successors_have_successors(spent, first):
    second = refresh(first["refresh_token"]).json()

    assert refresh(first["refresh_token"]).json()["refresh_token"] == second["refresh_token"]
    assert refresh(second["refresh_token"]).status_code == 200


# --- Reuse ------------------------------------------------------------------------------------


def test_without_a_leeway_it_is_reuse(spent):
    set_leeway(0)
    refresh(spent)

    assert RefreshToken.objects.filter(successor_ciphertext__isnull=False).count() == 0
    assert_ended(refresh(spent))


def test_once_the_successor_was_used_it_is_reuse(spent, first):
    refresh(first["refresh_token"])

    assert_ended(refresh(spent))


def test_once_the_successor_has_expired_it_is_refused(clock, spent):
    Application.objects.update(refresh_token_idle_lifetime=timedelta(seconds=60))
    set_leeway(60)
    refresh(spent)
    RefreshToken.objects.filter(used_at=None).update(expires_at=timezone.now())

    assert_refused(refresh(spent))


@pytest.mark.parametrize("end", ["logout", "suspension", "disabled", "method"])
def test_nothing_comes_again_once_the_login_is_over(acme, client, spent, first, end):
    if end == "logout":
        client.post("/api/v1/logout", {"refresh_token": spent}, content_type="application/json")
    elif end == "suspension":
        user = Session.objects.get().user
        type(user).objects.filter(pk=user.pk).update(status="suspended")
    elif end == "disabled":
        Application.objects.update(enabled=False)
    else:
        acme.method.delete()

    assert_refused(refresh(spent))


def test_another_application_gets_nothing_and_ends_nothing(acme, spent, first):
    other = builders.make_application(acme.pool, client_id="acme-other")
    builders.offer(other, acme.source)

    assert_refused(refresh(spent, client_id="acme-other"))

    assert refresh(spent).json()["refresh_token"] == first["refresh_token"]


def test_a_confidential_application_proves_itself_again(acme, spent):
    ClientSecret.for_application(acme.application, builders.CLIENT_SECRET).save()
    Application.objects.update(client_authentication="client_secret")
    first = refresh(spent, client_secret=builders.CLIENT_SECRET).json()

    assert_refused(refresh(spent), "invalid_client", 401)

    again = refresh(spent, client_secret=builders.CLIENT_SECRET).json()
    assert again["refresh_token"] == first["refresh_token"]


def test_a_successor_that_cannot_be_opened_counts_as_reuse(spent, first):
    RefreshToken.objects.exclude(used_at=None).update(successor_ciphertext=b"damaged")

    assert_ended(refresh(spent))


# --- Scope ------------------------------------------------------------------------------------


def test_a_scope_is_narrowed_as_it_is_the_first_time(spent, first):
    again = refresh(spent, scope="openid").json()

    assert claims_of(again["access_token"])["scope"] == "openid"
    assert again["refresh_token"] == first["refresh_token"]


def test_no_scope_comes_that_was_not_granted(acme, log_in, clock):
    spent = log_in(scope="openid offline_access").json()["refresh_token"]
    refresh(spent)

    assert_refused(refresh(spent, scope="openid profile"), "invalid_scope")


# --- How it is stored -------------------------------------------------------------------------


def test_the_stored_hash_opens_nothing(spent, first):
    row = RefreshToken.objects.get(successor_ciphertext__isnull=False)
    sealed = bytes(row.successor_ciphertext)

    assert first["refresh_token"].encode() not in sealed
    assert unseal_under(spent, refresh_token._SUCCESSOR, sealed) == first["refresh_token"]  # noqa: SLF001
    for secret, purpose in (
        (bytes(row.token_hash).hex(), refresh_token._SUCCESSOR),  # noqa: SLF001
        (first["refresh_token"], refresh_token._SUCCESSOR),  # noqa: SLF001
        (spent, "another purpose"),
    ):
        with pytest.raises(DecryptionError):
            unseal_under(secret, purpose, sealed)


def test_another_refresh_removes_it_when_its_time_is_over(clock, log_in, spent, first, monkeypatch):
    monkeypatch.setattr(refresh_token.sweeper, "due_at", 0)
    other = log_in("bob").json()["refresh_token"]
    clock.shift(61)

    refresh(other)

    assert RefreshToken.objects.get(used_at__lt=timezone.now()).successor_ciphertext is None


def test_purge_removes_it_too(clock, spent, first, capsys):
    clock.shift(59)
    call_command("purge")
    assert RefreshToken.objects.filter(successor_ciphertext__isnull=False).count() == 1

    clock.shift(2)
    call_command("purge")
    assert RefreshToken.objects.filter(successor_ciphertext__isnull=False).count() == 0


# --- At once ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("threaded_database")
def test_many_at_once_get_the_same_successor(acme, log_in, together):
    spent = log_in().json()["refresh_token"]

    responses = together(refresh, [spent] * 8)

    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["refresh_token"] for response in responses}) == 1
    assert len({response.json()["access_token"] for response in responses}) == 8
    assert RefreshToken.objects.count() == 2


@pytest.mark.usefixtures("threaded_database")
def test_of_a_logout_and_repetitions_at_once_nothing_survives(acme, client, log_in, together):
    spent = log_in().json()["refresh_token"]
    successor = refresh(spent).json()["refresh_token"]

    def log_out_or_refresh(turn):
        if turn == 3:
            body = {"refresh_token": successor}
            return client.post("/api/v1/logout", body, content_type="application/json")
        return refresh(spent)

    together(log_out_or_refresh, list(range(8)))

    assert_refused(refresh(successor))
    assert_refused(refresh(spent))
    assert Session.objects.get().end_reason == "logged_out"


# --- Histories --------------------------------------------------------------------------------


class Phone:
    """A client that keeps the newest token whose answer reached it."""

    def __init__(self, token):
        self.held = token
        self.spent = {}
        """spent token → when it was used first, and its successor"""
        self.is_over = False

    def send(self, token, now, *, is_lost):
        """Send a token, and check what must come of it."""
        expected = self._expected(token, now)
        response = refresh(token)
        assert (response.status_code == 200) is expected, (self.spent, token)
        if not expected:
            self.is_over = True
            return
        successor = response.json()["refresh_token"]
        _used_at, known = self.spent.setdefault(token, (now, successor))
        assert known == successor
        if not is_lost:
            self.held = successor

    def _expected(self, token, now):
        if self.is_over:
            return False
        if token not in self.spent:
            return True
        used_at, successor = self.spent[token]
        return successor not in self.spent and now - used_at <= timedelta(seconds=LEEWAY)


HISTORIES = 500 if connection.vendor == "postgresql" else 100


def test_nobody_is_logged_out_within_the_leeway_and_every_reuse_is_caught(acme, log_in, clock):
    """Random histories of lost answers, doubles, old tokens and pauses."""
    seen = Counter()
    for number in range(HISTORIES):
        dice = random.Random(number)  # noqa: S311 - repeatable
        phone = Phone(log_in().json()["refresh_token"])
        while len(phone.spent) < 4 and not phone.is_over:
            clock.shift(dice.choice((0, 1, 10, LEEWAY - 1, LEEWAY + 2)))
            is_old = bool(phone.spent) and dice.random() < 0.15
            token = dice.choice(list(phone.spent)) if is_old else phone.held
            phone.send(token, timezone.now(), is_lost=dice.random() < 0.4)
        seen["reuse" if phone.is_over else "well"] += 1
        if phone.is_over:
            assert_refused(refresh(phone.held))

    assert min(seen.values()) > HISTORIES / 20
