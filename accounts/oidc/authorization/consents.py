"""What people agreed that an application may know of them."""

from datetime import datetime

from accounts.models import Consent, User
from accounts.sessions import scopes
from applications.models import Application


def has_consented(user: User, application: Application, scope: tuple[str, ...]) -> bool:
    """Tell whether the person was asked before and agreed to all of this."""
    consents = Consent.objects.filter(pool=user.pool_id, user=user, application=application)
    given = consents.values_list("scope", flat=True).first()
    return given is not None and {*scope} - {scopes.OPENID} <= {*given.split()}


def record_consent(
    user: User, application: Application, scope: tuple[str, ...], *, now: datetime
) -> None:
    """Add to what the person agreed to, within a transaction; what they agreed to before stays."""
    # Locked: whoever adds something at the same moment adds it to this.
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
