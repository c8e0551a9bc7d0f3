"""Each refusal has an explanation of its own, and a new one without is noticed here."""

import importlib
import pkgutil

import pytest
from django.utils import translation

import accounts
import applications
from accounts.models import Session
from accounts.words import explanations
from accounts.words.explanations import REFUSALS_THAT_ASK, explain_refusal
from config.kernel import errors
from config.kernel.errors import DomainError, LoginRefused

GENERAL = explain_refusal("a word that nobody knows")
# Of doors behind the login, and of WeChat's pushes: no login event has them.
AFTER_THE_LOGIN = {
    "invalid_token",
    "insufficient_scope",
    "invalid_grant",
    "unsupported_grant_type",
    "insufficient_user_authentication",
    "identity_taken",
    "last_way_in",
    "phone_taken",
    "not_found",
    "push_refused",
    "authorization_pending",
    "slow_down",
    "expired_token",
    "access_denied",
}
REUSED = {Session.EndReason.REFRESH_TOKEN_REUSED.value, Session.EndReason.CODE_REUSED.value}


def every_refusal():
    """Return the classes of all refusals there are, wherever they are defined."""
    for app in (accounts, applications):
        for module in pkgutil.walk_packages(app.__path__, f"{app.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    found, waiting = set(), [DomainError]
    while waiting:
        refusal = waiting.pop()
        found.add(refusal)
        waiting.extend(refusal.__subclasses__())
    return found


def words():
    refusals = {refusal.code for refusal in every_refusal()}
    return sorted((refusals - AFTER_THE_LOGIN) | REUSED)


def test_an_unknown_word_has_a_general_explanation():
    assert GENERAL.meaning == "The login was refused."
    assert GENERAL.remedy


def test_the_walk_finds_refusals_of_every_kind():
    known = {"login_method_disabled", "wechat_user_blocked", "invalid_scope", "service_unavailable"}

    assert known < set(words())
    assert len([refusal for refusal in every_refusal() if issubclass(refusal, LoginRefused)]) > 10
    assert errors.TooManyRequests in every_refusal()


@pytest.mark.parametrize("word", words())
def test_every_refusal_is_explained_in_words_of_its_own(word):
    explanation = explain_refusal(word)

    assert explanation.meaning not in {"", GENERAL.meaning}
    assert explanation.remedy not in {"", GENERAL.remedy}


def test_no_two_refusals_mean_the_same():
    meanings = [explain_refusal(word).meaning for word in words()]

    assert len(set(meanings)) == len(meanings)


def test_the_steps_of_a_first_login_are_refusals_that_there_are():
    assert set(words()) >= REFUSALS_THAT_ASK


def test_nothing_is_explained_that_no_refusal_says():
    assert set(explanations._EXPLANATIONS) <= set(words())  # noqa: SLF001  nothing else lists them


def test_an_explanation_is_text_in_the_language_of_the_moment():
    with translation.override("zh-hans"):
        chinese = explain_refusal("invalid_code")
    with translation.override("en"):
        english = explain_refusal("invalid_code")

    assert english.meaning == "WeChat didn't accept the code."
    assert type(english.meaning) is type(chinese.meaning) is str
