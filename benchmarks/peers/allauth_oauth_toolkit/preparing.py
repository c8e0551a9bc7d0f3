"""The applications that ask, and tokens to start with."""

import os
import secrets
from base64 import b64encode, urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application

TOKENS = 256
TOKEN_PATH = "/o/token/"  # noqa: S105 - a path
SCOPE = "openid"
VERIFIER = "a-verifier-that-every-browser-of-a-measurement-has"


def prepare() -> dict[str, Any]:
    """Make two applications, and access tokens; refresh tokens are used up and come from logins."""
    redirect_uri = os.environ["REDIRECT_URI"]
    website, website_headers = _make_application(
        Application.GRANT_AUTHORIZATION_CODE, redirect_uris=redirect_uri
    )
    _, program_headers = _make_application(Application.GRANT_CLIENT_CREDENTIALS)
    access_tokens = _make_access_tokens(website)
    return {
        "tokens": {
            "start": _authorization_request(website, redirect_uri),
            "arrival": redirect_uri,
            "token": {
                "path": TOKEN_PATH,
                "headers": website_headers,
                "fields": {
                    "grant_type": "authorization_code",
                    "redirect_uri": redirect_uri,
                    "code_verifier": VERIFIER,
                },
            },
        },
        "refresh": {
            "path": TOKEN_PATH,
            "headers": website_headers,
            "fields": {"grant_type": "refresh_token"},
        },
        "userinfo": {"path": "/o/userinfo/", "tokens": access_tokens},
        "introspection": {
            "path": "/o/introspect/",
            "headers": program_headers,
            "fields": {},
            "tokens": access_tokens,
        },
        "client_credentials": {
            "path": TOKEN_PATH,
            "headers": program_headers,
            "fields": {"grant_type": "client_credentials"},
        },
    }


def _make_application(grant: str, **fields: str) -> tuple[Application, dict[str, str]]:
    """Return a confidential application that isn't asked for consent, and how it authenticates."""
    secret = secrets.token_urlsafe(32)
    application = Application.objects.create(
        name=grant,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=grant,
        client_secret=secret,
        algorithm=Application.RS256_ALGORITHM,
        skip_authorization=True,
        **fields,
    )
    credentials = b64encode(f"{application.client_id}:{secret}".encode()).decode()
    return application, {"Authorization": f"Basic {credentials}"}


def _make_access_tokens(application: Application) -> list[str]:
    """Return access tokens of people who logged in before."""
    tokens = []
    for number in range(TOKENS):
        tokens.append(secrets.token_urlsafe(32))
        AccessToken.objects.create(
            user=User.objects.create(username=f"somebody-{number}"),
            application=application,
            token=tokens[-1],
            expires=timezone.now() + timedelta(hours=2),
            scope=SCOPE,
        )
    return tokens


def _authorization_request(application: Application, redirect_uri: str) -> str:
    challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    return "/o/authorize/?" + urlencode(
        {
            "client_id": application.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": SCOPE,
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
    )
