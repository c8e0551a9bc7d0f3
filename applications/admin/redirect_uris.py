"""The tabs of redirect URIs."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from applications.models import PostLogoutRedirectURI, RedirectURI
from userpools.console.model_admin import PoolTabularInline


class RegisteredURIInline(PoolTabularInline):
    """Addresses of the application's, compared character by character."""

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
    """Where the application may take its answer."""

    model = RedirectURI
    verbose_name_plural = _("Redirect URIs")


class PostLogoutRedirectURIInline(RegisteredURIInline):
    """Where the application may send people who have logged out."""

    model = PostLogoutRedirectURI
    verbose_name_plural = _("Post-logout redirect URIs")
