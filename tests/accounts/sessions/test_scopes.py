"""Which scopes a request gets: those that it asks for, of those that there are."""

import pytest

from accounts.sessions.scopes import (
    ALL_SCOPES,
    InvalidScope,
    narrowed_scopes,
    requested_scopes,
    understood_scopes,
)
from applications.rules import ApplicationType

TYPES = pytest.mark.parametrize("application_type", ApplicationType)


@TYPES
@pytest.mark.parametrize(
    "scope", ["admin", "openid admin", "OPENID", "openid,profile", "*", "全部", " ", "\t\n"]
)
def test_a_scope_that_there_is_not_is_refused(scope, application_type):
    with pytest.raises(InvalidScope) as refusal:
        requested_scopes(scope, application_type)

    assert refusal.value.description.endswith(": " + " ".join(ALL_SCOPES) + ".")


@TYPES
def test_only_a_mini_program_may_change_accounts_without_asking(application_type):
    for choose in (requested_scopes, understood_scopes):
        default = choose(None, application_type)

        is_mini_program = application_type == ApplicationType.MINI_PROGRAM
        assert ("account" in default) is is_mini_program
        assert "email" not in default


@pytest.mark.parametrize(
    ("scope", "given"),
    [
        ("profile openid", ("openid", "profile")),
        ("openid openid", ("openid",)),
        ("\topenid\n profile", ("openid", "profile")),
    ],
)
def test_each_scope_is_given_once_and_in_the_usual_order(scope, given):
    assert requested_scopes(scope, "web") == understood_scopes(scope, "web") == given


def test_an_authorization_request_may_name_scopes_that_there_are_not():
    # OpenID Connect Core §3.1.2.1
    assert understood_scopes("openid admin address", "web") == ("openid",)


@TYPES
def test_an_empty_scope_counts_as_absent(application_type):
    # RFC 6749 §3.1
    for choose in (requested_scopes, understood_scopes):
        assert choose("", application_type) == choose(None, application_type)


@TYPES
@pytest.mark.parametrize("scope", ["admin", "OPENID address", " "])
def test_an_authorization_request_of_which_no_scope_is_understood_is_refused(
    scope, application_type
):
    with pytest.raises(InvalidScope):
        understood_scopes(scope, application_type)


@pytest.mark.parametrize("scope", ["phone", "openid phone", "admin", "OPENID", " "])
def test_a_refreshed_token_gets_no_more_than_was_granted(scope):
    with pytest.raises(InvalidScope):
        narrowed_scopes(scope, ("openid", "profile"))


@pytest.mark.parametrize(
    ("scope", "given"),
    [
        (None, ("openid", "profile")),
        ("profile", ("profile",)),
        ("profile openid", ("openid", "profile")),
        ("", ("openid", "profile")),
    ],
)
def test_a_refreshed_token_gets_what_it_asks_for(scope, given):
    assert narrowed_scopes(scope, ("openid", "profile")) == given
