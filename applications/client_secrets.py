"""Activating a client secret: the previous one works for a day more."""

from datetime import datetime, timedelta

from django.db import transaction

from applications.models import Application, ClientSecret
from config.kernel.encryption import token_hash

# Long enough to give every server of the application the new secret in working hours, short
# enough that an obsolete secret doesn't stay.
CLIENT_SECRET_OVERLAP = timedelta(hours=24)


def issue_client_secret(application: Application, *, now: datetime) -> str:
    """Create a random secret, activate it and return it, to be shown once."""
    secret = ClientSecret.generate()
    put_in_force(application, token_hash(secret), now=now)
    return secret


@transaction.atomic
def put_in_force(application: Application, secret_hash: bytes, *, now: datetime) -> None:
    """Make this the current secret; the others expire in a day, or earlier if already set."""
    # Two concurrent calls would miss each other's secret, and both would stay.
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
