"""The consent that people gave to applications."""

from datetime import datetime

from accounts.models import Consent, User
from accounts.sessions import scopes
from applications.models import Application
from config.kernel.database import one_or_none


def has_consented(user: User, application: Application, scope: tuple[str, ...]) -> bool:
    """Return whether the user has already agreed to all of these scopes."""
    consents = Consent.objects.filter(pool=user.pool_id, user=user, application=application)
    given = one_or_none(consents.values_list("scope", flat=True))
    return given is not None and {*scope} - {scopes.OPENID} <= {*given.split()}


def record_consent(
    user: User, application: Application, scope: tuple[str, ...], *, now: datetime
) -> None:
    """Add scopes to the user's consent, within the caller's transaction."""
    # Locked, so that scopes which another transaction adds at the same time aren't lost.
    consent, created = Consent.objects.select_for_update(no_key=True).get_or_create(
        pool_id=user.pool_id,
        user=user,
        application=application,
        defaults={"scope": " ".join(scope), "given_at": now},
    )
    together = {*consent.scope.split(), *scope}
    if not created and together != {*consent.scope.split()}:
        consent.scope = " ".join(name for name in scopes.ALL_SCOPES if name in together)
        consent.given_at = now
        consent.save(update_fields=["scope", "given_at"])
