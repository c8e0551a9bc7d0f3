"""The database's side: the rows of a manifest, and their values field by field.

A digest of each value that `apply` wrote last is stored, to detect changes made in the console.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from applications.manifest.entries import Manifest
from applications.models import Application, ClientSecret, PostLogoutRedirectURI, RedirectURI
from applications.models.applications import REFRESH_LEEWAY
from config.kernel.encryption import DecryptionError
from identity_sources.models import IdentitySource
from userpools.models import SigningKey, UserPool

Value = str | bool | int | list[str] | dict[str, Any] | None

SECRET_FIELDS = frozenset({"app_secret", "client_secret"})

# The defaults of an application: left out of an export.
APPLICATION_DEFAULTS: Mapping[str, Value] = {
    "signing_algorithm": SigningKey.Algorithm.ES256.value,
    "jwks": None,
    "pkce": Application.Pkce.REQUIRED.value,
    "requires_consent": False,
    "allows_device_flow": False,
    "refresh_leeway": REFRESH_LEEWAY,
    "backchannel_logout_uri": "",
    "post_logout_redirect_uris": [],
}


@dataclass(frozen=True)
class Rows:
    """The pools that the file names with their sources, and the applications it names anywhere."""

    pools: Mapping[str, UserPool]
    sources: Mapping[tuple[str, str], IdentitySource]
    applications: Mapping[str, Application]

    def sources_in(self, pool: str) -> list[IdentitySource]:
        """Return a pool's sources, the archived ones too."""
        return [source for (owner, _), source in self.sources.items() if owner == pool]


def load_rows(manifest: Manifest, *, lock: bool) -> Rows:
    """Load what the manifest names; with ``lock``, keep it from others until the transaction ends.

    The pools are locked first and in the order of their names, so that one of two concurrent runs
    waits for the other, and reads the rest only when that one has finished.
    """
    identifiers = [entry.values["identifier"] for entry in manifest.pools]
    client_ids = [
        entry.values["client_id"] for pool in manifest.pools for entry in pool.applications
    ]
    pools = UserPool.objects.filter(identifier__in=identifiers).order_by("identifier")
    sources = IdentitySource.objects.filter(pool__identifier__in=identifiers).order_by("pk")
    applications = Application.objects.filter(client_id__in=client_ids).order_by("pk")
    if lock:
        pools = pools.select_for_update()
        sources = sources.select_for_update(of=("self",))
        applications = applications.select_for_update(of=("self",))
    return Rows(
        {pool.identifier: pool for pool in pools},
        {
            (source.pool.identifier, source.identifier): source
            for source in sources.select_related("pool")
        },
        {
            application.client_id: application
            for application in applications.select_related("pool").prefetch_related(
                "redirect_uris",
                "post_logout_redirect_uris",
                "login_methods__identity_source",
                "client_secrets",
            )
        },
    )


def pool_state(pool: UserPool) -> dict[str, Value]:
    """Return the pool's values."""
    return {
        "name": pool.name,
        "merge": pool.merge,
        "genauth_compatible": pool.genauth_compatible,
    }


def source_state(source: IdentitySource) -> dict[str, Value]:
    """Return the source's values, with its AppSecret; None where no key decrypts that."""
    try:
        app_secret = source.app_secret()
    except DecryptionError:
        app_secret = None
    return {
        "display_name": source.display_name,
        "app_secret": app_secret,
        "registration": source.registration,
        "association": source.association,
        "enabled": source.enabled,
    }


def application_state(
    application: Application, *, live_sources: Collection[str]
) -> dict[str, Value]:
    """Return the application's values; a client secret is the hexadecimal form of its hash.

    A disabled login method counts as absent, and so does one of a source that isn't among
    ``live_sources``: nobody can log in by them.
    """
    return {
        "name": application.name,
        "enabled": application.enabled,
        "client_authentication": application.client_authentication,
        "client_secret": _lasting_secrets(application),
        "signing_algorithm": application.signing_algorithm,
        "jwks": application.jwks,
        "pkce": application.pkce,
        "requires_consent": application.requires_consent,
        "allows_device_flow": application.allows_device_flow,
        "refresh_leeway": application.refresh_leeway,
        "backchannel_logout_uri": application.backchannel_logout_uri,
        "redirect_uris": _in_order(application.redirect_uris.all()),
        "post_logout_redirect_uris": _in_order(application.post_logout_redirect_uris.all()),
        "login_methods": [
            f"{row.identity_source.identifier}:{row.way}"
            for row in sorted(
                application.login_methods.all(), key=lambda row: (row.position, row.pk)
            )
            if row.enabled and row.identity_source.identifier in live_sources
        ],
    }


def secret_hash_of(secret: ClientSecret) -> str:
    """Return the hexadecimal form of the hash, from whatever the database's driver gives."""
    return bytes(secret.secret_hash).hex()


def digest(row_id: UUID, field: str, value: Value) -> str:
    """Return the digest of a value.

    It covers the row's id and the field as well, so that equal values of two rows don't look
    alike. The values aren't secret, or have 128 random bits and more: SHA-256 needs no key here.
    """
    # Sorted, since a database may reorder an object's members.
    text = json.dumps(
        [str(row_id), field, value], ensure_ascii=True, separators=(",", ":"), sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _in_order(uris: Iterable[RedirectURI | PostLogoutRedirectURI]) -> list[str]:
    return [row.uri for row in sorted(uris, key=lambda row: (row.position, row.pk))]


def _lasting_secrets(application: Application) -> Value:
    # A secret that expires is being rotated: its successor is compared.
    hashes = sorted(
        secret_hash_of(secret)
        for secret in application.client_secrets.all()
        if secret.expires_at is None
    )
    return hashes if len(hashes) > 1 else next(iter(hashes), None)
