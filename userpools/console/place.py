"""The place of a request in the console: its pool, if any, and the operator's role."""

from dataclasses import dataclass
from typing import cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from config.kernel.database import one_or_none
from userpools.models import Membership, Operator, UserPool


@dataclass(frozen=True, kw_only=True)
class Place:
    """The pool that the path names, and the operator's role in it.

    ``named`` is the identifier in the path, whether or not such a pool exists. A pool is visible
    only to operators with a role in it.
    """

    named: str | None = None
    pool: UserPool | None = None
    role: Membership.Role | None = None

    @property
    def is_hidden(self) -> bool:
        """Whether the path names a pool that this operator can't see."""
        return self.named is not None and self.pool is None

    @property
    def may_change(self) -> bool:
        return self.role == Membership.Role.ADMIN

    def require_pool(self) -> UserPool:
        """Return the pool.

        Raises:
            Http404: the request is in no pool, or in one that this operator can't see.

        """
        if self.pool is None:
            raise Http404
        return self.pool


class ConsoleRequest(HttpRequest):
    """A request that ``ConsoleMiddleware`` has processed."""

    place: Place


def place_of(request: HttpRequest) -> Place:
    """Return the request's place in the console."""
    return cast("ConsoleRequest", request).place


def find_place(operator: Operator | AnonymousUser, named: str | None) -> Place:
    """Look up the pool and the operator's role, by one query for most operators."""
    if named is None or not isinstance(operator, Operator):
        return Place(named=named)
    pool = one_or_none(pools_of(operator).filter(identifier=named))
    return Place(named=named, pool=pool, role=role_in(operator, pool) if pool else None)


def pools_of(operator: Operator) -> QuerySet[UserPool]:
    """Return the pools that the operator may see, by name."""
    pools = UserPool.objects.order_by("name", "identifier")
    return pools if operator.is_superuser else pools.filter(memberships__operator=operator)


def role_in(operator: Operator, pool: UserPool) -> Membership.Role | None:
    """Return the operator's role in a pool, None without one."""
    if not operator.is_active:
        return None
    if operator.is_superuser:
        return Membership.Role.ADMIN
    membership = one_or_none(Membership.objects.filter(pool=pool, operator=operator))
    return Membership.Role(membership.role) if membership else None


def operator_of(request: HttpRequest) -> Operator:
    """Return the signed-in operator.

    Raises:
        Http404: nobody is signed in, which can't happen behind ``ConsoleSite.admin_view``.

    """
    if not isinstance(request.user, Operator):
        raise Http404
    return request.user
