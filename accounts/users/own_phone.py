"""A person's own phone number, which only WeChat's button changes."""

from datetime import datetime

from accounts import refusals
from accounts.locking import in_transaction
from accounts.login import phones
from accounts.login.phones import Status
from accounts.login.trail import Trail
from accounts.models import LinkedAccount, Session
from applications.offers import LoginMethodDisabled, still_offers
from applications.rules import Way
from config.kernel.errors import InvalidRequest


def change_number(session: Session, phone_code: str, *, now: datetime) -> Status:
    """Give the session's user the number that WeChat proves; return ``stored`` or ``unchanged``.

    Raises:
        InvalidCode: WeChat doesn't accept the code, or it is somebody else's.
        PhoneTaken: another user verified the number lately.
        WeChatAway: WeChat can't be asked.
        InvalidRequest: the session isn't of a mini program, or its WeChat account is unlinked.

    """
    user, source = session.user, session.identity_source
    if not still_offers(session.application, source.pk, session.way):
        raise LoginMethodDisabled
    trail = Trail(door="phone", way=Way(session.way), application=session.application, at=now)
    answer = phones.ask_wechat(source, _openid_of(session), phone_code, trail)
    status = in_transaction(lambda: phones.replace_number(user, answer, now=now))
    if status == Status.INVALID_CODE:
        raise refusals.InvalidCode(
            "phone_code: WeChat doesn't accept it, or it is another person's. Have the person "
            "press the button again."
        )
    if status == Status.UNAVAILABLE:
        raise refusals.WeChatAway
    if status == Status.TAKEN:
        raise refusals.PhoneTaken
    return status


def _openid_of(session: Session) -> str:
    """Return the OpenID that WeChat is to compare the code with.

    Raises:
        InvalidRequest: there is none, so nothing would prove whose number it is.

    """
    source = session.identity_source
    accounts = LinkedAccount.objects.filter(
        pool=session.pool_id,
        user=session.user_id,
        kind=LinkedAccount.Kind.OPENID,
        app_id=source.app_id,
    )
    openid = accounts.values_list("openid", flat=True).first()
    if not source.gives_phone_numbers or openid is None:
        raise InvalidRequest(
            "A phone number can be set only in a session of a mini program. Log in there first."
        )
    return openid
