"""A mini program's login on the experience page: as at the REST API, but without its tokens.

The fields are checked as there, and the rules and limits are the same as for every door; only the
door of the event marks the login as a test. No token leaves this module, only the event.
"""

import logging

from django.utils import timezone

from accounts.api.inputs import MiniProgramLoginInput, accepted
from accounts.experience.page import Attempt
from accounts.login.codes import PhoneStatus
from accounts.login.rules import LoggedIn, LoginRequest, log_in
from accounts.login.throttles import LoginThrottle
from accounts.models import LoginEvent, Session
from applications.client_authentication import ClientCredentials
from applications.models import Application
from applications.rules import Way
from config.kernel.database import AWAY
from config.kernel.errors import DomainError, ServiceUnavailable

logger = logging.getLogger(__name__)


def attempt_login(
    application: Application, fields: dict[str, str], *, address: str, bound_to: str
) -> Attempt:
    """Log in with these fields of the REST call's body, and end the session at once.

    The attempt counts for ``address``, the visitor's. ``bound_to`` names their session: the answer
    to a code is repeated only within it.
    """
    try:
        login = _log_in(_request(application, fields, bound_to), address)
    except DomainError as refusal:
        return Attempt.refused(refusal)
    except AWAY:
        logger.exception("An experience login found the database or the cache away.")
        return Attempt.refused(ServiceUnavailable())
    except Exception:
        # As the REST API does: the page says that the server failed, and the log says why.
        logger.exception("An experience login failed.")
        return Attempt.refused(DomainError())
    begun = Session.objects.filter(pk=login.session.pk, pool=application.pool_id)
    begun.end(now=timezone.now(), reason=Session.EndReason.EXPERIENCE_ENDED)
    return Attempt.succeeded_with(login.event)


def _request(application: Application, fields: dict[str, str], bound_to: str) -> LoginRequest:
    checked = accepted(MiniProgramLoginInput, fields)
    return LoginRequest(
        door=LoginEvent.Door.EXPERIENCE,
        bound_to=bound_to,
        way=Way.MINI_PROGRAM,
        client=ClientCredentials(application.client_id, checked.get("client_secret")),
        identity_source=checked.get("identity_source"),
        code=checked["code"],
        phone_code=checked.get("phone_code"),
    )


def _log_in(request: LoginRequest, address: str) -> LoggedIn:
    throttle = LoginThrottle(address=address, client_id=request.client.unverified_client_id)
    with throttle.guard():
        login = log_in(request, now=timezone.now())
    if login.phone_status == PhoneStatus.INVALID_CODE:
        # It costs a call to WeChat, as a refused login does.
        throttle.count_refusal()
    return login
