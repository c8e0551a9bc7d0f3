"""Actions on a user's account as a whole: suspending, closing, and reversing both."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from accounts.models import User
from accounts.users.closing import close, reopen
from accounts.users.suspension import lift_suspension, suspend
from userpools.console.place import operator_of, place_of
from userpools.models import Operator


@dataclass(frozen=True)
class Action:
    """A change of a user's status; ``change`` returns whether it changed anything."""

    address: str
    name: str
    change: Callable[[User, Operator, datetime], bool]
    sentence: Any


_ACTIONS = (
    Action(
        "suspend",
        "accounts_user_suspend",
        lambda user, _operator, now: suspend(user, now=now),
        _("Suspended; every session has ended."),
    ),
    Action(
        "lift-suspension",
        "accounts_user_lift_suspension",
        lambda user, _operator, now: lift_suspension(user, now=now),
        _("The person can log in again."),
    ),
    Action(
        "close",
        "accounts_user_close",
        lambda user, operator, now: close(user, operator=operator, now=now),
        _("The account is closed; every session has ended."),
    ),
    Action(
        "reopen",
        "accounts_user_reopen",
        lambda user, operator, now: reopen(user, operator=operator, now=now),
        _("The account is open again, as it was before it was closed."),
    ),
)


def action_urls(admin: ModelAdmin) -> list[URLPattern]:
    """Return the URL patterns of all actions, for the admin of users."""
    guard = admin.admin_site.admin_view
    return [
        path(f"<uuid:user_id>/{action.address}/", guard(_view(admin, action)), name=action.name)
        for action in _ACTIONS
    ]


def changeable_user(admin: ModelAdmin, request: HttpRequest, user_id: UUID) -> User:
    """Return a user that an administrator of the pool wants to change.

    Raises:
        Http404: no user of the pool has this id.
        PermissionDenied: the operator may only look.

    """
    user = admin.get_object(request, str(user_id))
    if not isinstance(user, User) or not place_of(request).may_change:
        raise PermissionDenied
    return user


def page_of(user: User) -> str:
    """Return the address of a user's page."""
    return reverse("admin:accounts_user_change", args=[user.pk])


def _view(admin: ModelAdmin, action: Action) -> Callable[[HttpRequest, UUID], HttpResponse]:
    @require_POST
    def view(request: HttpRequest, user_id: UUID) -> HttpResponse:
        user = changeable_user(admin, request, user_id)
        if action.change(user, operator_of(request), timezone.now()):
            admin.log_change(request, user, str(action.sentence))
            messages.success(request, action.sentence)
        else:
            messages.info(request, _("Nothing to do: somebody else was faster."))
        return HttpResponseRedirect(page_of(user))

    return view
