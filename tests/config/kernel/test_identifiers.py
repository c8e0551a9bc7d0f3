"""The words that name things in URLs, YAML files and tokens."""

import uuid

import pytest
from django.core.exceptions import ValidationError

from config.kernel.identifiers import validate_client_id, validate_identifier
from config.kernel.primary_keys import new_id


@pytest.mark.parametrize(
    "word",
    ["", "-", "Acme", "acme_2", "-acme", "acme-", "ac--me", "a b", "acme\n", "ácme", "甲", "٣"],
)  # fmt: skip
def test_what_is_no_identifier_is_refused(word):
    with pytest.raises(ValidationError):
        validate_identifier(word)


@pytest.mark.parametrize("word", ["a", "2", "acme", "acme-2", "a-b-c", "0123456789"])
def test_an_identifier_is_taken(word):
    validate_identifier(word)


@pytest.mark.parametrize(
    "word",
    ["", "-shop", ".shop", "~shop", "a b", "shop\n", "shop:1", "a%20b", "ä", "a/b", "a\x00b", "٣"],
)
def test_what_needs_escaping_is_no_client_id(word):
    with pytest.raises(ValidationError, match="Use letters, digits"):
        validate_client_id(word)


@pytest.mark.parametrize(
    "word",
    [
        "bf804b54-ed87-483d-adbe-273d0a26d448",
        "BF804B54-ED87-483D-ADBE-273D0A26D448",
        "bf804b54ed87483dadbe273d0a26d448",
    ],
)
def test_a_client_id_is_never_like_a_sub(word):
    with pytest.raises(ValidationError, match="must not look like a UUID"):
        validate_client_id(word)


@pytest.mark.parametrize("word", ["a", "acme-shop", "Acme.Shop_2~x", "65f0a8d4c1b2e3f4a5b6c7d8"])
def test_a_client_id_is_taken(word):
    validate_client_id(word)


def test_ids_are_uuids_of_version_7_in_the_order_of_their_making():
    ids = [new_id() for _ in range(100)]

    assert all(isinstance(one, uuid.UUID) and one.version == 7 for one in ids)
    assert ids == sorted(set(ids))
