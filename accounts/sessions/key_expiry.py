"""How long a retired signing key is published: as long as anything that it signed is of use."""

from datetime import datetime, timedelta

from django.db.models import Max

from applications.models import Application
from userpools.key_rotation import remove_retired_keys
from userpools.models import SigningKey, UserPool

# An expired ID token still says, as id_token_hint, who is to be logged out (OpenID Connect
# RP-Initiated Logout 1.0 §2); after this long the person is asked instead.
ID_TOKEN_HINT_LASTS = timedelta(days=30)


def delete_spent_keys(*, now: datetime) -> int:
    """Delete the retired keys whose last token expired 30 days ago; return how many.

    That token lasted no longer than the longest access token of the pool's applications.
    """
    spent = now - ID_TOKEN_HINT_LASTS
    pools = UserPool.objects.filter(
        signing_keys__state=SigningKey.State.RETIRED, signing_keys__retired_at__lt=spent
    ).distinct()
    return sum(remove_retired_keys(pool, before=spent - _longest_lifetime(pool)) for pool in pools)


def _longest_lifetime(pool: UserPool) -> timedelta:
    applications = Application.objects.filter(pool=pool)
    longest = applications.aggregate(longest=Max("access_token_lifetime"))["longest"]
    return longest or timedelta()
