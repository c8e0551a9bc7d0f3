"""The endpoints for the user of an access token, at ``/api/v1/me``."""

from http import HTTPStatus
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import schema
from accounts.api.answers import linked_accounts_answer, user_answer
from accounts.api.inputs import LinkInput, PhoneInput, ProfileInput, accepted
from accounts.login.throttles import LoginThrottle
from accounts.sessions import scopes
from accounts.sessions.access import Access, verify_access_token
from accounts.users.closing import close
from accounts.users.linking import link, unlink
from accounts.users.own_phone import change_number
from config.kernel.headers import NO_STORE


class MeView(APIView):
    """The person's profile."""

    @extend_schema(**schema.ME_GET)
    def get(self, request: Request) -> Response:
        access = _access(request)
        return Response(user_answer(access.user, access.scope), headers=NO_STORE)

    @extend_schema(**schema.ME_PATCH)
    def patch(self, request: Request) -> Response:
        return self._change(request)

    # wx.request has no PATCH:
    # https://developers.weixin.qq.com/miniprogram/dev/api/network/request/wx.request.html

    @extend_schema(**schema.ME_PUT)
    def put(self, request: Request) -> Response:
        return self._change(request)

    @extend_schema(**schema.ME_POST)
    def post(self, request: Request) -> Response:
        return self._change(request)

    @extend_schema(**schema.ME_DELETE)
    def delete(self, request: Request) -> Response:
        access = _access_after_recent_login(request)
        close(access.user, application=access.session.application, now=timezone.now())
        return Response(status=HTTPStatus.NO_CONTENT, headers=NO_STORE)

    def _change(self, request: Request) -> Response:
        access = _access(request)
        access.require(scopes.PROFILE)
        user, changes = access.user, accepted(ProfileInput, request.data)
        if changes:
            user.nickname = changes["nickname"]
            user.save(update_fields=["nickname", "updated_at"])
        return Response(user_answer(user, access.scope), headers=NO_STORE)


class PhoneView(APIView):
    """The person's phone number, which can only be set with a WeChat phone code."""

    @extend_schema(**schema.ME_PHONE)
    def post(self, request: Request) -> Response:
        access = _access(request)
        access.require(scopes.ACCOUNT)
        phone_code = accepted(PhoneInput, request.data)["phone_code"]
        with _throttle(request, access).guard():
            status = change_number(access.session, phone_code, now=timezone.now())
        access.user.refresh_from_db()
        answer = {
            "user": user_answer(access.user, access.scope),
            "phone": {"status": str(status)},
        }
        return Response(answer, headers=NO_STORE)


class LinkedAccountsView(APIView):
    """The person's WeChat identities."""

    @extend_schema(**schema.LINKED_ACCOUNTS_GET)
    def get(self, request: Request) -> Response:
        access = _access(request)
        access.require(scopes.ACCOUNT)
        return Response(linked_accounts_answer(access.user), headers=NO_STORE)

    @extend_schema(**schema.LINKED_ACCOUNTS_POST)
    def post(self, request: Request) -> Response:
        access = _access_after_recent_login(request)
        fields = accepted(LinkInput, request.data)
        with _throttle(request, access).guard():
            link(
                access.user,
                access.session.application,
                fields["code"],
                fields.get("identity_source"),
                now=timezone.now(),
            )
        return Response(linked_accounts_answer(access.user), headers=NO_STORE)


class LinkedAccountView(APIView):
    """One of the person's WeChat identities."""

    @extend_schema(**schema.LINKED_ACCOUNTS_DELETE)
    def delete(self, request: Request, identity_id: UUID) -> Response:
        access = _access_after_recent_login(request)
        unlink(access.user, access.session.application, identity_id, now=timezone.now())
        return Response(status=HTTPStatus.NO_CONTENT, headers=NO_STORE)


def _access(request: Request) -> Access:
    return verify_access_token(request.headers.get("Authorization", ""), now=timezone.now())


def _access_after_recent_login(request: Request) -> Access:
    """Return the access of a token that may change how its user logs in.

    Raises:
        InsufficientScope, LoginTooOld: it lacks the scope, or its login is too old.

    """
    access = _access(request)
    access.require(scopes.ACCOUNT)
    access.require_recent_login(now=timezone.now())
    return access


def _throttle(request: Request, access: Access) -> LoginThrottle:
    return LoginThrottle(
        address=request.META["REMOTE_ADDR"],
        client_id=access.session.application.client_id,
    )
