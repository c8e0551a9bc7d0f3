"""A new client secret: created on demand, shown on one page, once."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from applications.client_secrets import issue_client_secret
from applications.models import Application


def new_client_secret_view(admin: ModelAdmin) -> Callable[[HttpRequest, UUID], HttpResponse]:
    """Return the view that creates a secret; the previous one works for a day more."""

    @require_POST
    def view(request: HttpRequest, application_id: UUID) -> HttpResponse:
        application = admin.get_object(request, str(application_id))
        if not isinstance(application, Application) or not admin.has_change_permission(
            request, application
        ):
            raise PermissionDenied
        if application.client_authentication != Application.ClientAuthentication.CLIENT_SECRET:
            # It would become valid if the client authentication were set to a client secret later.
            messages.error(request, _("This application doesn't prove itself by a secret."))
            page = reverse("admin:applications_application_change", args=[application.pk])
            return HttpResponseRedirect(page)
        admin.log_change(request, application, _("New client secret."))
        return client_secret_page(admin, request, application)

    return view


def client_secret_page(
    admin: ModelAdmin, request: HttpRequest, application: Application
) -> HttpResponse:
    """Create a secret and return the page that shows it.

    It is the response to the same request: otherwise a session or a cookie would have to store it.
    """
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Client secret of %(application)s") % {"application": application.name},
        "opts": admin.opts,
        "application": application,
        "client_secret": issue_client_secret(application, now=timezone.now()),
    }
    return TemplateResponse(request, "console/client_secret.html", context)
