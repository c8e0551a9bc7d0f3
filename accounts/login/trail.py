"""The trail of one attempt to log in, from the door to the row that records it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.login import trace
from accounts.models import LoginEvent, Session, User
from applications.models import Application
from applications.rules import Way
from config.kernel.errors import DomainError
from config.kernel.logs import request_id
from identity_sources.models import IdentitySource
from identity_sources.wechat.client import CallRecord


@dataclass(kw_only=True)
class Trail:
    """What is known of an attempt so far; filled in along the way, written once at the end."""

    door: str
    way: Way
    application: Application
    at: datetime
    source: IdentitySource | None = None
    user: User | None = None
    replayed: bool = False
    decision: str = ""
    unionid_added: bool = False
    conflict: str = ""
    merged_sub: str = ""
    """of the user who has just been merged into the one that was found"""
    wechat_milliseconds: int | None = None
    began: float = field(default_factory=time.monotonic)
    steps: list[dict[str, Any]] = field(default_factory=list)

    def note(self, step: trace.Step) -> None:
        """Add a step to the trace."""
        self.steps.append(step.row(milliseconds=round((time.monotonic() - self.began) * 1000)))

    def note_match(self) -> None:
        """Add to the trace which user was found, and by what."""
        self.note(
            trace.matched(
                self.decision,
                self.conflict,
                unionid_added=self.unionid_added,
                merged_sub=self.merged_sub,
            )
        )

    def observe(self, record: CallRecord) -> None:
        """Add a call to WeChat to the trace."""
        self.note(trace.asked(record))

    def observe_exchange(self, record: CallRecord) -> None:
        """Add the call that exchanged the login's code, and keep how long WeChat took."""
        self.wechat_milliseconds = record.milliseconds
        self.observe(record)

    def start_over(self) -> None:
        """Forget what a transaction found that was then rolled back."""
        self.decision, self.unionid_added = "", False
        self.conflict, self.merged_sub = "", ""
        self.steps = trace.without_transaction(self.steps)

    def record_success(self, session: Session, phone_status: str | None) -> None:
        """Write the event of a login, within its transaction."""
        event = self._event(LoginEvent.Outcome.SUCCEEDED)
        # Not on the trail: if the transaction rolls back, there is neither.
        event.user, event.sid = session.user, session.pk
        event.phone_status = phone_status or ""
        event.save(force_insert=True)

    def record_refusal(self, refusal: DomainError) -> None:
        """Write the event of a refused login, after its transaction has rolled back."""
        self.start_over()
        self.note(trace.refused(refusal))
        event = self._event(LoginEvent.Outcome.REFUSED)
        event.error = refusal.code
        event.wechat_errcode = refusal.extra.get("wechat_errcode")
        event.wechat_rid = refusal.extra.get("wechat_rid", "")
        event.save(force_insert=True)

    @contextmanager
    def recording_refusals(self) -> Iterator[None]:
        """Write the event of whatever refusal ends what is done within."""
        try:
            yield
        except DomainError as refusal:
            self.record_refusal(refusal)
            raise

    def _event(self, outcome: LoginEvent.Outcome) -> LoginEvent:
        return LoginEvent(
            pool=self.application.pool,
            application=self.application,
            identity_source=self.source,
            user=self.user,
            door=self.door,
            way=self.way,
            outcome=outcome,
            decision=self.decision,
            unionid_added=self.unionid_added,
            conflict=self.conflict,
            replayed=self.replayed,
            wechat_milliseconds=self.wechat_milliseconds,
            request_id=request_id.get(),
            steps=self.steps,
            occurred_at=self.at,
        )


def record_single_sign_on(session: Session, *, now: datetime) -> None:
    """Write that an application was entered by who is signed on in the browser already."""
    LoginEvent.objects.create(
        pool_id=session.pool_id,
        application=session.application,
        identity_source_id=session.identity_source_id,
        user=session.user,
        sid=session.pk,
        door=LoginEvent.Door.SINGLE_SIGN_ON,
        way=session.way,
        outcome=LoginEvent.Outcome.SUCCEEDED,
        decision=LoginEvent.Decision.SIGNED_ON,
        request_id=request_id.get(),
        occurred_at=now,
    )


def record_reuse(session: Session, *, now: datetime, reason: Session.EndReason) -> None:
    """Write that a refresh token or code of this session was used twice, which ended it."""
    refreshed = reason == Session.EndReason.REFRESH_TOKEN_REUSED
    LoginEvent.objects.create(
        pool=session.pool,
        application=session.application,
        identity_source_id=session.identity_source_id,
        user=session.user,
        sid=session.pk,
        door=LoginEvent.Door.REFRESH if refreshed else LoginEvent.Door.TOKEN,
        way=session.way,
        outcome=LoginEvent.Outcome.REFUSED,
        error=reason,
        request_id=request_id.get(),
        occurred_at=now,
    )
