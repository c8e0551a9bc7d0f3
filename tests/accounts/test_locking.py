"""What loses a race starts again; any other violation is a fault of ours, and told as one."""

import logging

import pytest
from django.apps import apps
from django.db import IntegrityError
from django.db.models import UniqueConstraint
from django.utils import timezone

from accounts.locking import ATTEMPTS, RACED_FOR, LostRace, in_transaction
from accounts.login.trail import Trail
from accounts.models import LoginEvent, User
from config.kernel.errors import ServiceUnavailable
from config.kernel.redaction import RedactingFilter
from tests.support import builders

NUMBER = "+8613800138000"


@pytest.fixture
def counted():
    """Make a function that is tried in a transaction; it counts its attempts, and fails first."""
    made = []

    def make(fail, times=1):
        @in_transaction
        def work():
            made.append(1)
            if len(made) <= times:
                fail()
            return "done"

        return work

    make.attempts = made
    return make


def test_every_constraint_that_is_raced_for_is_there():
    names = {
        constraint.name
        for model in apps.get_app_config("accounts").get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, UniqueConstraint)
    }

    assert names >= RACED_FOR


def test_a_race_that_is_lost_is_run_again(acme, counted):
    user = builders.make_user(acme.pool)
    builders.link_openid(user, "o1")

    def lose():
        builders.link_openid(builders.make_user(acme.pool), "o1")

    assert counted(lose)() == "done"
    assert len(counted.attempts) == 2
    assert User.objects.count() == 1


def test_a_verified_number_is_raced_for(acme, counted):
    verified = {"phone_number": NUMBER, "phone_number_verified_at": timezone.now()}
    builders.make_user(acme.pool, **verified)

    counted(lambda: builders.make_user(acme.pool, **verified))()

    assert len(counted.attempts) == 2


def fail_with_an_address(pool):
    """Two users of one verified address: no transaction that is tried again writes one."""
    builders.make_member(pool, "ann@example.com")
    builders.make_member(pool, "ann@example.com")


def fail_with_a_check(pool):
    builders.make_user(pool, phone_number_verified_at=timezone.now())


def fail_with_a_null(pool):
    builders.make_user(pool, nickname=None)


@pytest.mark.parametrize("fail", [fail_with_an_address, fail_with_a_check, fail_with_a_null])
def test_another_violation_is_raised_at_once(acme, counted, fail):
    with pytest.raises(IntegrityError):
        counted(lambda: fail(acme.pool))()

    assert len(counted.attempts) == 1
    assert User.objects.count() == 0


def test_a_race_that_is_lost_every_time_is_told_with_its_reason(acme, counted, caplog):
    def lose():
        raise LostRace

    with pytest.raises(ServiceUnavailable):
        counted(lose, times=ATTEMPTS)()

    assert len(counted.attempts) == ATTEMPTS
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is LostRace


# At a door


@pytest.fixture
def broken(monkeypatch):
    """A fault of ours: the event of a login is written twice."""
    tries = []
    record = Trail.record_success

    def record_twice(trail, session, *rows):
        tries.append(1)
        event = record(trail, session, *rows)
        again = LoginEvent.objects.get(pk=event.pk)
        again.save(force_insert=True)

    monkeypatch.setattr(Trail, "record_success", record_twice)
    return tries


def test_a_fault_of_ours_is_a_500_that_says_in_the_log_what_was_violated(
    acme, log_in, broken, caplog
):
    response = log_in()

    assert (response.status_code, response.json()["error"]) == (500, "server_error")
    assert "loginevent" not in response.content.decode()
    (record,) = [record for record in caplog.records if record.exc_info]
    assert len(broken) == 1
    assert record.levelno == logging.ERROR
    RedactingFilter().filter(record)
    assert "Traceback" in record.exc_text
    assert "record_twice" in record.exc_text
    assert "accounts_loginevent" in record.exc_text
    assert User.objects.count() == 0


def test_the_log_of_a_violation_holds_no_values(acme, caplog):
    builders.make_user(acme.pool, phone_number=NUMBER, phone_number_verified_at=timezone.now())
    try:
        builders.make_user(acme.pool, phone_number=NUMBER, phone_number_verified_at=timezone.now())
    except IntegrityError:
        logging.getLogger("test").exception("It was violated.")

    (record,) = caplog.records
    RedactingFilter().filter(record)
    assert "phone_number" in record.exc_text
    assert NUMBER not in record.exc_text
