"""Actions on a source: test the connection, restore an archived source."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from config.kernel.database import save_unless_taken
from config.kernel.encryption import DecryptionError
from identity_sources.connection import try_connection
from identity_sources.gateway import is_reachable
from identity_sources.models import IdentitySource

SourceView = Callable[[HttpRequest, UUID], HttpResponse]


def try_connection_view(admin: ModelAdmin) -> SourceView:
    """Return the page with WeChat's answers to this source's AppID and AppSecret."""

    @require_POST
    def view(request: HttpRequest, source_id: UUID) -> HttpResponse:
        source = _source(admin, request, source_id)
        if not is_reachable(source):
            messages.error(request, _("This is a sandbox source, and WECHAT_SANDBOX is off."))
            return _back_to(source)
        try:
            findings = try_connection(source)
        except DecryptionError:
            messages.error(
                request, _("No key of ENCRYPTION_KEYS reads this AppSecret. Enter it again.")
            )
            return _back_to(source)
        context = {
            **admin.admin_site.each_context(request),
            "title": _("Connection of %(source)s") % {"source": source.display_name},
            "opts": admin.opts,
            "original": source,
            "source": source,
            "findings": findings,
        }
        return TemplateResponse(request, "console/connection.html", context)

    return view


def restore_view(admin: ModelAdmin) -> SourceView:
    """Return the view that restores an archived source."""

    @require_POST
    def view(request: HttpRequest, source_id: UUID) -> HttpResponse:
        source = _source(admin, request, source_id)
        source.archived_at = None
        app_id = "identity_sources_source_app_id"
        if save_unless_taken(source, app_id, update_fields=["archived_at"]):
            admin.log_change(request, source, _("Restored."))
            messages.success(request, _("The source is in use again."))
        else:
            messages.error(request, _("Another source of this pool has the same AppID by now."))
        return _back_to(source)

    return view


def _source(admin: ModelAdmin, request: HttpRequest, source_id: UUID) -> IdentitySource:
    source = admin.get_object(request, str(source_id))
    if not isinstance(source, IdentitySource) or not admin.has_change_permission(request, source):
        raise PermissionDenied
    return source


def _back_to(source: IdentitySource) -> HttpResponse:
    return HttpResponseRedirect(
        reverse("admin:identity_sources_identitysource_change", args=[source.pk])
    )
