"""The provider, which django-allauth finds by the name of this module."""

from allauth.socialaccount.providers.weixin.provider import WeixinProvider

from weixin.views import Adapter


class Provider(WeixinProvider):
    """django-allauth's own, with our adapter."""

    oauth2_adapter_class = Adapter
    package = "weixin"


provider_classes = [Provider]
