"""Message push: the values for WeChat's console, generated here and shown once."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from identity_sources.admin.actions import SourceView
from identity_sources.models import IdentitySource, MessagePushKey
from identity_sources.push_keys import make_push_key
from userpools.console.display import ago


def events_url(source: IdentitySource) -> str:
    """Return the URL to which WeChat pushes the source's events."""
    # Not by reverse(): that would give a URL below the console's pool.
    return f"{settings.PUBLIC_URL}/wechat/{source.pool.identifier}/{source.identifier}/events"


def message_push_of(source: IdentitySource) -> dict[str, Any]:
    """Return the panel of a source's page about its events."""
    newest = MessagePushKey.objects.filter(source=source).order_by("-created_at").first()
    return {
        "events_url": events_url(source),
        "push_key_set": ago(newest.created_at) if newest else "",
    }


def new_push_key_view(admin: ModelAdmin) -> SourceView:
    """Return the page that generates a token and an EncodingAESKey, and shows them once."""

    @require_POST
    def view(request: HttpRequest, source_id: UUID) -> HttpResponse:
        source = admin.get_object(request, str(source_id))
        if not isinstance(source, IdentitySource) or not admin.has_change_permission(
            request, source
        ):
            raise PermissionDenied
        admin.log_change(request, source, _("New token and EncodingAESKey."))
        context = {
            **admin.admin_site.each_context(request),
            "title": _("Message push of %(source)s") % {"source": source.display_name},
            "opts": admin.opts,
            "source": source,
            "events_url": events_url(source),
            "push_key": make_push_key(source, now=timezone.now()),
        }
        return TemplateResponse(request, "console/push_key.html", context)

    return view
