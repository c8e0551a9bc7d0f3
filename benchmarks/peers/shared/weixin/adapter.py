"""What django-allauth asks a project for."""

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Names new people by their OpenID.

    django-allauth makes usernames of nicknames, looks for a free one, and fails if two people of
    the same nickname come at once; of most Chinese nicknames it makes none.
    """

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> AbstractBaseUser:
        """Return the new user with the OpenID as username."""
        named = {**data, "username": sociallogin.account.uid}
        return super().populate_user(request, sociallogin, named)
