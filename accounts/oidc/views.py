"""The pool's OpenID Connect endpoints, at ``/oidc/{pool}/…``."""

from http import HTTPStatus

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.oidc.access import verify_access_token
from accounts.oidc.discovery import provider_metadata
from accounts.oidc.inputs import StrictFormParser, form_fields, required
from accounts.oidc.refresh import refresh_tokens
from accounts.oidc.tokens import user_claims
from accounts.throttles import LoginThrottle
from applications.client_authentication import authenticated_application, read_credentials
from config.errors import DomainError
from config.headers import NO_STORE
from userpools.keys import jwks
from userpools.models import UserPool

PUBLIC_FOR_AN_HOUR = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}


class UnsupportedGrantType(DomainError):
    """A grant type that doesn't exist here (RFC 6749 §5.2)."""

    code = "unsupported_grant_type"
    status = HTTPStatus.BAD_REQUEST
    description = "grant_type: only refresh_token exists."


@extend_schema(exclude=True)
class DiscoveryView(APIView):
    """OpenID Connect Discovery 1.0 §4."""

    def get(self, request: Request, pool: str) -> Response:
        return Response(provider_metadata(_pool(pool)), headers=PUBLIC_FOR_AN_HOUR)


@extend_schema(exclude=True)
class JwksView(APIView):
    """The public keys (RFC 7517 §5)."""

    def get(self, request: Request, pool: str) -> Response:
        return Response(jwks(_pool(pool)), headers=PUBLIC_FOR_AN_HOUR)


@extend_schema(exclude=True)
class TokenView(APIView):
    """RFC 6749 §3.2."""

    parser_classes = [StrictFormParser]

    def post(self, request: Request, pool: str) -> Response:
        fields = form_fields(request)
        client = read_credentials(
            request.headers.get("Authorization", ""),
            fields.get("client_id"),
            fields.get("client_secret"),
        )
        if required(fields, "grant_type") != "refresh_token":
            raise UnsupportedGrantType
        unverified_token = required(fields, "refresh_token")
        throttle = LoginThrottle(
            address=request.META["REMOTE_ADDR"], client_id=client.unverified_client_id
        )
        now = timezone.now()
        tokens = throttle.guard(
            lambda: refresh_tokens(
                authenticated_application(_pool(pool), client, now=now),
                unverified_token,
                fields.get("scope"),
                now=now,
            )
        )
        return Response(tokens.as_answer(), headers=NO_STORE)


@extend_schema(exclude=True)
class UserinfoView(APIView):
    """OpenID Connect Core §5.3."""

    def get(self, request: Request, pool: str) -> Response:
        access = verify_access_token(
            request.headers.get("Authorization", ""), now=timezone.now(), pool=_pool(pool)
        )
        return Response(user_claims(access.user, access.scope), headers=NO_STORE)

    def post(self, request: Request, pool: str) -> Response:
        return self.get(request, pool)


def _pool(identifier: str) -> UserPool:
    pool = UserPool.objects.filter(identifier=identifier).first()
    if pool is None:
        raise Http404
    return pool
