"""Where in the console a request is: in which pool, if in any, and by which role."""

from dataclasses import dataclass
from typing import cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from userpools.models import Membership, Operator, UserPool


@dataclass(frozen=True, kw_only=True)
class Place:
    """The pool that the path names, and the operator's role in it.

    ``named`` is the path's word whether or not such a pool exists. A pool is there only for those
    who have a role in it, so that nobody learns of pools that aren't theirs.
    """

    named: str | None = None
    pool: UserPool | None = None
    role: Membership.Role | None = None

    @property
    def is_hidden(self) -> bool:
        """Whether the path names a pool that isn't there for this operator."""
        return self.named is not None and self.pool is None

    @property
    def may_change(self) -> bool:
        return self.role == Membership.Role.ADMIN

    def require_pool(self) -> UserPool:
        """Return the pool.

        Raises:
            Http404: the request is in no pool, or in one that isn't there for this operator.

        """
        if self.pool is None:
            raise Http404
        return self.pool


class ConsoleRequest(HttpRequest):
    """A request that ``ConsoleMiddleware`` has let through."""

    place: Place


def place_of(request: HttpRequest) -> Place:
    """Return where in the console the request is."""
    return cast("ConsoleRequest", request).place


def find_place(operator: Operator | AnonymousUser, named: str | None) -> Place:
    """Look the pool and the operator's role up, by one query for most operators."""
    if named is None or not isinstance(operator, Operator):
        return Place(named=named)
    pool = pools_of(operator).filter(identifier=named).first()
    return Place(named=named, pool=pool, role=role_in(operator, pool) if pool else None)


def pools_of(operator: Operator) -> QuerySet[UserPool]:
    """Return the pools that the operator may see, by name."""
    pools = UserPool.objects.order_by("name", "identifier")
    return pools if operator.is_superuser else pools.filter(memberships__operator=operator)


def role_in(operator: Operator, pool: UserPool) -> Membership.Role | None:
    """Return the operator's role in a pool; None for a stranger."""
    if not operator.is_active:
        return None
    if operator.is_superuser:
        return Membership.Role.ADMIN
    membership = Membership.objects.filter(pool=pool, operator=operator).first()
    return Membership.Role(membership.role) if membership else None


def operator_of(request: HttpRequest) -> Operator:
    """Return who is signed in.

    Raises:
        Http404: nobody is; a page behind ``ConsoleSite.admin_view`` never sees that.

    """
    if not isinstance(request.user, Operator):
        raise Http404
    return request.user
