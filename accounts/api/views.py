"""The REST endpoints of login and logout: each reads its fields, calls one function and answers."""

from http import HTTPStatus

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import schema
from accounts.api.answers import login_answer
from accounts.api.inputs import (
    BindInput,
    EmailCodeInput,
    LogoutInput,
    MiniProgramLoginInput,
    accepted,
    proof_of,
)
from accounts.binding.redeeming import BindRequest, bind, send_email_code
from accounts.login.codes import PhoneStatus
from accounts.login.rules import LoginRequest, log_in
from accounts.login.throttles import LoginThrottle
from accounts.models import LoginEvent
from accounts.sessions.ending import log_out
from applications.client_authentication import ClientCredentials, read_credentials, uses_basic
from applications.rules import Way
from config.kernel.addresses import site_of
from config.kernel.headers import NO_STORE


class WeChatMiniProgramLoginView(APIView):
    """Log a person in with a code of ``wx.login``."""

    @extend_schema(**schema.MINI_PROGRAM_LOGIN)
    def post(self, request: Request) -> Response:
        fields = accepted(MiniProgramLoginInput, request.data)
        login_request = LoginRequest(
            door=LoginEvent.Door.REST,
            way=Way.MINI_PROGRAM,
            client=credentials_of(request, fields),
            identity_source=fields.get("identity_source"),
            code=fields["code"],
            phone_code=fields.get("phone_code"),
            scope=fields.get("scope"),
        )
        throttle = _throttle(request, login_request.client)
        with throttle.guard():
            login = log_in(login_request, now=timezone.now())
        if login.phone_status == PhoneStatus.INVALID_CODE:
            # It costs a call to WeChat, as a refused login does.
            throttle.count_refusal()
        return Response(login_answer(login), headers=NO_STORE)


class BindView(APIView):
    """Log in the holder of a binding ticket, as a new user or with a proven account."""

    @extend_schema(**schema.BIND)
    def post(self, request: Request) -> Response:
        fields = accepted(BindInput, request.data)
        bind_request = BindRequest(
            client=credentials_of(request, fields),
            ticket=fields["binding_ticket"],
            proof=proof_of(fields),
        )
        with _throttle(request, bind_request.client).guard():
            login = bind(bind_request, now=timezone.now())
        return Response(login_answer(login), headers=NO_STORE)


class EmailCodeView(APIView):
    """Send a one-time code to an address; the answer doesn't say whether an account has it."""

    @extend_schema(**schema.EMAIL_CODE)
    def post(self, request: Request) -> Response:
        fields = accepted(EmailCodeInput, request.data)
        client = credentials_of(request, fields)
        address = site_of(request.META["REMOTE_ADDR"])
        with _throttle(request, client).guard():
            send_email_code(
                client,
                fields["binding_ticket"],
                fields["email"],
                address=address,
                now=timezone.now(),
            )
        return Response(status=HTTPStatus.ACCEPTED, headers=NO_STORE)


class LogoutView(APIView):
    """End the session that a refresh token belongs to."""

    @extend_schema(**schema.LOGOUT)
    def post(self, request: Request) -> Response:
        fields = accepted(LogoutInput, request.data)
        named = "client_id" in fields or uses_basic(request.headers.get("Authorization", ""))
        client = credentials_of(request, fields) if named else None
        log_out(fields["refresh_token"], client, now=timezone.now())
        return Response(status=HTTPStatus.NO_CONTENT, headers=NO_STORE)


def _throttle(request: Request, client: ClientCredentials) -> LoginThrottle:
    return LoginThrottle(address=request.META["REMOTE_ADDR"], client_id=client.unverified_client_id)


def credentials_of(request: Request, fields: dict[str, str]) -> ClientCredentials:
    """Return the application's credentials, from HTTP Basic or from the body."""
    return read_credentials(request.headers.get("Authorization", ""), fields)
