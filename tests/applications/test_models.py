"""Applications, their secrets and what they offer: what the rows refuse and what they protect."""

import hashlib
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from joserfc.jwk import ECKey

from applications.models import (
    Application,
    ClientAssertion,
    ClientSecret,
    LoginMethod,
    PostLogoutRedirectURI,
    RedirectURI,
)
from tests.support import builders

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)
JWKS = {"keys": [ECKey.generate_key("P-256").as_dict(private=False)]}

migration = import_module("applications.migrations.0003_openid_provider")


def refusal_of(row) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refusal:
        row.full_clean()
    return refusal.value.message_dict


@pytest.mark.parametrize("secret", ["", "s3cret", "s3cret" * 5, "秘" * 31])
def test_a_client_secret_below_32_characters_is_refused_and_not_quoted(acme, secret):
    with pytest.raises(ValidationError) as refusal:
        ClientSecret.for_application(acme.application, secret)

    assert refusal.value.message_dict == {
        "client_secret": ["Use at least 32 characters, all of them random."]
    }


@pytest.mark.parametrize(
    "client_id",
    ["", "acme shop", "-acme", "acme/shop", "x" * 65, "bf804b54-ed87-483d-adbe-273d0a26d448"],
)
def test_a_malformed_client_id_is_refused(acme, client_id):
    application = Application(pool=acme.pool, client_id=client_id, name="Shop", type="spa")

    assert list(refusal_of(application)) == ["client_id"]


def test_a_client_id_is_used_once_in_the_installation(acme, globex):
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.make_application(globex.pool, client_id=acme.application.client_id)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "saml"),
        ("client_authentication", "tls_client_auth"),
        ("pkce", "forbidden"),
        ("jwks", {"keys": []}),
        ("backchannel_logout_uri", "http://shop.example.com/logged-out"),
        ("backchannel_logout_uri", "com.example.app:/logged-out"),
        ("signing_algorithm", "HS256"),
        ("signing_algorithm", "none"),
        ("access_token_lifetime", timedelta(seconds=59)),
        ("refresh_token_idle_lifetime", timedelta(0)),
        ("refresh_token_absolute_lifetime", timedelta(days=-1)),
        ("refresh_leeway", -1),
        ("refresh_leeway", 61),
    ],
)
def test_a_malformed_setting_is_refused(acme, field, value):
    setattr(acme.application, field, value)

    assert list(refusal_of(acme.application)) == [field]


@pytest.mark.parametrize("type_", ["web", "machine"])
def test_an_application_that_can_keep_a_secret_must_have_one(acme, type_):
    application = Application(pool=acme.pool, client_id="acme-web", name="Web", type=type_)

    assert refusal_of(application) == {
        "client_authentication": ["An application of this type must have a secret."]
    }
    application.client_authentication = "client_secret"
    application.full_clean()


@pytest.mark.parametrize("type_", ["mini_program", "spa", "native"])
def test_what_people_carry_about_keeps_no_private_key(acme, type_):
    application = builders.make_application(acme.pool, client_id="acme-other", type=type_)
    application.client_authentication = "private_key_jwt"
    application.jwks = JWKS

    assert refusal_of(application) == {
        "client_authentication": ["An application of this type can't keep a key."]
    }


@pytest.mark.parametrize("type_", ["web", "machine"])
def test_a_private_key_needs_its_public_one(acme, type_):
    application = Application(
        pool=acme.pool,
        client_id="acme-web",
        name="Web",
        type=type_,
        client_authentication="private_key_jwt",
    )

    assert refusal_of(application) == {
        "jwks": ["private_key_jwt needs the application's public keys."]
    }
    application.jwks = JWKS
    application.full_clean()


def test_pkce_is_optional_only_where_something_else_proves_who_asks(acme):
    acme.application.pkce = "optional"

    assert refusal_of(acme.application) == {
        "pkce": ["An application that proves itself by nothing needs PKCE."]
    }
    acme.application.client_authentication = "client_secret"
    acme.application.full_clean()
    web = builders.make_application(
        acme.pool,
        client_id="acme-web",
        type="web",
        client_authentication="private_key_jwt",
        jwks=JWKS,
        pkce="optional",
    )
    web.full_clean()


@pytest.mark.parametrize("type_", ["mini_program", "machine"])
def test_the_device_flow_is_for_those_who_have_people_and_a_browser(acme, type_):
    application = builders.make_application(
        acme.pool,
        client_id="acme-other",
        type=type_,
        client_secret=builders.CLIENT_SECRET,
        allows_device_flow=True,
    )

    assert refusal_of(application) == {
        "allows_device_flow": ["An application of this type can't use it."]
    }


@pytest.mark.parametrize("type_", ["web", "spa", "native"])
def test_the_device_flow_may_be_allowed(acme, type_):
    builders.make_application(
        acme.pool,
        client_id="acme-other",
        type=type_,
        client_secret=builders.CLIENT_SECRET,
        allows_device_flow=True,
    ).full_clean()


@pytest.mark.parametrize(("field", "value"), [("client_id", "acme-other"), ("type", "spa")])
def test_what_names_an_application_never_changes(acme, field, value):
    setattr(acme.application, field, value)

    assert refusal_of(acme.application) == {field: ["This can't be changed."]}


def test_an_application_never_moves_to_another_pool(acme, globex):
    acme.application.pool = globex.pool

    assert refusal_of(acme.application) == {"pool": ["This can't be changed."]}


@pytest.mark.parametrize("model", [RedirectURI, PostLogoutRedirectURI])
def test_a_malformed_redirect_uri_is_refused(acme, model):
    uri = model(application=acme.application, uri="http://shop.example.com/callback")

    assert list(refusal_of(uri)) == ["uri"]


@pytest.mark.parametrize("model", [RedirectURI, PostLogoutRedirectURI])
def test_a_redirect_uri_is_registered_once(acme, model):
    model.objects.create(application=acme.application, uri="https://a.example/cb")

    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(application=acme.application, uri="https://a.example/cb")


def test_a_redirect_uri_remembers_its_origin_whatever_it_is_changed_to(acme):
    row = RedirectURI.objects.create(application=acme.application, uri="https://a.example:443/cb")
    assert RedirectURI.objects.get().origin == "https://a.example"

    row.uri = "http://127.0.0.1:9000/cb"
    row.save()

    assert RedirectURI.objects.get().origin == "http://127.0.0.1:9000"


def test_registered_redirect_uris_were_given_their_origins_by_the_migration(acme):
    for uri in ("https://A.example/cb", "com.example.app:/cb"):
        RedirectURI.objects.create(application=acme.application, uri=uri)
    RedirectURI.objects.update(origin="")

    migration.record_origins(apps, None)

    origins = dict(RedirectURI.objects.values_list("uri", "origin"))
    assert origins == {"https://A.example/cb": "https://a.example", "com.example.app:/cb": ""}


def test_the_jti_of_an_assertion_is_stored_once_for_an_application(acme, globex):
    fields = {"jti_hash": b"j" * 32, "expires_at": NOW}
    for tenant in (acme, globex):
        ClientAssertion.objects.create(application=tenant.application, **fields)

    with pytest.raises(IntegrityError), transaction.atomic():
        ClientAssertion.objects.create(application=acme.application, **fields)


def test_a_source_is_offered_once_by_a_way(acme):
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.offer(acme.application, acme.source)


@pytest.mark.parametrize("row", ["pool", "application", "source"])
def test_nothing_that_a_login_method_names_can_be_deleted(acme, row):
    with pytest.raises(ProtectedError):
        getattr(acme, row).delete()

    assert LoginMethod.objects.filter(pk=acme.method.pk).exists()


def test_an_application_with_a_secret_stays(acme):
    application = builders.make_application(
        acme.pool, client_id="acme-web", client_secret=builders.CLIENT_SECRET
    )

    with pytest.raises(ProtectedError):
        application.delete()


def test_a_new_application_is_careful(acme):
    application = Application.objects.create(pool=acme.pool, client_id="acme-web", name="Web")

    assert application.client_authentication == "none"
    assert application.signing_algorithm == "ES256"
    assert application.access_token_lifetime == timedelta(hours=1)
    assert application.refresh_token_idle_lifetime == timedelta(days=30)
    assert application.refresh_token_absolute_lifetime == timedelta(days=180)
    assert application.pkce == "required"
    assert application.jwks is None
    assert not application.allows_device_flow


def test_a_generated_secret_has_256_bits_and_is_never_the_same():
    secrets = {ClientSecret.generate() for _ in range(50)}

    assert len(secrets) == 50
    assert {len(secret) for secret in secrets} == {43}


@pytest.mark.parametrize("secret", ["x" * 32, "秘" * 32, builders.CLIENT_SECRET])
def test_a_secret_is_stored_as_its_hash_alone(acme, secret):
    row = ClientSecret.for_application(acme.application, secret)
    row.save()

    stored = ClientSecret.objects.filter(pk=row.pk).values().get()
    assert bytes(stored["secret_hash"]) == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr(stored)
    assert secret not in f"{row} {row!r}"


def test_a_secret_is_usable_until_it_expires(acme):
    secrets = {
        name: ClientSecret.objects.create(
            application=acme.application, secret_hash=name.encode(), expires_at=expires_at
        )
        for name, expires_at in {
            "endless": None,
            "later": NOW + SECOND,
            "now": NOW,
            "earlier": NOW - SECOND,
        }.items()
    }

    usable = set(acme.application.client_secrets.usable(NOW))

    assert usable == {secrets["endless"], secrets["later"]}


@pytest.mark.parametrize("update_fields", [None, ["signing_algorithm"]])
def test_an_application_remembers_until_when_it_had_another_algorithm(acme, update_fields):
    application = Application.objects.get(pk=acme.application.pk)
    application.signing_algorithm = "RS256"

    before = timezone.now()
    application.save(update_fields=update_fields)

    application.refresh_from_db()
    assert application.other_algorithm_until >= before


@pytest.mark.parametrize("update_fields", [None, ["name"], ["signing_algorithm"]])
def test_what_leaves_the_algorithm_as_it_is_is_not_remembered(acme, update_fields):
    application = Application.objects.get(pk=acme.application.pk)
    application.name = "Another"

    application.save(update_fields=update_fields)

    application.refresh_from_db()
    assert application.other_algorithm_until is None
