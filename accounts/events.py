"""The trail of one attempt to log in, from the door to the row that records it."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import LoginEvent, User
from applications.models import Application
from applications.rules import Way
from config.errors import DomainError
from config.logs import request_id
from identity_sources.models import IdentitySource
from identity_sources.wechat.client import CallRecord

LOGIN_CALL = "jscode2session"


@dataclass(kw_only=True)
class Trail:
    """What is known of an attempt so far; filled in along the way, written once at the end."""

    door: str
    way: Way
    application: Application
    at: datetime
    source: IdentitySource | None = None
    replayed: bool = False
    decision: str = ""
    unionid_added: bool = False
    conflict: str = ""
    wechat_milliseconds: int | None = None

    def observe(self, record: CallRecord) -> None:
        """Note how long WeChat took over the login call."""
        if record.call == LOGIN_CALL:
            self.wechat_milliseconds = record.milliseconds

    def start_over(self) -> None:
        """Forget what a transaction found that was then rolled back."""
        self.decision, self.unionid_added, self.conflict = "", False, ""

    def record_success(self, user: User, phone_status: str | None) -> None:
        """Write the event of a login, within its transaction."""
        event = self._event(LoginEvent.Outcome.SUCCEEDED)
        event.user = user
        event.phone_status = phone_status or ""
        event.save(force_insert=True)

    def record_refusal(self, refusal: DomainError) -> None:
        """Write the event of a refused login, after its transaction has rolled back."""
        event = self._event(LoginEvent.Outcome.REFUSED)
        event.error = refusal.code
        event.wechat_errcode = getattr(refusal, "wechat_errcode", None)
        event.wechat_rid = getattr(refusal, "wechat_rid", None) or ""
        event.save(force_insert=True)

    def _event(self, outcome: LoginEvent.Outcome) -> LoginEvent:
        return LoginEvent(
            pool=self.application.pool,
            application=self.application,
            identity_source=self.source,
            door=self.door,
            way=self.way,
            outcome=outcome,
            decision=self.decision if outcome == LoginEvent.Outcome.SUCCEEDED else "",
            unionid_added=self.unionid_added,
            conflict=self.conflict,
            replayed=self.replayed,
            wechat_milliseconds=self.wechat_milliseconds,
            request_id=request_id.get(),
            occurred_at=self.at,
        )
