"""The answers of the REST endpoints, as serializers for the OpenAPI schema."""

from typing import Any

from rest_framework import serializers

from accounts.login.codes import PhoneStatus
from accounts.login.rules import LoggedIn
from accounts.models import User, linked_identities
from accounts.sessions import scopes
from identity_sources.models import IdentitySource


class UserAnswer(serializers.Serializer[Any]):
    """The user, with the fields that the token's scopes allow; unknown values are null."""

    sub = serializers.CharField()
    nickname = serializers.CharField(allow_null=True, required=False)
    avatar_url = serializers.CharField(allow_null=True, required=False)
    phone_number = serializers.CharField(
        allow_null=True, required=False, help_text="E.164, such as +8613800138000."
    )
    phone_number_verified = serializers.BooleanField(required=False)


class PhoneAnswer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=PhoneStatus.choices)


class TokenAnswer(serializers.Serializer[Any]):
    access_token = serializers.CharField(help_text="A JWT by RFC 9068.")
    token_type = serializers.CharField(help_text="Bearer")
    expires_in = serializers.IntegerField(help_text="Seconds.")
    refresh_token = serializers.CharField(required=False, help_text="With offline_access.")
    id_token = serializers.CharField(required=False, help_text="With openid.")
    scope = serializers.CharField()


class LoginAnswer(TokenAnswer):
    user = UserAnswer()
    created = serializers.BooleanField(help_text="True on the person's first login.")
    phone = PhoneAnswer(required=False, help_text="With phone_code.")


class OpenIdAnswer(serializers.Serializer[Any]):
    identity_source = serializers.CharField(
        allow_null=True, help_text="Null where the source of this AppID is archived."
    )
    openid = serializers.CharField()
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()


class LinkedAccountAnswer(serializers.Serializer[Any]):
    """One WeChat identity, which is linked and unlinked as a whole."""

    id = serializers.UUIDField()
    provider = serializers.CharField(help_text="wechat")
    unionid = serializers.CharField(allow_null=True)
    openids = OpenIdAnswer(many=True)


class LinkedAccountsAnswer(serializers.Serializer[Any]):
    items = LinkedAccountAnswer(many=True)


class PhoneChangeAnswer(serializers.Serializer[Any]):
    user = UserAnswer()
    phone = PhoneAnswer()


class ErrorAnswer(serializers.Serializer[Any]):
    error = serializers.CharField(help_text="A word for programs.")
    error_description = serializers.CharField(help_text="A sentence for developers.")
    request_id = serializers.CharField()
    wechat_errcode = serializers.IntegerField(required=False)
    wechat_rid = serializers.CharField(required=False)
    binding_ticket = serializers.CharField(
        required=False, help_text="With account_binding_required; good once, for expires_in."
    )
    expires_in = serializers.IntegerField(required=False, help_text="Seconds.")
    may_create = serializers.BooleanField(required=False)
    methods = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="By which an account may be proven: password, email_code, phone_code.",
    )
    proofs_left = serializers.IntegerField(required=False, help_text="With invalid_proof.")
    merged_into = serializers.CharField(
        required=False, help_text="The sub of the user whom the token's was merged into."
    )


def login_answer(login: LoggedIn) -> dict[str, Any]:
    """Return the body of a successful login."""
    answer = {
        **login.tokens.as_answer(),
        "user": user_answer(login.user, login.tokens.scope),
        "created": login.created,
    }
    if login.phone_status:
        answer["phone"] = {"status": str(login.phone_status)}
    return answer


def user_answer(user: User, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return the ``user`` object with the fields that the scopes allow."""
    answer: dict[str, Any] = {"sub": user.sub}
    if scopes.PROFILE in scope:
        answer["nickname"] = user.nickname or None
        answer["avatar_url"] = user.avatar_url or None
    if scopes.PHONE in scope:
        answer["phone_number"] = user.phone_number or None
        answer["phone_number_verified"] = user.phone_number_verified_at is not None
    return answer


def linked_accounts_answer(user: User) -> dict[str, Any]:
    """Return the user's WeChat identities."""
    sources = IdentitySource.objects.filter(pool=user.pool_id, archived_at__isnull=True)
    names = dict(sources.values_list("app_id", "identifier"))
    return {
        "items": [
            {
                "id": str(identity.id),
                "provider": "wechat",
                "unionid": identity.unionid,
                "openids": [
                    {
                        "identity_source": names.get(account.app_id),
                        "openid": account.openid,
                        "first_seen_at": account.first_seen_at,
                        "last_seen_at": account.last_seen_at,
                    }
                    for account in identity.openids
                ],
            }
            for identity in linked_identities(user)
        ]
    }
