"""Merging two users by hand, from the page of one, and undoing a merge."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.user_actions import changeable_user, page_of
from accounts.merging.comparison import compare
from accounts.merging.merge import CannotMerge, merge_by_hand
from accounts.merging.undo import CannotUndo, undo
from accounts.models import Merge, User
from accounts.users.search import users_named
from accounts.words.merges import (
    obstacles_in_words,
    plan_in_words,
    undo_in_words,
    why_not_undone,
)
from userpools.console.display import ago
from userpools.console.place import operator_of

NAME_MAX_LENGTH = 256


class OtherUserForm(forms.Form):
    """Asks for the user to merge with; only an exact match is accepted."""

    other = forms.CharField(
        label=_("sub, phone number, e-mail address, OpenID or UnionID"),
        max_length=NAME_MAX_LENGTH,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data)
        self.user = user

    def clean_other(self) -> User:
        found = users_named(self.user.pool, self.cleaned_data["other"])
        if len(found) > 1:
            raise ValidationError(_("Several users have this OpenID: name one by the sub."))
        if not found:
            raise ValidationError(
                _(
                    "Nobody in this pool has it. Enter it in full: a phone number with its country "
                    "code, such as +8613800138000."
                )
            )
        return self._acceptable(found[0])

    def _acceptable(self, other: User) -> User:
        if other == self.user:
            raise ValidationError(_("That is this user."))
        if other.merged_into:
            sentence = _("That user was merged into %(sub)s already.")
            raise ValidationError(sentence, params={"sub": other.merged_into.sub})
        return other


def merge_urls(admin: ModelAdmin) -> list[URLPattern]:
    """Return the URL patterns for merging and undoing, for the admin of users."""
    guard = admin.admin_site.admin_view
    return [
        path("<uuid:user_id>/merge/", guard(_choice_view(admin)), name="accounts_user_merge_with"),
        path(
            "<uuid:user_id>/merge/<uuid:other_id>/",
            guard(_merge_view(admin)),
            name="accounts_user_merge",
        ),
        path(
            "<uuid:user_id>/merges/<uuid:merge_id>/undo/",
            guard(_undo_view(admin)),
            name="accounts_user_undo_merge",
        ),
    ]


def comparison_context(first: User, second: User) -> dict[str, Any]:
    """Return the template context for comparing two users."""
    comparison = compare(first, second)
    return {
        "comparison": comparison,
        "sides": comparison.sides,
        "plan": plan_in_words(comparison),
        "obstacles": obstacles_in_words(comparison.obstacles),
    }


def merges_of(user: User) -> list[dict[str, Any]]:
    """Return the merges of a user for the user's page, newest first."""
    now = timezone.now()
    merges = Merge.objects.filter(Q(survivor=user) | Q(merged=user), pool=user.pool_id)
    related = merges.select_related("survivor", "merged", "operator", "undone_by")
    return [
        {
            "merge": merge,
            "other": merge.merged if merge.survivor_id == user.pk else merge.survivor,
            "is_survivor": merge.survivor_id == user.pk,
            "when": ago(merge.merged_at),
            "undone": ago(merge.undone_at) if merge.undone_at else "",
            "why_not": why_not_undone(merge, now=now),
            "undo": undo_in_words(merge),
        }
        for merge in related.order_by("-merged_at", "-pk")
    ]


def say_obstacles(request: HttpRequest, refusal: CannotMerge) -> None:
    """Add a message that says why two users weren't merged."""
    for obstacle in obstacles_in_words(refusal.obstacles):
        words = {"meaning": obstacle.meaning, "remedy": obstacle.remedy}
        messages.error(request, _("Not merged. %(meaning)s %(remedy)s") % words)


def log_merge(admin: ModelAdmin, request: HttpRequest, merge: Merge) -> None:
    """Log a merge in Django's history of both users, and add a message."""
    survivor, merged = merge.survivor, merge.merged
    admin.log_change(
        request, survivor, str(_("%(sub)s was merged into this user.") % {"sub": merged.sub})
    )
    admin.log_change(request, merged, str(_("Merged into %(sub)s.") % {"sub": survivor.sub}))
    messages.success(
        request,
        _("Merged: %(merged)s is part of %(survivor)s now.")
        % {"merged": merged.display_name, "survivor": survivor.display_name},
    )


def _choice_view(admin: ModelAdmin) -> Callable[[HttpRequest, UUID], HttpResponse]:
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest, user_id: UUID) -> HttpResponse:
        user = changeable_user(admin, request, user_id)
        # A POST, since the search term is personal data and addresses are logged.
        form = OtherUserForm(request.POST if request.method == "POST" else None, user=user)
        if form.is_bound and form.is_valid():
            keys = [user.pk, form.cleaned_data["other"].pk]
            return HttpResponseRedirect(reverse("admin:accounts_user_merge", args=keys))
        context = {
            **admin.admin_site.each_context(request),
            "title": _("Merge %(user)s with another user") % {"user": user.display_name},
            "opts": admin.opts,
            "original": user,
            "user_to_merge": user,
            "form": form,
        }
        return TemplateResponse(request, "console/merge_with.html", context)

    return view


def _merge_view(admin: ModelAdmin) -> Callable[[HttpRequest, UUID, UUID], HttpResponse]:
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest, user_id: UUID, other_id: UUID) -> HttpResponse:
        user = changeable_user(admin, request, user_id)
        other = changeable_user(admin, request, other_id)
        if user == other:
            messages.error(request, _("That is this user."))
            return HttpResponseRedirect(page_of(user))
        if request.method == "POST":
            return _merge(admin, request, user, other)
        context = {
            **admin.admin_site.each_context(request),
            **comparison_context(user, other),
            "title": _("Merge two users"),
            "opts": admin.opts,
            "original": user,
            "user_to_merge": user,
        }
        return TemplateResponse(request, "console/merge.html", context)

    return view


def _merge(admin: ModelAdmin, request: HttpRequest, user: User, other: User) -> HttpResponse:
    try:
        merge = merge_by_hand(user, other, operator=operator_of(request), now=timezone.now())
    except CannotMerge as refusal:
        say_obstacles(request, refusal)
        return HttpResponseRedirect(request.path)
    log_merge(admin, request, merge)
    return HttpResponseRedirect(page_of(merge.survivor))


def _undo_view(admin: ModelAdmin) -> Callable[[HttpRequest, UUID, UUID], HttpResponse]:
    @require_POST
    def view(request: HttpRequest, user_id: UUID, merge_id: UUID) -> HttpResponse:
        user = changeable_user(admin, request, user_id)
        merges = Merge.objects.filter(Q(survivor=user) | Q(merged=user), pool=user.pool_id)
        merge = get_object_or_404(merges.select_related("survivor", "merged"), pk=merge_id)
        now = timezone.now()
        try:
            undo(merge, operator=operator_of(request), now=now)
        except CannotUndo:
            merge.refresh_from_db()
            reason = why_not_undone(merge, now=now) or _("Somebody else was faster.")
            messages.error(request, _("Not undone. %(reason)s") % {"reason": reason})
        else:
            _log_undone(admin, request, merge)
        return HttpResponseRedirect(page_of(user))

    return view


def _log_undone(admin: ModelAdmin, request: HttpRequest, merge: Merge) -> None:
    for user, other in ((merge.survivor, merge.merged), (merge.merged, merge.survivor)):
        sentence = _("The merge with %(sub)s was undone.") % {"sub": other.sub}
        admin.log_change(request, user, str(sentence))
    messages.success(
        request, _("Undone: they are two users again, and no login merges them any more.")
    )
