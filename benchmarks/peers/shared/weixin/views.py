"""The two steps of the login: to WeChat, and back."""

from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.weixin.views import WeixinOAuth2Adapter
from django.conf import settings


class Adapter(WeixinOAuth2Adapter):
    """django-allauth's own, asking the WeChat that the environment names.

    It asks for the token by GET, as WeChat documents; django-allauth posts.
    """

    access_token_url = f"{settings.WECHAT_API_URL}/sns/oauth2/access_token"
    profile_url = f"{settings.WECHAT_API_URL}/sns/userinfo"
    access_token_method = "GET"  # noqa: S105 - a method of HTTP


oauth2_login = OAuth2LoginView.adapter_view(Adapter)
oauth2_callback = OAuth2CallbackView.adapter_view(Adapter)
