"""One login, several doors: each exchanges its codes for itself, and events say which it was."""

from functools import partial

import pytest

from accounts.experience.mini_program import attempt_login
from accounts.models import Session
from tests.support import builders
from tests.support.records import events, steps


@pytest.fixture
def experience(acme):
    """Log in as the experience page does, in one operator's session."""

    def attempt(code, *, bound_to="operator-1"):
        fields = {"code": code}
        return attempt_login(acme.application, fields, address="127.0.0.1", bound_to=bound_to)

    return attempt


def test_the_rest_door_is_the_usual_one(acme, log_in):
    log_in()

    assert events()[0]["door"] == "rest"


def test_an_experience_login_is_a_login_like_any_other(experience):
    attempt = experience(builders.wx_login())

    assert (attempt.succeeded, attempt.created) == (True, True)
    assert events()[0]["door"] == "experience"
    assert Session.objects.count() == 1


def test_a_refused_experience_login_says_its_door_too(experience):
    attempt = experience("a-code-that-was-never-issued")

    assert attempt.error == "invalid_code"
    assert events()[0]["door"] == "experience"


def test_a_code_is_repeated_within_its_operators_session(experience, wechat):
    code = builders.wx_login()

    first, second = experience(code), experience(code)

    assert (first.succeeded, second.succeeded) == (True, True)
    assert wechat.calls == ["jscode2session"] * 2
    assert steps()[2]["step"] == "replayed"


@pytest.mark.parametrize("others", ["operator-2", ""])
def test_a_code_is_not_repeated_in_another_operators_session(experience, wechat, others):
    code = builders.wx_login()
    experience(code)

    assert experience(code, bound_to=others).error == "code_already_used"
    assert wechat.calls == ["jscode2session"] * 2


def test_a_code_of_an_experience_login_is_not_repeated_at_the_rest_door(experience, log_in):
    code = builders.wx_login()
    experience(code)

    assert log_in(code=code).json()["error"] == "code_already_used"


def test_a_code_of_the_rest_door_is_not_repeated_in_an_experience_login(experience, log_in):
    code = builders.wx_login()
    log_in(code=code)

    assert experience(code).error == "code_already_used"
    assert experience(code, bound_to="").error == "code_already_used"


def test_nothing_of_a_request_decides_about_its_door(acme, log_in):
    attempts = [partial(log_in, door="experience"), partial(log_in, bound_to="operator-1")]

    assert [attempt().status_code for attempt in attempts] == [400, 400]
