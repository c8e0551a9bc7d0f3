"""Changing one's own phone number, which needs a code of WeChat's phone number button."""

from datetime import datetime

from accounts import refusals
from accounts.login.codes import PhoneStatus, ask_for_phone_number
from accounts.login.phones import replace_number
from accounts.models import LinkedAccount, Session
from applications.offers import LoginMethodDisabled, still_offers
from config.kernel.errors import InvalidRequest


def change_number(session: Session, phone_code: str, *, now: datetime) -> PhoneStatus:
    """Store the number that WeChat verifies for the user; return ``stored`` or ``unchanged``.

    Raises:
        InvalidCode: WeChat doesn't accept the code, or it is another person's.
        PhoneTaken: another user verified the number recently.
        WeChatAway: WeChat can't be asked.
        InvalidRequest: the session isn't of a mini program, or its WeChat account is unlinked.

    """
    user, source = session.user, session.identity_source
    if not still_offers(session.application, source.pk, session.way):
        raise LoginMethodDisabled
    answer = ask_for_phone_number(
        source, _openid_of(session), phone_code, application_id=session.application_id
    )
    status = replace_number(user, answer, now=now)
    if status == PhoneStatus.INVALID_CODE:
        raise refusals.InvalidCode(
            "phone_code: WeChat doesn't accept it, or it is another person's. Have the person "
            "press the button again."
        )
    if status == PhoneStatus.UNAVAILABLE:
        raise refusals.WeChatAway
    if status == PhoneStatus.TAKEN:
        raise refusals.PhoneTaken
    return status


def _openid_of(session: Session) -> str:
    """Return the OpenID with which WeChat compares the code.

    Raises:
        InvalidRequest: there is none, so WeChat couldn't verify that the number is the user's.

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
