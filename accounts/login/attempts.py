"""The beginning of every attempt to log in: the application, its offer, and the trail."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from accounts.login import trace
from accounts.login.trail import Trail
from applications.models import LoginMethod
from applications.offers import Offer, load_offer
from applications.rules import Way


@contextmanager
def attempt(
    unverified_client_id: str, way: Way, *, door: str, now: datetime
) -> Iterator[tuple[Offer, Trail]]:
    """Begin an attempt at an application; record whatever refusal ends what is done within.

    Raises:
        InvalidClient: no application has this client_id.

    """
    began = time.monotonic()
    offer = load_offer(unverified_client_id, way)
    trail = Trail(door=door, way=way, application=offer.application, at=now, began=began)
    with trail.recording_refusals():
        yield offer, trail


def choose(
    offer: Offer, trail: Trail, identifier: str | None, scope: tuple[str, ...]
) -> LoginMethod:
    """Return the login method that is meant, and note that the attempt may go on to WeChat.

    Raises:
        DomainError: as `Offer.choose`.

    """
    method = offer.choose(identifier)
    trail.source = method.identity_source
    trail.note(trace.checked(scope))
    return method
