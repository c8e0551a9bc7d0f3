"""An attempt to log in: how it begins, and what is known once WeChat has said who it is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from accounts.login.codes import PhoneAnswer, ask_for_phone_number
from accounts.login.exchange import WeChatIdentity
from accounts.login.trail import Trail
from accounts.models import BindingTicket
from applications.models import LoginMethod
from applications.offers import Offer, load_offer
from applications.rules import Way
from config.kernel.errors import DomainError
from identity_sources.models import IdentitySource


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A person at the door: whom WeChat named, how they came, and what they ask for.

    ``ticket`` is the binding ticket that they redeem, which their login uses up, and ``account``
    the user whose account they proved to be theirs; without it they chose to be a new user.
    """

    method: LoginMethod
    identity: WeChatIdentity
    scope: tuple[str, ...]
    trail: Trail
    phone: PhoneAnswer | None = None
    ticket: BindingTicket | None = None
    account: UUID | None = None

    @property
    def source(self) -> IdentitySource:
        """The identity source they came from."""
        return self.method.identity_source

    def with_phone(self, phone_code: str) -> Self:
        """Ask WeChat for the phone number as well."""
        answer = ask_for_phone_number(
            self.source,
            self.identity.openid,
            phone_code,
            application_id=self.method.application_id,
            observer=self.trail.asked,
        )
        return replace(self, phone=answer)


@contextmanager
def attempt(
    unverified_client_id: str, way: Way, *, door: str, now: datetime
) -> Iterator[tuple[Offer, Trail]]:
    """Begin an attempt at an application; record the refusal that ends what is done within.

    Raises:
        InvalidClient: no application has this client_id.

    """
    began = time.monotonic()
    offer = load_offer(unverified_client_id, way)
    trail = Trail(door=door, way=way, application=offer.application, at=now, began=began)
    try:
        yield offer, trail
    except DomainError as refusal:
        trail.record_refusal(refusal)
        raise


def choose(
    offer: Offer, trail: Trail, identifier: str | None, scope: tuple[str, ...]
) -> LoginMethod:
    """Return the login method that is meant, and note that the attempt may go on to WeChat.

    Raises:
        DomainError: as `Offer.choose`.

    """
    method = offer.choose(identifier)
    trail.source = method.identity_source
    trail.checked(scope)
    return method
