"""Secrets at rest: readable in their own place, with the installation's keys, and nowhere else."""

import base64
import hashlib

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.models import CodeExchange
from config.kernel.encryption import (
    DecryptionError,
    keyed_hash,
    keyed_hashes,
    parse_keys,
    seal,
    seal_under,
    token_hash,
    unseal,
    unseal_under,
)
from identity_sources.models import IdentitySource, WeChatAccessToken
from userpools.models import SigningKey

OLD_KEY = b"o" * 32
NEW_KEY = b"n" * 32


def sealed_row() -> IdentitySource:
    row = IdentitySource()
    row.app_secret_ciphertext = seal(row, "app_secret_ciphertext", "the plain secret")
    return row


def test_a_ciphertext_moved_to_another_row_is_refused():
    other = IdentitySource(app_secret_ciphertext=sealed_row().app_secret_ciphertext)

    with pytest.raises(
        DecryptionError, match=r"^identity_sources.IdentitySource.app_secret_ciphertext was moved"
    ):
        unseal(other, "app_secret_ciphertext")


def test_a_ciphertext_moved_to_another_column_is_refused():
    row = sealed_row()
    row.display_name = row.app_secret_ciphertext

    with pytest.raises(DecryptionError, match="moved or changed"):
        unseal(row, "display_name")


def test_a_ciphertext_moved_to_another_table_is_refused():
    row = sealed_row()
    other = WeChatAccessToken(source=row, token_ciphertext=row.app_secret_ciphertext)
    same_column = SigningKey(pk=row.pk)
    same_column.app_secret_ciphertext = row.app_secret_ciphertext

    assert other.pk == row.pk
    with pytest.raises(DecryptionError):
        unseal(other, "token_ciphertext")
    with pytest.raises(DecryptionError):
        unseal(same_column, "app_secret_ciphertext")


def test_a_changed_bit_is_noticed_wherever_it_is():
    row = sealed_row()
    sealed = row.app_secret_ciphertext

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        row.app_secret_ciphertext = bytes(changed)
        with pytest.raises(DecryptionError):
            unseal(row, "app_secret_ciphertext")


def test_a_ciphertext_that_was_cut_off_is_noticed_wherever_it_was():
    row = sealed_row()
    sealed = row.app_secret_ciphertext

    for length in range(len(sealed)):
        row.app_secret_ciphertext = sealed[:length]
        with pytest.raises(DecryptionError):
            unseal(row, "app_secret_ciphertext")


def test_without_its_key_a_ciphertext_is_refused(settings):
    row = sealed_row()
    settings.ENCRYPTION_KEYS = (NEW_KEY,)

    with pytest.raises(DecryptionError) as refusal:
        unseal(row, "app_secret_ciphertext")

    assert str(refusal.value) == (
        "No key of ENCRYPTION_KEYS fits identity_sources.IdentitySource.app_secret_ciphertext."
    )


def test_what_was_sealed_comes_back():
    row = sealed_row()

    assert unseal(row, "app_secret_ciphertext") == "the plain secret"
    assert b"the plain secret" not in row.app_secret_ciphertext


@pytest.mark.parametrize("plaintext", ["", "密钥🔑", "x" * 10_000])
def test_any_text_comes_back(plaintext):
    row = CodeExchange(key="a key")
    row.answer_ciphertext = seal(row, "answer_ciphertext", plaintext)

    assert unseal(row, "answer_ciphertext") == plaintext


def test_a_text_is_never_sealed_twice_in_the_same_way():
    row = IdentitySource()

    sealed = {seal(row, "app_secret_ciphertext", "the plain secret") for _ in range(50)}

    assert len(sealed) == 50


def test_the_old_key_still_decrypts_after_a_new_one_was_put_first(settings):
    settings.ENCRYPTION_KEYS = (OLD_KEY,)
    row = sealed_row()
    settings.ENCRYPTION_KEYS = (NEW_KEY, OLD_KEY)

    assert unseal(row, "app_secret_ciphertext") == "the plain secret"


def test_the_first_key_encrypts(settings):
    settings.ENCRYPTION_KEYS = (NEW_KEY, OLD_KEY)
    row = sealed_row()
    settings.ENCRYPTION_KEYS = (NEW_KEY,)

    assert unseal(row, "app_secret_ciphertext") == "the plain secret"


def test_the_format_is_version_key_id_nonce_and_ciphertext(settings):
    settings.ENCRYPTION_KEYS = (NEW_KEY,)

    sealed = sealed_row().app_secret_ciphertext

    assert sealed[:1] == b"\x01"
    assert sealed[1:9] == hashlib.sha256(b"key id" + NEW_KEY).digest()[:8]
    assert len(sealed) == 1 + 8 + 12 + len("the plain secret") + 16


@pytest.mark.parametrize(
    "parts",
    [("ab", "c"), ("a", "bc", ""), ("abc",), ("", "a", "bc"), ("a", "b", "c"), ("bc", "a"), ()],
)
def test_the_parts_of_a_keyed_hash_cant_be_shifted(parts):
    assert keyed_hash("purpose", *parts) != keyed_hash("purpose", "a", "bc")


def test_a_keyed_hash_depends_on_purpose_and_first_key(settings):
    settings.ENCRYPTION_KEYS = (OLD_KEY,)
    before = keyed_hash("purpose", "a")

    assert keyed_hash("purpose", "a") == before
    assert keyed_hash("another purpose", "a") != before
    settings.ENCRYPTION_KEYS = (OLD_KEY, NEW_KEY)
    assert keyed_hash("purpose", "a") == before
    settings.ENCRYPTION_KEYS = (NEW_KEY, OLD_KEY)
    assert keyed_hash("purpose", "a") != before


def test_a_keyed_hash_is_found_again_under_every_key_that_is_kept(settings):
    settings.ENCRYPTION_KEYS = (OLD_KEY,)
    made = keyed_hash("purpose", "a")
    assert keyed_hashes("purpose", "a") == [made]

    settings.ENCRYPTION_KEYS = (NEW_KEY, OLD_KEY)
    assert keyed_hashes("purpose", "a") == [keyed_hash("purpose", "a"), made]
    assert made not in keyed_hashes("purpose", "b") + keyed_hashes("another purpose", "a")

    settings.ENCRYPTION_KEYS = (NEW_KEY,)
    assert made not in keyed_hashes("purpose", "a")


def test_nothing_that_is_encrypted_depends_on_the_secret_key(settings):
    row, digest = sealed_row(), keyed_hash("purpose", "a")
    settings.SECRET_KEY = "another-secret-key-of-more-than-32-characters"

    assert unseal(row, "app_secret_ciphertext") == "the plain secret"
    assert keyed_hash("purpose", "a") == digest


def test_a_token_is_hashed_with_sha256():
    assert token_hash("abc").hex() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_an_entry_that_is_no_key_is_refused_by_its_position():
    good = base64.urlsafe_b64encode(OLD_KEY).decode()

    with pytest.raises(ImproperlyConfigured, match=r"^Entry 3 of ENCRYPTION_KEYS is not"):
        parse_keys(f"{good},{good},")


def test_keys_are_read_in_their_order():
    setting = ", ".join(base64.urlsafe_b64encode(key).decode() for key in (NEW_KEY, OLD_KEY))

    assert parse_keys(setting) == (NEW_KEY, OLD_KEY)


# Under a secret that only its holder has


@pytest.mark.parametrize("plaintext", ["", "密钥🔑", "x" * 10_000])
def test_who_has_the_secret_gets_the_text(plaintext):
    sealed = seal_under("a secret", "a purpose", plaintext)

    assert unseal_under("a secret", "a purpose", sealed) == plaintext
    assert seal_under("a secret", "a purpose", plaintext) != sealed


@pytest.mark.parametrize(
    ("secret", "purpose"), [("another secret", "a purpose"), ("a secret", "another purpose")]
)
def test_another_secret_or_purpose_opens_nothing(secret, purpose):
    sealed = seal_under("a secret", "a purpose", "text")

    with pytest.raises(DecryptionError):
        unseal_under(secret, purpose, sealed)


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_what_is_cut_off_opens_nothing(length):
    sealed = seal_under("a secret", "a purpose", "text")

    with pytest.raises(DecryptionError):
        unseal_under("a secret", "a purpose", sealed[:length])
