"""The pool's signing keys: the list, and an administrator's actions on them.

Keys are deleted, so actions on them are recorded in the history of the pool.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.sessions.signing_keys import revoke_key, sessions_signed_by
from userpools.console.model_admin import PoolModelAdmin, ReadOnlyMixin
from userpools.console.place import place_of
from userpools.key_rotation import (
    KeyRotationRefused,
    UnknownKey,
    prepare_key,
    promotable_from,
    promote_key,
)
from userpools.models import SigningKey

State = SigningKey.State
KeyView = Callable[[HttpRequest, UUID], HttpResponse]
_ORDER = (State.NEXT, State.ACTIVE, State.RETIRED)


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyMixin, PoolModelAdmin):
    """The keys that sign the pool's tokens; private keys are never shown."""

    path = "keys"
    invitation = gettext_lazy("A pool has its signing keys from the start; this one has lost them.")
    change_list_template = "console/signing_keys.html"
    list_display = ("kid", "algorithm", "state", "created_at")
    ordering = ("-created_at",)

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, KeyView] = {
            "prepare-next": self._rotation_view(self._prepare),
            "promote": self._rotation_view(self._promote),
            "promote-now": self._rotation_view(self._promote_now),
            "revoke": self._revocation_view(),
        }
        guard = self.admin_site.admin_view
        actions = [
            path(
                f"<uuid:key_id>/{address}/",
                guard(view),
                name=f"userpools_signingkey_{address.replace('-', '_')}",
            )
            for address, view in views.items()
        ]
        return [*actions, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the keys of each algorithm in the order in which they sign."""
        context = {
            **(extra_context or {}),
            "title": _("Signing keys"),
            "algorithms": _algorithms(self.get_queryset(request)),
            "may_change": place_of(request).may_change,
        }
        return super().changelist_view(request, context)

    def _rotation_view(self, rotate: Callable[[SigningKey], str]) -> KeyView:
        @require_POST
        def view(request: HttpRequest, key_id: UUID) -> HttpResponse:
            key = self._changeable_key(request, key_id)
            try:
                self._tell(request, key, rotate(key))
            except KeyRotationRefused as refusal:
                messages.error(request, str(refusal))
            return _back()

        return view

    def _revocation_view(self) -> KeyView:
        @require_http_methods(["GET", "HEAD", "POST"])
        def view(request: HttpRequest, key_id: UUID) -> HttpResponse:
            key = self._changeable_key(request, key_id)
            if request.method == "POST":
                return self._revoke(request, key)
            context = {
                **self.admin_site.each_context(request),
                "title": _("Revoke a signing key"),
                "opts": self.opts,
                "key": key,
                "running_sessions": sessions_signed_by(key).count(),
                "has_next": _next_after(key) is not None,
            }
            return TemplateResponse(request, "console/revoke_key.html", context)

        return view

    def _changeable_key(self, request: HttpRequest, key_id: UUID) -> SigningKey:
        key = self.get_object(request, str(key_id))
        if not isinstance(key, SigningKey) or not place_of(request).may_change:
            raise PermissionDenied
        return key

    @staticmethod
    def _prepare(key: SigningKey) -> str:
        coming = prepare_key(key.pool, key.algorithm)
        return _("The next key of %(algorithm)s is published: %(kid)s.") % _names(coming)

    @staticmethod
    def _promote(key: SigningKey) -> str:
        coming = promote_key(key.pool, key.algorithm, now=timezone.now())
        return _("%(algorithm)s tokens are signed with %(kid)s from now on.") % _names(coming)

    @staticmethod
    def _promote_now(key: SigningKey) -> str:
        coming = promote_key(key.pool, key.algorithm, now=timezone.now(), force=True)
        return _("%(algorithm)s tokens are signed with %(kid)s from now on.") % _names(coming)

    def _revoke(self, request: HttpRequest, key: SigningKey) -> HttpResponse:
        try:
            ended = revoke_key(key.pool, key.kid, now=timezone.now())
        except UnknownKey:
            messages.info(request, _("Nothing to do: somebody else was faster."))
        else:
            sentence = ngettext(
                "The key %(kid)s of %(algorithm)s is revoked; %(sessions)d session has ended.",
                "The key %(kid)s of %(algorithm)s is revoked; %(sessions)d sessions have ended.",
                ended,
            )
            self._tell(request, key, sentence % {**_names(key), "sessions": ended})
        return _back()

    def _tell(self, request: HttpRequest, key: SigningKey, sentence: str) -> None:
        self.log_change(request, key.pool, sentence)
        messages.success(request, sentence)


def _algorithms(keys: QuerySet[SigningKey]) -> list[dict[str, Any]]:
    by_state = sorted(keys, key=lambda key: _ORDER.index(State(key.state)))
    return [
        _algorithm(name, [key for key in by_state if key.algorithm == name])
        for name in SigningKey.Algorithm.values
    ]


def _algorithm(name: str, keys: list[SigningKey]) -> dict[str, Any]:
    coming = next((key for key in keys if key.state == State.NEXT), None)
    opens = promotable_from(coming) if coming else None
    return {
        "name": name,
        "keys": keys,
        "active": next((key for key in keys if key.state == State.ACTIVE), None),
        "next": coming,
        "promotable_from": opens,
        "is_promotable": opens is not None and opens <= timezone.now(),
    }


def _next_after(key: SigningKey) -> SigningKey | None:
    keys = SigningKey.objects.filter(pool=key.pool_id, algorithm=key.algorithm)
    return keys.filter(state=State.NEXT).first()


def _names(key: SigningKey) -> dict[str, str]:
    return {"algorithm": key.algorithm, "kid": key.kid}


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:userpools_signingkey_changelist"))
