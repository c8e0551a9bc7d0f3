"""The public documents of a pool's issuer, and the userinfo endpoint: ``/oidc/{pool}/…``."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.oidc.discovery import provider_metadata
from accounts.oidc.inputs import StrictFormParser, form_fields
from accounts.sessions.access import verify_access_token
from accounts.sessions.tokens import user_claims
from config.kernel.errors import InvalidRequest
from config.kernel.headers import NO_STORE
from userpools.keys import jwks
from userpools.pools import find_pool

PUBLIC_FOR_AN_HOUR = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}


@extend_schema(exclude=True)
class DiscoveryView(APIView):
    """OpenID Connect Discovery 1.0 §4, RFC 8414 §3."""

    def get(self, request: Request, pool: str) -> Response:
        return Response(provider_metadata(find_pool(pool)), headers=PUBLIC_FOR_AN_HOUR)


@extend_schema(exclude=True)
class JwksView(APIView):
    """The public keys (RFC 7517 §5)."""

    def get(self, request: Request, pool: str) -> Response:
        return Response(jwks(find_pool(pool)), headers=PUBLIC_FOR_AN_HOUR)


@extend_schema(exclude=True)
class UserinfoView(APIView):
    """OpenID Connect Core §5.3; the token is in the header, or in the form (RFC 6750 §2.2)."""

    parser_classes = [StrictFormParser]

    def get(self, request: Request, pool: str) -> Response:
        return self._answer(request.headers.get("Authorization", ""), pool)

    def post(self, request: Request, pool: str) -> Response:
        authorization = request.headers.get("Authorization", "")
        token = form_fields(request).get("access_token") if _is_form(request) else None
        if authorization and token:
            raise InvalidRequest(
                "access_token: give it in the header or in the form, not both.",
                field="access_token",
            )
        return self._answer(f"Bearer {token}" if token else authorization, pool)

    def _answer(self, authorization: str, pool: str) -> Response:
        access = verify_access_token(authorization, now=timezone.now(), pool=find_pool(pool))
        return Response(user_claims(access.user, access.scope), headers=NO_STORE)


def _is_form(request: Request) -> bool:
    media_type = request.content_type.partition(";")[0].strip().lower()
    return media_type == StrictFormParser.media_type
