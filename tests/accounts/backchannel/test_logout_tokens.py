"""The logout token, read as an application reads it."""

import json
from datetime import timedelta

import jwt
import pytest
from django.utils import timezone

from accounts.backchannel.logout_tokens import logout_token
from accounts.merging.merge import merge_by_hand
from accounts.models import LogoutNotice
from accounts.refusals import InvalidToken
from accounts.sessions.access import verify_access_token
from tests.accounts.backchannel.reading import read
from tests.support import builders

pytestmark = pytest.mark.rsa


@pytest.fixture
def now():
    """The test's own moment: a logout token lives two minutes, a run of the tests longer."""
    return timezone.now()


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_it_says_which_session_of_whom_ended(alice, told, enter, algorithm, now):
    told.signing_algorithm = algorithm
    session = enter(alice, told)

    token = logout_token(session, now=now)

    claims = read(token, told)
    assert claims.pop("jti")
    assert claims == {
        "iss": "http://127.0.0.1:8000/oidc/acme",
        "aud": "acme-shop",
        "sub": "usr_alice",
        "sid": str(session.pk),
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 120,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"]) == (algorithm, "logout+jwt")


def test_each_attempt_has_a_token_of_its_own(alice, told, enter, now):
    session = enter(alice, told)

    tokens = [read(logout_token(session, now=now), told) for _ in range(2)]

    assert tokens[0]["jti"] != tokens[1]["jti"]


def test_a_merged_users_application_hears_the_sub_that_it_knows(acme, alice, told, enter, now):
    younger = builders.make_user(acme.pool)
    enter(younger, told)
    merge_by_hand(alice, younger, operator=builders.make_operator("ada", acme.pool), now=now)

    notice = LogoutNotice.objects.get()

    assert read(logout_token(notice.session, now=now), told)["sub"] == younger.sub != alice.sub


def test_it_opens_nothing(alice, told, enter, now):
    token = logout_token(enter(alice, told), now=now)

    with pytest.raises(InvalidToken):
        verify_access_token(f"Bearer {token}", now=now)


def test_it_is_of_no_use_after_two_minutes(alice, told, enter, now):
    token = logout_token(enter(alice, told), now=now - timedelta(seconds=121))

    with pytest.raises(jwt.ExpiredSignatureError):
        read(token, told)


def test_it_holds_nothing_personal(acme, told, enter, now):
    user = builders.make_user(acme.pool, nickname="Ally", phone_number="+8613800000001")

    claims = json.dumps(read(logout_token(enter(user, told), now=now), told))

    assert "Ally" not in claims
    assert "13800000001" not in claims
