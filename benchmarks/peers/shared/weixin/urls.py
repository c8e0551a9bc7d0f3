"""The addresses of the two steps."""

from allauth.socialaccount.providers.oauth2.urls import default_urlpatterns

from weixin.provider import Provider

urlpatterns = default_urlpatterns(Provider)
