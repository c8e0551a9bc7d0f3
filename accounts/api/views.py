"""The REST doors: each reads its fields, calls one thing, and answers."""

from http import HTTPStatus

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import schema
from accounts.api.answers import login_answer, user_answer
from accounts.api.inputs import (
    LogoutInput,
    MiniProgramLoginInput,
    ProfileInput,
    accepted,
)
from accounts.login import LoginRequest, log_in
from accounts.logout import log_out
from accounts.models import LoginEvent
from accounts.oidc import scopes
from accounts.oidc.access import Access, verify_access_token
from accounts.phones import Status
from accounts.throttles import LoginThrottle
from applications.client_authentication import ClientCredentials, read_credentials, uses_basic
from applications.rules import Way
from config.headers import NO_STORE


class WeChatMiniProgramLoginView(APIView):
    """Log a person in by the code of ``wx.login``.

    Another page may call it as a door of its own: ``as_view(door=…, bound_to=…)``.
    """

    door: LoginEvent.Door = LoginEvent.Door.REST
    bound_to: str = ""

    @extend_schema(**schema.MINI_PROGRAM_LOGIN)
    def post(self, request: Request) -> Response:
        fields = accepted(MiniProgramLoginInput, request)
        attempt = LoginRequest(
            door=self.door,
            bound_to=self.bound_to,
            way=Way.MINI_PROGRAM,
            client=_credentials(request, fields),
            identity_source=fields.get("identity_source"),
            code=fields["code"],
            phone_code=fields.get("phone_code"),
            scope=fields.get("scope"),
        )
        throttle = LoginThrottle(
            address=request.META["REMOTE_ADDR"], client_id=attempt.client.unverified_client_id
        )
        login = throttle.guard(lambda: log_in(attempt, now=timezone.now()))
        if login.phone_status == Status.INVALID_CODE:
            # Each costs a call to WeChat, as a refused login does.
            throttle.count_refusal()
        return Response(login_answer(login), headers=NO_STORE)


class MeView(APIView):
    """The person whom an access token stands for."""

    @extend_schema(**schema.ME_GET)
    def get(self, request: Request) -> Response:
        access = _access(request)
        return Response(user_answer(access.user, access.scope), headers=NO_STORE)

    @extend_schema(**schema.ME_PATCH)
    def patch(self, request: Request) -> Response:
        access = _access(request)
        access.require(scopes.PROFILE)
        user = access.user
        user.nickname = accepted(ProfileInput, request)["nickname"]
        user.save(update_fields=["nickname", "updated_at"])
        return Response(user_answer(user, access.scope), headers=NO_STORE)


class LogoutView(APIView):
    """End the session that a refresh token belongs to."""

    @extend_schema(**schema.LOGOUT)
    def post(self, request: Request) -> Response:
        fields = accepted(LogoutInput, request)
        named = "client_id" in fields or uses_basic(request.headers.get("Authorization", ""))
        client = _credentials(request, fields) if named else None
        log_out(fields["refresh_token"], client, now=timezone.now())
        return Response(status=HTTPStatus.NO_CONTENT, headers=NO_STORE)


def _access(request: Request) -> Access:
    return verify_access_token(request.headers.get("Authorization", ""), now=timezone.now())


def _credentials(request: Request, fields: dict[str, str]) -> ClientCredentials:
    return read_credentials(
        request.headers.get("Authorization", ""),
        fields.get("client_id"),
        fields.get("client_secret"),
    )
