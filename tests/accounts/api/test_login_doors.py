"""One view, several doors: each exchanges its codes for itself, and events say which it was."""

from functools import partial

import pytest
from django.test import RequestFactory

from accounts.api.views import WeChatMiniProgramLoginView
from accounts.models import LoginEvent, Session
from tests.support import builders
from tests.support.records import events, steps

EXPERIENCE = LoginEvent.Door.EXPERIENCE


@pytest.fixture
def experience(acme, rf: RequestFactory):
    """Log in as the experience page does, in one operator's session."""

    def post(code, *, bound_to="operator-1"):
        view = WeChatMiniProgramLoginView.as_view(door=EXPERIENCE, bound_to=bound_to)
        body = {"client_id": "acme-shop", "code": code}
        response = view(rf.post("/", body, content_type="application/json"))
        return response.render()

    return post


def word(response):
    """Return what a refused answer says."""
    return response.data["error"] if hasattr(response, "data") else response.json()["error"]


def test_the_rest_door_is_the_usual_one(acme, log_in):
    log_in()

    assert events()[0]["door"] == "rest"


def test_an_experience_login_is_a_login_like_any_other(experience):
    response = experience(builders.wx_login())

    assert response.status_code == 200
    assert response.data["created"] is True
    assert events()[0]["door"] == "experience"
    assert Session.objects.count() == 1


def test_a_refused_experience_login_says_its_door_too(experience):
    response = experience("a-code-that-was-never-issued")

    assert word(response) == "invalid_code"
    assert events()[0]["door"] == "experience"


def test_a_code_is_repeated_within_its_operators_session(experience, wechat):
    code = builders.wx_login()

    first, second = experience(code), experience(code)

    assert (first.status_code, second.status_code) == (200, 200)
    assert wechat.calls == ["jscode2session"]
    assert steps()[1]["step"] == "replayed"


@pytest.mark.parametrize("others", ["operator-2", ""])
def test_a_code_is_not_repeated_in_another_operators_session(experience, wechat, others):
    code = builders.wx_login()
    experience(code)

    assert word(experience(code, bound_to=others)) == "code_already_used"
    assert wechat.calls == ["jscode2session"] * 2


def test_a_code_of_an_experience_login_is_not_repeated_at_the_rest_door(experience, log_in):
    code = builders.wx_login()
    experience(code)

    assert word(log_in(code=code)) == "code_already_used"


def test_a_code_of_the_rest_door_is_not_repeated_in_an_experience_login(experience, log_in):
    code = builders.wx_login()
    log_in(code=code)

    assert word(experience(code)) == "code_already_used"
    assert word(experience(code, bound_to="")) == "code_already_used"


def test_nothing_of_a_request_decides_about_its_door(acme, log_in):
    attempts = [partial(log_in, door="experience"), partial(log_in, bound_to="operator-1")]

    assert [attempt().status_code for attempt in attempts] == [400, 400]
