"""Why a login is refused, and which refusal each of WeChat's errors becomes.

::

    LoginRefused (config/kernel/errors.py)
    ├── InvalidCode, CodeAlreadyUsed     ask wx.login for a new code
    ├── WeChatUserBlocked                WeChat's risk control
    ├── SnapshotUser                     WeChat's read-only page, with a made-up user
    ├── RegistrationClosed               no account yet, and the source is login-only
    ├── UserSuspended, AccountClosed
    ├── IdentityConflict                 a UnionID whose user has another OpenID of this AppID
    ├── AccountBindingRequired           no user has it yet, and the person has to choose
    ├── PhoneCodeRequired                no user has it yet, and a phone number is needed
    ├── InvalidBindingTicket             used, expired, used up by wrong proofs, or unknown
    ├── InvalidProof                     no such account, or the proof is wrong
    ├── AlreadyLinked                    the account has another WeChat account of this AppID
    ├── IdentityTaken                    the WeChat account belongs to another user
    ├── PhoneTaken                       another user verified the phone number recently
    ├── LastWayIn                        unlinking it would lock the person out
    ├── WeChatLimit                      WeChat's minute limit
    ├── IdentitySourceMisconfigured      the operator must act
    ├── CallMalformed                    a fault of this server: WeChat didn't understand the call
    ├── AppSecretUnreadable              a fault of this server: no key of ENCRYPTION_KEYS fits
    └── WeChatAway                       WeChat is busy, unreachable, or its answer unreadable
    DomainError
    └── InvalidToken                     an access token that isn't valid
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from accounts.models import User
from config.kernel.errors import DomainError, LoginRefused
from identity_sources.wechat import errors as wechat


class InvalidCode(LoginRefused):
    code = "invalid_code"
    status = HTTPStatus.BAD_REQUEST
    description = (
        "code: WeChat doesn't accept it: it is wrong, older than 5 minutes, or of another AppID "
        "than the identity source's. Call wx.login again and send the new code."
    )


class CodeAlreadyUsed(LoginRefused):
    code = "code_already_used"
    status = HTTPStatus.BAD_REQUEST
    description = "code: it was used before. Call wx.login again and send the new code."


class WeChatUserBlocked(LoginRefused):
    code = "wechat_user_blocked"
    description = (
        "WeChat's risk control doesn't let this WeChat account log in. Offer another way; "
        "trying again doesn't help."
    )


class SnapshotUser(LoginRefused):
    code = "snapshot_user"
    description = (
        "WeChat shows a read-only page, whose user isn't real. The person has to tap 使用完整服务 "
        "there first."
    )


class RegistrationClosed(LoginRefused):
    code = "registration_closed"
    description = "Nobody has this WeChat account here yet, and new accounts aren't opened."


class UserSuspended(LoginRefused):
    code = "user_suspended"
    description = "An operator suspended this user."


class AccountClosed(LoginRefused):
    code = "account_closed"
    description = "This account was closed."


class IdentityConflict(LoginRefused):
    code = "identity_conflict"
    status = HTTPStatus.CONFLICT
    description = (
        "This WeChat user already has an account with another OpenID of the same AppID, which "
        "can't be. An operator has to look at it."
    )


class AccountBindingRequired(LoginRefused):
    is_callers_doing = False
    code = "account_binding_required"
    status = HTTPStatus.CONFLICT
    description = (
        "Nobody has this WeChat account here yet. Let the person choose: POST "
        "/api/v1/login/bind with binding_ticket and action create or bind."
    )


class PhoneCodeRequired(LoginRefused):
    is_callers_doing = False
    code = "phone_code_required"
    status = HTTPStatus.CONFLICT
    description = (
        "Nobody has this WeChat account here yet, and the phone number tells whose it is. Send "
        "phone_code, from the getPhoneNumber button, with a new code of wx.login."
    )


class InvalidBindingTicket(LoginRefused):
    code = "invalid_binding_ticket"
    status = HTTPStatus.BAD_REQUEST
    description = (
        "binding_ticket: it is wrong, used, older than five minutes, used up by wrong proofs, or "
        "of another application. Log in again for a new one."
    )


class InvalidProof(LoginRefused):
    code = "invalid_proof"
    description = "No account has this address or number, or the proof is wrong."


class AlreadyLinked(LoginRefused):
    code = "already_linked"
    status = HTTPStatus.CONFLICT
    description = (
        "The account has another WeChat account of this AppID. Unlink that one first, or choose "
        "another account."
    )


class IdentityTaken(LoginRefused):
    code = "identity_taken"
    status = HTTPStatus.CONFLICT
    description = "This WeChat account belongs to somebody else here. Nothing was linked."


class PhoneTaken(LoginRefused):
    code = "phone_taken"
    status = HTTPStatus.CONFLICT
    description = "Another user has this phone number. Yours stays as it was."


class LastWayIn(LoginRefused):
    code = "last_way_in"
    status = HTTPStatus.CONFLICT
    description = (
        "This is the account's last way in. Link another WeChat account first, or close the "
        "account."
    )


class WeChatLimit(LoginRefused):
    is_callers_doing = False
    code = "too_many_requests"
    status = HTTPStatus.TOO_MANY_REQUESTS
    description = "WeChat's limit for this minute is reached. Wait a minute, then use a new code."
    retry_after = 60


class IdentitySourceMisconfigured(LoginRefused):
    code = "identity_source_misconfigured"
    status = HTTPStatus.BAD_GATEWAY
    description = (
        "WeChat refuses the identity source's settings. An operator has to act; wechat_errcode "
        "says why."
    )


class CallMalformed(LoginRefused):
    code = "server_error"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    description = "WeChat didn't understand our call. This is a fault of the server's."


class AppSecretUnreadable(LoginRefused):
    code = "server_error"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    description = "The server can't read the identity source's AppSecret. An operator has to act."


class WeChatAway(LoginRefused):
    code = "wechat_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    description = "WeChat can't be asked at the moment. Try again with a new code."
    retry_after = 5


class InvalidToken(DomainError):
    """The access token isn't valid (RFC 6750 §3.1); the answer doesn't say which check failed."""

    code = "invalid_token"
    status = HTTPStatus.UNAUTHORIZED
    description = "The access token is missing, expired, revoked or not of this server."
    challenge = 'Bearer error="invalid_token"'


def merged_hint(user: User) -> dict[str, Any]:
    """Return the description and fields of a refusal for a token of a merged user."""
    return {
        "description": "This user was merged into another. Log in again; the new tokens name it.",
        "extra": {"merged_into": user.merged_into.sub if user.merged_into else ""},
    }


def require_active(user: User) -> None:
    """Refuse a locked user who isn't active any more, although a token or proof was accepted.

    Raises:
        UserSuspended, AccountClosed: the user is suspended or closed.
        InvalidToken: the user was merged into another, which it names.

    """
    if user.status == User.Status.SUSPENDED:
        raise UserSuspended
    if user.status == User.Status.CLOSED:
        raise AccountClosed
    if user.status == User.Status.MERGED:
        raise InvalidToken(**merged_hint(user))


_ONE_MINUTE = timedelta(minutes=1)

_BY_WECHAT_CLASS: dict[type[wechat.WeChatRefusal], type[LoginRefused]] = {
    wechat.CodeAlreadyUsed: CodeAlreadyUsed,
    wechat.CodeRefused: InvalidCode,
    wechat.UserBlocked: WeChatUserBlocked,
    wechat.SystemBusy: WeChatAway,
    wechat.LimitReached: WeChatAway,
    wechat.MalformedCall: CallMalformed,
}


def from_wechat(error: wechat.WeChatError) -> LoginRefused:
    """Return the refusal for an error of WeChat's, with its errcode and request id."""
    if not isinstance(error, wechat.WeChatRefusal):
        return WeChatAway()
    refusal = next(
        (ours for theirs, ours in _BY_WECHAT_CLASS.items() if isinstance(error, theirs)),
        IdentitySourceMisconfigured,
    )
    if isinstance(error, wechat.LimitReached) and error.window == _ONE_MINUTE:
        refusal = WeChatLimit
    facts = {"wechat_errcode": error.errcode, "wechat_rid": error.rid}
    return refusal(extra={name: fact for name, fact in facts.items() if fact is not None})
