"""The tenant and the operators' roles in it."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from tests.support import builders
from userpools.models import (
    RESERVED_POOL_IDENTIFIERS,
    Membership,
    Operator,
    SigningKey,
    UserPool,
)
from userpools.pools import create_pool

pytestmark = pytest.mark.rsa

# The words of the design that are, or will be, paths below /oidc, /console or /login.
PATHS = {
    "auth", "token", "me", "session", "authorize", "userinfo", "revoke", "introspect", "logout",
    "login", "console", "oidc", "api", "sandbox", "experience", "healthz", "readyz", "metrics",
    "device-authorization", "par",
}  # fmt: skip


@pytest.mark.parametrize("identifier", sorted(RESERVED_POOL_IDENTIFIERS | PATHS))
def test_a_word_that_is_a_path_is_refused(db, identifier):
    with pytest.raises(ValidationError) as refusal:
        create_pool(identifier=identifier, name="Acme")

    assert refusal.value.message_dict == {"identifier": ["This word is a path of the server."]}
    assert not UserPool.objects.exists()


@pytest.mark.parametrize(
    "identifier",
    ["", "Acme", "acme_2", ".well-known", "acme/", "-acme", "jwks.json", "a" * 65, "登录"],
)
def test_an_identifier_that_cant_stand_in_a_url_is_refused(db, identifier):
    with pytest.raises(ValidationError) as refusal:
        create_pool(identifier=identifier, name="Acme")

    assert list(refusal.value.message_dict) == ["identifier"]
    assert not UserPool.objects.exists()


def test_an_identifier_is_used_once(acme):
    with pytest.raises(ValidationError) as refusal:
        create_pool(identifier="acme", name="Another Acme")

    assert list(refusal.value.message_dict) == ["identifier"]
    with pytest.raises(IntegrityError), transaction.atomic():
        UserPool.objects.create(identifier="acme", name="Another Acme")


@pytest.mark.parametrize("fields", [{"name": ""}, {"name": "x" * 101}, {"merge": "never"}])
def test_a_malformed_pool_is_refused(db, fields):
    with pytest.raises(ValidationError) as refusal:
        create_pool(**{"identifier": "acme", "name": "Acme"} | fields)

    assert list(refusal.value.message_dict) == list(fields)


def test_an_identifier_never_changes(acme):
    acme.pool.identifier = "umbrella"

    with pytest.raises(ValidationError) as refusal:
        acme.pool.full_clean()

    assert refusal.value.message_dict == {"identifier": ["This can't be changed."]}


def test_the_issuer_is_below_the_public_address(settings):
    settings.PUBLIC_URL = "https://login.example.com"

    assert UserPool(identifier="acme").issuer == "https://login.example.com/oidc/acme"


def test_a_new_pool_is_careful(db):
    pool = create_pool(identifier="acme", name="Acme")

    pool.refresh_from_db()
    assert (pool.merge, pool.genauth_compatible, pool.signing_keys_version, pool.applied) == (
        "automatic",
        False,
        1,
        {},
    )


def test_a_pool_with_anything_in_it_stays(acme):
    SigningKey.objects.filter(pool=acme.pool).delete()

    with pytest.raises(ProtectedError):
        acme.pool.delete()


def test_a_pools_keys_protect_it(db):
    pool = builders.make_pool("empty")

    with pytest.raises(ProtectedError):
        pool.delete()


def test_an_operator_has_one_role_in_a_pool(acme, globex):
    operator = Operator.objects.create_user("olga")
    Membership.objects.create(pool=acme.pool, operator=operator)
    Membership.objects.create(pool=globex.pool, operator=operator, role=Membership.Role.ADMIN)

    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(pool=acme.pool, operator=operator, role=Membership.Role.ADMIN)


def test_a_new_member_may_only_look(acme):
    operator = Operator.objects.create_user("olga")

    assert Membership.objects.create(pool=acme.pool, operator=operator).role == "viewer"


def test_createsuperuser_makes_an_operator_without_questions(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a password nobody guesses")

    call_command(
        "createsuperuser", "--noinput", username="root", email="root@example.com", verbosity=0
    )

    operator = Operator.objects.get()
    assert (operator.username, operator.is_superuser, operator.is_staff, operator.is_active) == (
        "root",
        True,
        True,
        True,
    )
    assert operator.check_password("a password nobody guesses")
