"""From a code that somebody sent to the WeChat identity it stands for."""

import logging

from accounts import refusals
from accounts.login import trace
from accounts.login.exchange import WeChatIdentity, exchange_key, exchange_once
from accounts.login.trail import Trail
from applications.models import LoginMethod
from config.kernel.connections import release_connection
from config.kernel.encryption import DecryptionError
from identity_sources.gateway import belongs_to, wechat_client
from identity_sources.models import IdentitySource
from identity_sources.wechat.errors import WeChatError

logger = logging.getLogger(__name__)


def identify(
    method: LoginMethod, code: str, trail: Trail, *, door: str, bound_to: str = ""
) -> WeChatIdentity:
    """Have WeChat exchange the code, once; a code that is sent again gives the same identity.

    Raises:
        LoginRefused: WeChat refuses the code or can't be asked, or the AppSecret can't be read.

    """
    source = method.identity_source
    key = exchange_key(
        door=door,
        application=str(method.application_id),
        source=str(source.pk),
        code=code,
        bound_to=bound_to,
    )
    app_secret = _app_secret(source)

    def ask_wechat() -> WeChatIdentity:
        # The session_key ends here: nothing of ours needs it, and nobody else may have it.
        session = wechat_client(source, trail.observe_exchange).jscode2session(
            app_id=source.app_id, app_secret=app_secret, js_code=code
        )
        return WeChatIdentity(openid=session.openid, unionid=session.unionid)

    try:
        exchanged = exchange_once(key, ask_wechat)
        if exchanged.replayed:
            trail.replayed = True
            trail.note(trace.replayed())
        identity = exchanged.identity()
    except WeChatError as error:
        raise refusals.from_wechat(error) from error
    trail.note(trace.identity(has_unionid=identity.unionid is not None))
    _refuse_foreign_namespace(source, identity)
    return identity


def identify_by_redirect(method: LoginMethod, code: str, trail: Trail) -> WeChatIdentity:
    """Have WeChat exchange the code with which it sent a browser back.

    Nothing is kept of it: the ``state`` that came with the code was used up before.

    Raises:
        LoginRefused: WeChat refuses the code or can't be asked, the AppSecret can't be read, or
            WeChat shows a snapshot page, whose user isn't real.

    """
    source = method.identity_source
    app_secret = _app_secret(source)
    release_connection()
    try:
        answer = wechat_client(source, trail.observe_exchange).oauth2_access_token(
            app_id=source.app_id, app_secret=app_secret, code=code
        )
    except WeChatError as error:
        raise refusals.from_wechat(error) from error
    if answer.is_snapshot_user:
        raise refusals.SnapshotUser
    identity = WeChatIdentity(openid=answer.openid, unionid=answer.unionid)
    trail.note(trace.identity(has_unionid=identity.unionid is not None))
    _refuse_foreign_namespace(source, identity)
    return identity


def _app_secret(source: IdentitySource) -> str:
    try:
        return source.app_secret()
    except DecryptionError as error:
        logger.error("The AppSecret of %s can't be read.", source.pk, exc_info=error)  # noqa: TRY400
        raise refusals.AppSecretUnreadable from error


def _refuse_foreign_namespace(source: IdentitySource, identity: WeChatIdentity) -> None:
    for value in (identity.openid, identity.unionid):
        if value and not belongs_to(source, value):
            raise refusals.WeChatAway(
                "WeChat's answer holds an identity of another kind of source."
            )
