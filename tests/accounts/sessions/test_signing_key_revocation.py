"""Signing keys that retire and that are revoked: what becomes of tokens and sessions."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Session
from accounts.models.sessions import SessionQuerySet
from accounts.sessions.signing_keys import revoke_key, sessions_signed_by
from applications.models import Application
from tests.support import builders
from tests.support.oidc import header_of, refresh, userinfo
from tests.support.tenants import Tenant
from userpools.key_rotation import UnknownKey, prepare_key, promote_key
from userpools.models import SigningKey, UserPool

pytestmark = pytest.mark.rsa


@pytest.fixture
def pool(acme: Tenant) -> UserPool:
    return acme.pool


def key_in(pool, state, algorithm="ES256"):
    return SigningKey.objects.get(pool=pool, algorithm=algorithm, state=state)


def rotate(pool, *, now=None):
    """Have the next key sign; return the one that retires."""
    retiring = key_in(pool, "active")
    prepare_key(pool, "ES256")
    promote_key(pool, "ES256", now=now or timezone.now(), force=True)
    retiring.refresh_from_db()
    return retiring


def make_session(tenant, *, application=None, **fields):
    return Session.objects.create(
        **{
            "pool": tenant.pool,
            "user": builders.make_user(tenant.pool),
            "application": application or tenant.application,
            "identity_source": tenant.source,
            "way": "mini_program",
            "auth_time": timezone.now(),
        }
        | fields
    )


# Tokens


def test_a_token_of_a_retired_key_still_opens_the_doors(tokens, pool):
    retired = rotate(pool)

    assert header_of(tokens["access_token"])["kid"] == retired.kid
    assert userinfo(tokens["access_token"]).status_code == 200


def test_after_a_promotion_tokens_are_signed_with_the_new_key(tokens, pool):
    rotate(pool)

    renewed = refresh(tokens["refresh_token"]).json()

    for token in (renewed["access_token"], renewed["id_token"]):
        assert header_of(token)["kid"] == key_in(pool, "active").kid
    assert userinfo(renewed["access_token"]).status_code == 200


@pytest.mark.parametrize("state", ["active", "retired"])
def test_a_token_of_a_revoked_key_opens_nothing(tokens, pool, state):
    if state == "retired":
        rotate(pool)
    assert userinfo(tokens["access_token"]).status_code == 200

    revoke_key(pool, header_of(tokens["access_token"])["kid"], now=timezone.now())

    # The session is taken up again so that the key alone decides.
    Session.objects.update(ended_at=None)
    assert userinfo(tokens["access_token"]).status_code == 401


def test_after_a_revocation_people_log_in_with_another_key(tokens, pool, log_in):
    revoked = header_of(tokens["access_token"])["kid"]
    revoke_key(pool, revoked, now=timezone.now())

    assert refresh(tokens["refresh_token"]).status_code == 400
    again = log_in("alice").json()

    assert header_of(again["access_token"])["kid"] not in {revoked, None}
    assert userinfo(again["access_token"]).status_code == 200


# Sessions


def test_an_active_keys_sessions_end(session, pool):
    now = timezone.now()

    assert revoke_key(pool, key_in(pool, "active").kid, now=now) == 1

    session.refresh_from_db()
    assert (session.ended_at, session.end_reason) == (now, "signing_key_revoked")


def test_a_next_key_has_no_sessions(session, pool):
    coming = prepare_key(pool, "ES256")

    assert revoke_key(pool, coming.kid, now=timezone.now()) == 0

    session.refresh_from_db()
    assert session.ended_at is None


def test_a_retired_keys_sessions_are_those_from_before_it_retired(acme, pool):
    now = timezone.now()
    retired = rotate(pool, now=now - timedelta(hours=2))
    before = make_session(acme, auth_time=now - timedelta(hours=3))
    under_way = make_session(acme, auth_time=now - timedelta(hours=2) + timedelta(seconds=59))
    after = make_session(acme, auth_time=now - timedelta(hours=1))

    assert set(sessions_signed_by(retired)) == {before, under_way}
    assert revoke_key(pool, retired.kid, now=now) == 2

    after.refresh_from_db()
    assert after.ended_at is None


@pytest.mark.parametrize("state", ["active", "retired"])
def test_a_session_whose_application_changed_its_algorithm_since_ends(tokens, acme, pool, state):
    retired = rotate(pool) if state == "retired" else key_in(pool, "active")
    application = Application.objects.get(pk=acme.application.pk)
    application.signing_algorithm = "RS256"
    application.save()
    after = make_session(acme, application=application)

    assert sessions_signed_by(retired).count() == 1
    assert revoke_key(pool, retired.kid, now=timezone.now()) == 1

    assert refresh(tokens["refresh_token"]).status_code == 400
    after.refresh_from_db()
    assert after.ended_at is None


def test_sessions_of_the_other_algorithm_stay(acme, pool):
    rsa = builders.make_application(pool, client_id="acme-rsa", signing_algorithm="RS256")
    other = make_session(acme, application=rsa)

    assert revoke_key(pool, key_in(pool, "active").kid, now=timezone.now()) == 0

    other.refresh_from_db()
    assert other.ended_at is None


def test_other_pools_and_ended_sessions_stay_as_they_are(acme, globex, pool):
    yesterday = timezone.now() - timedelta(days=1)
    make_session(acme, ended_at=yesterday, end_reason="logged_out")
    make_session(globex)
    before = list(Session.objects.order_by("pk").values())

    assert revoke_key(pool, key_in(pool, "active").kid, now=timezone.now()) == 0
    assert list(Session.objects.order_by("pk").values()) == before


def test_another_pools_key_is_unknown(session, pool, globex):
    theirs = key_in(globex.pool, "active")

    with pytest.raises(UnknownKey):
        revoke_key(pool, theirs.kid, now=timezone.now())

    session.refresh_from_db()
    assert session.ended_at is None
    assert SigningKey.objects.filter(pk=theirs.pk).exists()


def test_if_sessions_cant_end_the_key_stays(session, pool, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError

    monkeypatch.setattr(SessionQuerySet, "end", fail)
    active = key_in(pool, "active")

    with pytest.raises(RuntimeError):
        revoke_key(pool, active.kid, now=timezone.now())

    assert key_in(pool, "active") == active
