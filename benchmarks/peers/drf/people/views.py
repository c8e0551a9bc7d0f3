"""The login."""

from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.tokens import RefreshToken
from wechatpy.exceptions import WeChatClientException

from people.models import User
from people.wechat import client


class CodeSerializer(serializers.Serializer):
    """What a mini program sends: the code of ``wx.login()``."""

    code = serializers.CharField(max_length=128)


class TokensSerializer(serializers.Serializer):
    """What it gets."""

    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    expires_in = serializers.IntegerField()
    user_id = serializers.IntegerField()
    is_new = serializers.BooleanField()


class WeChatRefused(APIException):
    """WeChat doesn't know the code."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = "WeChat refused the code."


class LoginView(APIView):
    """Log a person in, who is created when they come for the first time."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        """Exchange the code for an OpenID, and that for two tokens."""
        asked = CodeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            answer = client.wxa.code_to_session(asked.validated_data["code"])
        except WeChatClientException as error:
            raise WeChatRefused from error
        user, is_new = User.objects.get_or_create(
            openid=answer["openid"], defaults={"unionid": answer.get("unionid", "")}
        )
        refresh = RefreshToken.for_user(user)
        access = refresh.access_token
        answered = TokensSerializer(
            {
                "access_token": str(access),
                "refresh_token": str(refresh),
                "expires_in": int(access.lifetime.total_seconds()),
                "user_id": user.pk,
                "is_new": is_new,
            }
        )
        return Response(answered.data)
