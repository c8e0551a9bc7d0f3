"""The list of a pool's applications, and the page of one."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.datasets import BaseDataset
from unfold.decorators import display

from applications.admin.client_secrets import client_secret_page, new_client_secret_view
from applications.admin.forms import LIFETIMES, ApplicationForm, NewApplicationForm
from applications.admin.integration import IntegrationTab
from applications.admin.login_control import LoginControlInline, candidates
from applications.checklist import checklist
from applications.models import Application, PostLogoutRedirectURI, RedirectURI
from applications.rules import has_people, is_confidential, is_redirected
from userpools.console.model_admin import PoolModelAdmin, PoolTabularInline
from userpools.console.place import place_of

_PEOPLE = ("pkce", "requires_consent", "allows_device_flow", "backchannel_logout_uri")


class RegisteredURIInline(PoolTabularInline):
    """URIs of the application, compared character by character."""

    fields = ("uri",)
    hide_title = True

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        field = formset.form.base_fields["uri"]
        # Its name in OAuth would be shown with a capital letter.
        field.label = _("redirect URI")
        field.help_text = _("In full, such as https://shop.example.com/callback.")
        return formset


class RedirectURIInline(RegisteredURIInline):
    """Where the application may receive the authorization response."""

    model = RedirectURI
    verbose_name_plural = _("Redirect URIs")


class PostLogoutRedirectURIInline(RegisteredURIInline):
    """Where people may be redirected after logging out."""

    model = PostLogoutRedirectURI
    verbose_name_plural = _("Post-logout redirect URIs")


@admin.register(Application)
class ApplicationAdmin(PoolModelAdmin):
    """The pool's applications. None is deleted: a client_id is never reused."""

    path = "applications"
    invitation = _("An application is a program of yours that people log in to.")
    form = ApplicationForm
    list_display = ("name", "client_id", "type", "state")
    search_fields = ("name", "client_id")
    ordering = ("name",)
    inlines = (LoginControlInline, RedirectURIInline, PostLogoutRedirectURIInline)
    change_form_datasets = (IntegrationTab,)
    change_form_outer_before_template = "console/application_panel.html"
    add_fieldsets = ((None, {"fields": ("type", "name", "client_id")}),)

    @display(description=_("state"), label={"on": "success", "off": "warning"})
    def state(self, application: Application) -> tuple[str, Any]:
        return ("on", _("On")) if application.enabled else ("off", _("Off"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        secret = path(
            "<uuid:application_id>/client-secret/",
            self.admin_site.admin_view(new_client_secret_view(self)),
            name="applications_application_client_secret",
        )
        return [secret, *super().get_urls()]

    def get_form(
        self, request: HttpRequest, obj: Any = None, **kwargs: Any
    ) -> type[forms.ModelForm]:
        kwargs |= {} if obj else {"form": NewApplicationForm}
        return super().get_form(request, obj, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the fields of this type."""
        if obj is None:
            return self.add_fieldsets
        keys = ("jwks",) if is_confidential(obj.type) else ()
        people = _PEOPLE if is_redirected(obj.type) else ()
        lifetimes = (*LIFETIMES, "refresh_leeway") if has_people(obj.type) else LIFETIMES
        security = ("client_authentication", *keys, *people, "signing_algorithm", *lifetimes)
        return (
            (None, {"fields": ("name", "enabled", "type", "client_id")}),
            (_("Tokens and security"), {"fields": security}),
        )

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Show the tabs of this type."""
        if obj is None or not has_people(obj.type):
            return []
        if not is_redirected(obj.type):
            return [LoginControlInline]
        return [LoginControlInline, RedirectURIInline, PostLogoutRedirectURIInline]

    def get_changeform_datasets(self, request: HttpRequest) -> list[type[BaseDataset]]:
        is_there = request.resolver_match and "object_id" in request.resolver_match.kwargs
        return [IntegrationTab] if is_there else []

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        if isinstance(inline, LoginControlInline) and obj.pk:
            kwargs["initial"] = candidates(obj)
        return kwargs

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        application = kwargs.get("obj")
        if application:
            items = checklist(application, now=timezone.now())
            context |= {
                "checklist": items,
                "is_ready": all(item.done is not False for item in items),
                "may_change": place_of(request).may_change,
                "has_experience": has_people(application.type),
                "experience_url": f"/experience/{application.client_id}",
                "has_secrets": application.client_authentication
                == Application.ClientAuthentication.CLIENT_SECRET,
            }
        return super().render_change_form(request, context, **kwargs)

    def response_add(
        self, request: HttpRequest, obj: Application, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Continue with the next step: the secret, or the login control."""
        if is_confidential(obj.type):
            return client_secret_page(self, request, obj)
        messages.success(request, _("The application is there. Now offer a login method."))
        page = reverse("admin:applications_application_change", args=[obj.pk])
        return HttpResponseRedirect(f"{page}#login_methods")
