"""Self-built applications (OAuth clients) and the login methods they offer."""

from applications.models.applications import Application
from applications.models.client_secrets import ClientAssertion, ClientSecret
from applications.models.login_methods import LoginMethod
from applications.models.redirect_uris import PostLogoutRedirectURI, RedirectURI

__all__ = [
    "Application",
    "ClientAssertion",
    "ClientSecret",
    "LoginMethod",
    "PostLogoutRedirectURI",
    "RedirectURI",
]
