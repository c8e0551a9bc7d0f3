"""Who calls: the credentials as they were sent, and whether they prove anything."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

import pytest

from applications.client_authentication import (
    ClientCredentials,
    authenticate_client,
    read_credentials,
)
from applications.models import ClientSecret
from config.kernel.errors import InvalidClient, InvalidRequest
from tests.support import builders

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECRET = builders.CLIENT_SECRET
WITH_SECRET = {"client_id": "acme-web", "client_secret": SECRET}
NEW_SECRET = "another secret of more than 32 characters"


@pytest.fixture
def confidential(acme):
    return builders.make_application(
        acme.pool, client_id="acme-web", type="web", client_secret=SECRET
    )


def sent(secret: str | None) -> ClientCredentials:
    return ClientCredentials("acme-web", secret)


def basic(text: str | bytes, scheme: str = "Basic") -> str:
    raw = text.encode() if isinstance(text, str) else text
    return f"{scheme} {base64.b64encode(raw).decode()}"


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic ",
        "Basic !!!",
        "Basic YTpi\xe9",
        "Basic YTp",
        "Basic YTpi extra",
        basic("no colon"),
        basic(b"\xff:\xff"),
        basic("acme-web:a\x00b"),
    ],
)
def test_a_header_that_cant_be_read_is_refused(authorization):
    with pytest.raises(InvalidClient):
        read_credentials(authorization, {})


@pytest.mark.parametrize("credentials", ["acme%00web:secret", "acme-web:%00"])
def test_an_encoded_nul_character_is_refused(credentials):
    with pytest.raises(InvalidClient):
        read_credentials(basic(credentials), {})


@pytest.mark.parametrize("authorization", ["", "Bearer abc", "Digest abc", "Basic"])
def test_a_call_that_names_no_application_is_told_the_field(authorization):
    with pytest.raises(InvalidRequest) as refusal:
        read_credentials(authorization, {"client_secret": SECRET})

    assert (refusal.value.field, refusal.value.description) == (
        "client_id",
        "client_id: is required.",
    )


def test_a_secret_in_both_places_is_refused():
    with pytest.raises(InvalidRequest) as refusal:
        read_credentials(basic(f"acme-web:{SECRET}"), WITH_SECRET)

    assert refusal.value.field == "client_secret"


def test_two_different_applications_are_refused():
    with pytest.raises(InvalidRequest) as refusal:
        read_credentials(basic(f"acme-web:{SECRET}"), {"client_id": "acme-shop"})

    assert refusal.value.field == "client_id"


@pytest.mark.parametrize(
    "secret",
    [None, "", "wrong", SECRET + " ", " " + SECRET, SECRET.upper(), SECRET[:-1], SECRET + "\x00"],
)
def test_a_confidential_application_without_its_secret_is_refused(confidential, secret):
    with pytest.raises(InvalidClient) as refusal:
        authenticate_client(confidential, sent(secret), now=NOW)

    assert refusal.value.status == 401
    assert refusal.value.description == InvalidClient.description


def test_an_expired_secret_is_refused(confidential):
    confidential.client_secrets.update(expires_at=NOW)

    with pytest.raises(InvalidClient):
        authenticate_client(confidential, sent(SECRET), now=NOW)


def test_another_applications_secret_is_refused(acme, confidential):
    other = builders.make_application(
        acme.pool, client_id="acme-admin", type="web", client_secret=NEW_SECRET
    )

    with pytest.raises(InvalidClient):
        authenticate_client(other, sent(SECRET), now=NOW)


@pytest.mark.parametrize("secret", [None, "", SECRET])
def test_a_confidential_application_that_has_no_secret_yet_is_refused(confidential, secret):
    confidential.client_secrets.all().delete()

    with pytest.raises(InvalidClient):
        authenticate_client(confidential, sent(secret), now=NOW)


def test_the_hash_of_a_secret_is_no_secret(confidential):
    stored = bytes(confidential.client_secrets.get().secret_hash)

    with pytest.raises(InvalidClient):
        authenticate_client(confidential, sent(stored.hex()), now=NOW)


def test_two_secrets_overlap_while_one_is_rotated(confidential):
    confidential.client_secrets.update(expires_at=NOW + timedelta(seconds=1))
    ClientSecret.for_application(confidential, NEW_SECRET).save()

    authenticate_client(confidential, sent(SECRET), now=NOW)
    authenticate_client(confidential, sent(NEW_SECRET), now=NOW)
    with pytest.raises(InvalidClient):
        authenticate_client(confidential, sent(SECRET), now=NOW + timedelta(seconds=1))
    authenticate_client(confidential, sent(NEW_SECRET), now=NOW + timedelta(days=999))


@pytest.mark.parametrize("secret", [None, "", "anything"])
def test_a_public_application_proves_nothing_and_needs_nothing(acme, secret):
    # RFC 6749 §2.3: it may send what it likes, nothing depends on it.
    authenticate_client(acme.application, sent(secret), now=NOW)


def test_an_application_that_became_public_needs_its_old_secret_no_longer(confidential):
    confidential.client_authentication = "none"

    authenticate_client(confidential, sent(None), now=NOW)


def test_credentials_may_stand_in_the_body():
    assert read_credentials("", WITH_SECRET) == ClientCredentials("acme-web", SECRET)
    assert read_credentials("Bearer abc", {"client_id": "acme-shop"}) == ClientCredentials(
        "acme-shop"
    )


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_credentials_may_stand_in_the_header(scheme):
    credentials = read_credentials(basic(f"acme-web:{SECRET}", scheme), {})

    assert credentials == ClientCredentials("acme-web", SECRET)


def test_the_body_may_name_the_application_of_the_header():
    credentials = read_credentials(basic(f"acme-web:{SECRET}"), {"client_id": "acme-web"})

    assert credentials == ClientCredentials("acme-web", SECRET)


@pytest.mark.parametrize(
    "secret", ["a+b c&d=e%f", "colon:colon", "密钥🔑", "100%25", "", "plain-secret_.~"]
)
def test_both_parts_of_the_header_are_form_encoded(secret):
    # RFC 6749 §2.3.1
    header = basic(f"{quote_plus('acme~web.1')}:{quote_plus(secret)}")

    assert read_credentials(header, {}) == ClientCredentials("acme~web.1", secret)


def test_a_secret_is_not_shown_where_credentials_are_printed():
    assert SECRET not in repr(ClientCredentials("acme-web", SECRET))
