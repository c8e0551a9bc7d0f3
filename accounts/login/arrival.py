"""The start of an attempt to log in, and the person once WeChat has identified them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from accounts.login.codes import PhoneResult, ask_for_phone_number
from accounts.login.exchange import WeChatIdentity
from accounts.login.trail import Trail
from accounts.models import BindingTicket
from accounts.refusals import IdentityConflict
from applications.models import LoginMethod
from applications.offers import Offer, load_offer
from applications.rules import Way
from config.kernel.errors import DomainError
from identity_sources.models import IdentitySource


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A person who arrives: their WeChat identity, login method and requested scope.

    ``ticket`` is the binding ticket that the login uses up. ``proven_user_id`` is the user
    whose account they proved to be theirs; a ticket without it means a new user.
    """

    method: LoginMethod
    identity: WeChatIdentity
    scope: tuple[str, ...]
    trail: Trail
    phone: PhoneResult | None = None
    ticket: BindingTicket | None = None
    proven_user_id: UUID | None = None

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
    """Begin an attempt to log in to an application; record a refusal raised in the block.

    Raises:
        InvalidClient: no application has this client_id.

    """
    began = time.monotonic()
    offer = load_offer(unverified_client_id, way)
    trail = Trail(door=door, way=way, application=offer.application, at=now, began=began)
    try:
        try:
            yield offer, trail
        except IdentityConflict:
            trail.hold_conflict()
            raise
    except DomainError as refusal:
        trail.record_refusal(refusal)
        raise
    except Exception:
        if trail.identity:
            trail.identity.store_after_failure()
        raise


def choose_method(
    offer: Offer, trail: Trail, identifier: str | None, scope: tuple[str, ...]
) -> LoginMethod:
    """Return the requested login method, and note the step ``checked``.

    Raises:
        DomainError: as `Offer.choose`.

    """
    method = offer.choose(identifier)
    trail.source = method.identity_source
    trail.checked(scope)
    return method
