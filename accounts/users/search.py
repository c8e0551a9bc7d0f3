"""Finding a user by a complete identifier that an operator entered."""

from django.db.models import Q
from django.db.models.query import QuerySet

from accounts.models import LinkedAccount, User
from userpools.models import UserPool


def users_named(pool: UserPool, name: str) -> list[User]:
    """Return the pool's users with this ``sub``, OpenID, UnionID, verified number or address.

    Only exact matches count. A merged user is found only by ``sub``, since contact details that are
    kept for undoing aren't verified. Only an OpenID that exists under two AppIDs finds two users.
    """
    users = User.objects.filter(pool=pool).select_related("merged_into")
    found = [
        *users.filter(sub=name),
        *users.filter(pk__in=_of_wechat(pool, name)),
        *users.filter(phone_number=name, phone_number_verified_at__isnull=False),
        *users.with_verified_email(name),
    ]
    return list({user.pk: user for user in found}.values())


def _of_wechat(pool: UserPool, name: str) -> QuerySet[LinkedAccount, object]:
    accounts = LinkedAccount.objects.filter(
        Q(kind=LinkedAccount.Kind.OPENID, openid=name)
        | Q(kind=LinkedAccount.Kind.UNIONID, unionid=name),
        pool=pool,
    )
    return accounts.values_list("user", flat=True)
