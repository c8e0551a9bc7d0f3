"""Putting a client secret in force: the one before it goes on working for a day."""

from datetime import datetime, timedelta

from django.db import transaction

from applications.models import Application, ClientSecret
from config.kernel.encryption import token_hash

# Long enough for every server of the application to be given the new secret in working hours,
# short enough that a secret nobody means to use any more isn't forgotten.
CLIENT_SECRET_OVERLAP = timedelta(hours=24)


def issue_client_secret(application: Application, *, now: datetime) -> str:
    """Make a random secret, put it in force and return it: it is to be shown once."""
    secret = ClientSecret.generate()
    put_in_force(application, token_hash(secret), now=now)
    return secret


@transaction.atomic
def put_in_force(application: Application, secret_hash: bytes, *, now: datetime) -> None:
    """Make this the secret that lasts; the others end in a day, or sooner if they already do."""
    # Two at once would each miss the other's, and both would last.
    Application.objects.select_for_update().get(pk=application.pk)
    overlap_ends_at = now + CLIENT_SECRET_OVERLAP
    found = None
    for secret in ClientSecret.objects.filter(application=application):
        if bytes(secret.secret_hash) == secret_hash:
            found = secret
        elif secret.expires_at is None or secret.expires_at > overlap_ends_at:
            secret.expires_at = overlap_ends_at
            secret.save(update_fields=["expires_at"])
    found = found or ClientSecret(application=application, secret_hash=secret_hash)
    found.expires_at = None
    found.save()
