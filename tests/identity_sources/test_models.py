"""Identity sources: which values they take, what never changes, and how the AppSecret is kept."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.forms.models import model_to_dict
from django.utils import timezone

from config.kernel.encryption import DecryptionError
from identity_sources.models import IdentitySource, WeChatAccessToken
from tests.support import builders

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANOTHER_SECRET = "f" * 32


def refusal_of(source: IdentitySource) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refusal:
        source.full_clean()
    return refusal.value.message_dict


@pytest.mark.parametrize(
    "app_secret",
    ["", "f" * 31, "f" * 33, "F" * 32, "g" * 32, "f" * 32 + "\n", " " + "f" * 32, "f" * 31 + "é"],
)
def test_an_app_secret_of_another_form_is_refused_and_not_quoted(acme, app_secret):
    before = bytes(acme.source.app_secret_ciphertext)

    with pytest.raises(ValidationError) as refusal:
        acme.source.set_app_secret(app_secret, now=NOW)

    assert refusal.value.message_dict == {
        "app_secret": ["An AppSecret is 32 characters of 0-9 and a-f. Copy it again."]
    }
    assert bytes(acme.source.app_secret_ciphertext) == before


@pytest.mark.parametrize(
    "app_id",
    ["", "wx", "wx0123456789abcde", "wx0123456789abcdef0", "WX0123456789abcdef",
     "wx0123456789ABCDEF", "gh_0123456789ab", "wx0123456789abcdef\n", builders.MINI_APP_ID],
)  # fmt: skip
def test_a_live_source_takes_real_app_ids_only(acme, app_id):
    source = builders.make_source(
        acme.pool, identifier="live", app_id=builders.LIVE_APP_ID, mode="live"
    )
    fresh = IdentitySource(
        pool=acme.pool,
        identifier="fresh",
        type=source.type,
        display_name="Fresh",
        app_id=app_id,
        app_secret_ciphertext=b"x",
        app_secret_set_at=NOW,
    )

    assert list(refusal_of(fresh)) == ["app_id"]


@pytest.mark.parametrize(
    "app_id",
    [builders.LIVE_APP_ID, "wxsandbox", "wxsandbox00000000g", "wxsandbox0000000001", "WXSANDBOX1"],
)
def test_a_sandbox_source_takes_sandbox_app_ids_only(acme, app_id):
    fresh = IdentitySource(
        pool=acme.pool,
        identifier="fresh",
        type="wechat_mini_program",
        display_name="Fresh",
        app_id=app_id,
        app_secret_ciphertext=b"x",
        app_secret_set_at=NOW,
        mode="sandbox",
    )

    assert list(refusal_of(fresh)) == ["app_id"]


@pytest.mark.parametrize("identifier", ["", "Acme", "acme_2", "a" * 33, "acme mini"])
def test_a_malformed_identifier_is_refused(globex, identifier):
    source = IdentitySource.objects.get(pk=globex.source.pk)
    source.pk = None
    source.identifier = identifier
    source.app_id = builders.MINI_APP_ID

    assert list(refusal_of(source)) == ["identifier"]


@pytest.mark.parametrize(
    "changes",
    [
        {"identifier": "acme-other"},
        {"type": "wechat_website"},
        {"app_id": "wxsandbox000000009"},
        # The mode can't change alone: the AppIDs of the two worlds differ.
        {"mode": "live", "app_id": builders.LIVE_APP_ID},
    ],
)
def test_what_names_the_wechat_app_never_changes(acme, changes):
    for field, value in changes.items():
        setattr(acme.source, field, value)

    assert refusal_of(acme.source) == {name: ["This can't be changed."] for name in changes}


def test_a_source_never_moves_to_another_pool(acme, globex):
    acme.source.pool = globex.pool

    assert refusal_of(acme.source) == {"pool": ["This can't be changed."]}


def test_an_app_id_occurs_once_in_a_pool(acme):
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.make_source(acme.pool, identifier="again", app_id=acme.source.app_id)


def test_an_identifier_occurs_once_in_a_pool_even_when_archived(acme):
    _archive(acme.source)

    with pytest.raises(IntegrityError), transaction.atomic():
        builders.make_source(acme.pool, identifier=acme.source.identifier)


def test_an_app_id_that_is_taken_is_said_in_words(acme):
    again = IdentitySource.objects.get(pk=acme.source.pk)
    again.pk, again.identifier = None, "again"
    again._state.adding = True  # noqa: SLF001 - as a form has it

    assert refusal_of(again) == {"__all__": ["The pool has an identity source with this AppID."]}


def test_two_sources_of_a_pool_cant_both_come_back_with_one_app_id(acme):
    _archive(acme.source)
    builders.make_source(acme.pool, identifier="again", app_id=acme.source.app_id)

    with pytest.raises(IntegrityError), transaction.atomic():
        IdentitySource.objects.filter(pk=acme.source.pk).update(archived_at=None)


def test_an_archived_app_id_may_be_entered_again(acme):
    _archive(acme.source)

    again = builders.make_source(acme.pool, identifier="again", app_id=acme.source.app_id)

    again.full_clean()
    assert again.pk != acme.source.pk


def test_two_pools_may_use_one_app_id(acme, globex):
    source = builders.make_source(globex.pool, identifier="same", app_id=acme.source.app_id)

    source.full_clean()


def test_a_source_that_somebody_logged_in_from_stays(acme):
    with pytest.raises(ProtectedError):
        acme.source.delete()


def test_the_app_secret_is_encrypted_in_the_row(acme):
    acme.source.set_app_secret(ANOTHER_SECRET, now=NOW)
    acme.source.save()

    stored = IdentitySource.objects.filter(pk=acme.source.pk).values().get()

    assert ANOTHER_SECRET not in repr(stored)
    assert ANOTHER_SECRET.encode() not in bytes(stored["app_secret_ciphertext"])
    assert stored["app_secret_set_at"] == NOW
    assert IdentitySource.objects.get(pk=acme.source.pk).app_secret() == ANOTHER_SECRET


def test_the_app_secret_is_no_field_that_a_form_could_show(acme):
    shown = model_to_dict(acme.source)

    assert not [name for name in shown if "secret" in name and name != "app_secret_set_at"]
    assert acme.source.app_secret() not in f"{acme.source!r} {acme.source} {shown}"


def test_an_app_secret_copied_to_another_source_cant_be_read(acme, globex):
    globex.source.app_secret_ciphertext = acme.source.app_secret_ciphertext

    with pytest.raises(DecryptionError):
        globex.source.app_secret()


def test_a_saved_source_is_valid(acme):
    IdentitySource.objects.get(pk=acme.source.pk).full_clean()


@pytest.mark.parametrize(
    ("app_id", "app_secret"),
    [
        ("wx0123456789abcdee", "0" * 32),
        ("wx0123456789abcdef", "1" * 32),
        ("wx0123456789abcdef\n0", "0" * 31),
    ],
)
def test_a_fingerprint_is_of_both_app_id_and_app_secret(app_id, app_secret):
    known = WeChatAccessToken.fingerprint_of("wx0123456789abcdef", "0" * 32)

    assert WeChatAccessToken.fingerprint_of(app_id, app_secret) != known
    assert len(known) == 32


def _archive(source: IdentitySource) -> None:
    IdentitySource.objects.filter(pk=source.pk).update(archived_at=timezone.now())
