"""One-time codes by e-mail, with which a person proves that an account is theirs.

A caller can't find out whether an account has the address: a row is made for every address, and
the mail is sent after the answer, from another thread. Code and address are stored as keyed hashes.
A code works once, for one ticket and as long as that ticket, with five tries.
"""

import logging
import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

from django.core.mail import send_mail
from django.db.models import F
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from accounts.binding.exact_limits import count_try
from accounts.login.tickets import LIVES as TICKET_LIVES
from accounts.models import PROOFS, BindingTicket, EmailCode, User
from config.kernel.database import one_or_none
from config.kernel.encryption import keyed_hash

logger = logging.getLogger(__name__)

CODE_LENGTH = 6
_MINUTES = int(TICKET_LIVES.total_seconds()) // 60
PER_TICKET = 3
PER_TARGET = 5
PER_ADDRESS = 30

# Two mails at a time: a mail server that hangs delays other mails, but no request.
_mailing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="mail")


def send_code(
    ticket: BindingTicket, email: str, *, address: str, now: datetime
) -> "Future[None] | None":
    """Make a code for this address, and send it if an account has the address.

    Raises:
        TooManyRequests: the limit for this ticket, e-mail address or caller's address is reached.

    """
    _throttle(ticket, email, address, now)
    code = f"{secrets.randbelow(10**CODE_LENGTH):0{CODE_LENGTH}d}"
    EmailCode.objects.create(
        pool_id=ticket.pool_id,
        ticket=ticket,
        email_hash=_email_hash(ticket, email),
        code_hash=_code_hash(ticket, email, code),
        expires_at=ticket.expires_at,
    )
    user = one_or_none(User.objects.filter(pool=ticket.pool_id).with_verified_email(email))
    if user is None:
        return None
    name, language = ticket.application.name, translation.get_language()
    return _mailing.submit(_deliver, user.email, code, name, language)


def is_right_code(ticket: BindingTicket, email: str, code: str, *, now: datetime) -> bool:
    """Return whether this is the newest code for the ticket and address; if so, use it up."""
    row = (
        EmailCode.objects.filter(ticket=ticket, email_hash=_email_hash(ticket, email))
        .order_by("-pk")
        .first()
    )
    if row is None:
        return False
    usable = EmailCode.objects.filter(
        pk=row.pk, used_at__isnull=True, failed_tries__lt=PROOFS, expires_at__gt=now
    )
    if not usable.update(failed_tries=F("failed_tries") + 1):
        return False
    if not constant_time_compare(row.code_hash, _code_hash(ticket, email, code)):
        return False
    return bool(EmailCode.objects.filter(pk=row.pk, used_at__isnull=True).update(used_at=now))


def _throttle(ticket: BindingTicket, email: str, address: str, now: datetime) -> None:
    # The narrowest limit first: what it refuses doesn't count for the others.
    for kind, target, limit in (
        ("code for ticket", str(ticket.pk), PER_TICKET),
        ("code to", email.lower(), PER_TARGET),
        ("code from", address, PER_ADDRESS),
    ):
        count_try(ticket.pool_id, kind, target, limit=limit, now=now)


def _deliver(email: str, code: str, application: str, language: str | None) -> None:
    try:
        with translation.override(language):
            send_mail(
                _("%(code)s is your code for %(application)s")
                % {"code": code, "application": application},
                _(
                    "Somebody is binding a WeChat account to your account at %(application)s.\n\n"
                    "If it is you, enter this code: %(code)s\n"
                    "It is good for %(minutes)s minutes.\n\n"
                    "If it isn't you, nothing needs doing: without the code nothing is bound. "
                    "Never tell it to anybody."
                )
                % {"application": application, "code": code, "minutes": _MINUTES},
                None,
                [email],
            )
    except OSError as error:
        # Only the type is logged: the message of the exception may have the address or the code.
        logger.error("A code couldn't be sent by e-mail: %s.", type(error).__name__)  # noqa: TRY400


def _email_hash(ticket: BindingTicket, email: str) -> str:
    return keyed_hash("email of a code", str(ticket.pk), email.lower()).hex()


def _code_hash(ticket: BindingTicket, email: str, code: str) -> str:
    return keyed_hash("email code", str(ticket.pk), email.lower(), code).hex()
