"""One round of delivery: each due notice is attempted once, and each result is stored.

An application that doesn't answer can't delay the others: the number of threads per application and
per pool is limited, and each attempt has a timeout (`delivery`).
"""

import logging
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.backchannel.attempts import claim_attempt, put_off_others, store_result
from accounts.backchannel.delivery import AT_ONCE, deliver, was_answered
from accounts.backchannel.logout_tokens import logout_token
from accounts.models import LogoutNotice
from config.kernel.database import release_connection

logger = logging.getLogger(__name__)

OF_ONE_POOL = AT_ONCE // 2
OF_ONE_APPLICATION = AT_ONCE // 8
# Notices stored while attempts are running are found after this time.
LOOK_AGAIN_SECONDS = 1.0
NOT_SIGNED = "not_signed"


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """How many attempts succeeded and how many failed."""

    delivered: int
    failed: int


def deliver_due(*, due_by: datetime) -> Delivered:
    """Make one attempt for each notice that is due by then, unless another process claims it.

    Notices that become due during the round are included. No database connection is held while
    waiting for applications.
    """
    with ThreadPoolExecutor(AT_ONCE) as threads:
        attempts = _Round(due_by, threads)
        while attempts.begin():
            attempts.settle_ended()
    return Delivered(delivered=attempts.delivered, failed=attempts.failed)


class _Round:
    """The running attempts; only one thread uses the database."""

    def __init__(self, due_by: datetime, threads: Executor) -> None:
        self._ahead = due_by - timezone.now()
        self._threads = threads
        self._claimed: set[LogoutNotice] = set()
        self._attempts: dict[Future[str], LogoutNotice] = {}
        self.delivered = self.failed = 0

    def begin(self) -> bool:
        """Start as many attempts as the limits allow; return whether any is running."""
        tokens: dict[LogoutNotice, str] = {}
        while notices := self._waiting():
            for notice in notices:
                if self._has_room(notice) and claim_attempt(notice, now=timezone.now()):
                    self._claimed.add(notice)
                    tokens |= self._signed(notice)
        release_connection()
        for notice, token in tokens.items():
            uri = notice.session.application.backchannel_logout_uri
            self._attempts[self._threads.submit(deliver, uri, token)] = notice
        return bool(self._attempts)

    def settle_ended(self) -> None:
        """Wait until an attempt ends, at most LOOK_AGAIN_SECONDS, and store the results."""
        ended, _ = wait(self._attempts, LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED)
        for attempt in ended:
            notice = self._attempts.pop(attempt)
            self._settle(notice, _outcome(attempt, notice))

    def _waiting(self) -> list[LogoutNotice]:
        pools, applications = self._crowded()
        due = (
            LogoutNotice.objects.due(self._due_by())
            .exclude(pk__in=[notice.pk for notice in self._claimed])
            .exclude(pool__in=pools)
            .exclude(session__application__in=applications)
            .select_related("session__user", "session__application__pool")
        )
        return list(due[: AT_ONCE - len(self._claimed)])

    def _due_by(self) -> datetime:
        return timezone.now() + self._ahead

    def _has_room(self, notice: LogoutNotice) -> bool:
        pools, applications = self._crowded()
        return notice.pool_id not in pools and notice.session.application_id not in applications

    def _crowded(self) -> tuple[set[UUID], set[UUID]]:
        """Return the pools and the applications that use all of their threads."""
        pools = Counter(notice.pool_id for notice in self._claimed)
        applications = Counter(notice.session.application_id for notice in self._claimed)
        return (
            {pool for pool, attempts in pools.items() if attempts >= OF_ONE_POOL},
            {one for one, attempts in applications.items() if attempts >= OF_ONE_APPLICATION},
        )

    def _signed(self, notice: LogoutNotice) -> dict[LogoutNotice, str]:
        """Return the notice's token; empty if signing failed, which settles the attempt."""
        try:
            return {notice: logout_token(notice.session, now=timezone.now())}
        except Exception as failure:  # noqa: BLE001 - other notices must not wait for this one
            # Its message may contain the key.
            logger.error(  # noqa: TRY400
                "The logout token for the application %s can't be signed: %s.",
                notice.session.application.client_id,
                type(failure).__name__,
            )
            self._settle(notice, NOT_SIGNED)
            return {}

    def _settle(self, notice: LogoutNotice, failure: str) -> None:
        now = timezone.now()
        store_result(notice, failure, now=now)
        self._claimed.remove(notice)
        if not failure:
            self.delivered += 1
            return
        self.failed += 1
        if not was_answered(failure):
            put_off_others(notice, failure, due_by=self._due_by(), now=now)


def _outcome(attempt: Future[str], notice: LogoutNotice) -> str:
    """Return the failure of an attempt, or an empty string."""
    failure = attempt.result()
    if failure:
        logger.info(
            "The application %s didn't take attempt %s to tell it of a logout: %s.",
            notice.session.application.client_id,
            notice.attempts,
            failure,
        )
    return failure
