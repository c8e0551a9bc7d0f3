"""The trail of one attempt to log in: its steps as they happen, and the event that records it.

The steps are stored with the event, in the order in which they happen::

    checked    the application is authenticated, the scope exists, one login method is chosen
    asked      one call to WeChat; with a phone code there are more, after ``identity``
    replayed   WeChat said that the code was used, and the identity of the first time is repeated
    identity   WeChat returned an identity
    matched    the user was found or made, and how
    phone      the result of the phone code
    issued     the tokens were issued
    signed_on  a browser session began; the application gets its tokens for a code
    refused    the attempt ended with this error

Each is a plain dict: its name in ``step``, the milliseconds since the attempt began in ``ms``, and
its facts. They hold no secrets and no personal data, since the event is kept longer than both.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Model

from accounts.login.exchange import CodeObserver, WeChatIdentity
from accounts.merging.conflicts import hold_openid
from accounts.models import LoginEvent, Session, User
from accounts.sessions.tokens import TokenSet
from applications.models import Application
from applications.rules import Way
from config.kernel.errors import DomainError
from config.kernel.logs import request_id
from config.kernel.rows import Statement, insertion, send
from identity_sources.models import IdentitySource
from identity_sources.wechat.client import CallRecord


class StepName(StrEnum):
    """The name of a step."""

    CHECKED = "checked"
    ASKED = "asked"
    REPLAYED = "replayed"
    IDENTITY = "identity"
    MATCHED = "matched"
    PHONE = "phone"
    ISSUED = "issued"
    SIGNED_ON = "signed_on"
    REFUSED = "refused"


_WITHIN_TRANSACTION = frozenset(
    {StepName.MATCHED, StepName.PHONE, StepName.ISSUED, StepName.SIGNED_ON}
)


@dataclass(kw_only=True)
class Trail(CodeObserver):
    """What is known of an attempt so far; written once, at the end."""

    door: str
    way: Way
    application: Application
    at: datetime
    source: IdentitySource | None = None
    user: User | None = None
    is_replayed: bool = False
    decision: str = ""
    unionid_added: bool = False
    conflict: str = ""
    merged_sub: str = ""
    """``sub`` of the user who was just merged into the user that was found"""
    second_openid: str = ""
    """the OpenID that came with the UnionID of ``user`` and can't be theirs"""
    phone_status: str = ""
    wechat_milliseconds: int | None = None
    identity: WeChatIdentity | None = None
    new_person: list[Statement] = field(default_factory=list)
    """the INSERTs of a new user and their linked accounts, which are sent with the event's"""
    began: float = field(default_factory=time.monotonic)
    steps: list[dict[str, Any]] = field(default_factory=list)

    def checked(self, scope: tuple[str, ...]) -> None:
        """Note that the request passed all checks before WeChat is asked."""
        self._note(StepName.CHECKED, scope=" ".join(scope))

    def asked(self, record: CallRecord) -> None:
        """Note a call to WeChat; empty facts are left out."""
        facts = {
            "call": record.call,
            "request": record.request,
            "answer": dict(record.answer),
            "took": record.milliseconds,
            "attempts": record.attempts,
            "errcode": record.errcode,
            "errmsg": record.errmsg,
            "rid": record.rid,
            "reason": record.reason,
        }
        self._note(
            StepName.ASKED, **{name: fact for name, fact in facts.items() if _is_known(fact)}
        )

    def exchanged(self, record: CallRecord) -> None:
        """Note the call that exchanged the login's code, and how long WeChat took."""
        self.wechat_milliseconds = record.milliseconds
        self.asked(record)

    def replayed(self) -> None:
        """Note that the identity which WeChat gave for this code before was used."""
        self.is_replayed = True
        self._note(StepName.REPLAYED)

    def identified(self, identity: WeChatIdentity) -> None:
        """Note that WeChat returned an identity, and whether it has a UnionID, but no values."""
        self.identity = identity
        self._note(StepName.IDENTITY, unionid=identity.unionid is not None)

    def start_over(self) -> None:
        """Forget what was found in a transaction that was rolled back."""
        self.decision, self.unionid_added, self.new_person = "", False, []
        self.conflict, self.merged_sub, self.phone_status = "", "", ""
        self.steps = [step for step in self.steps if step["step"] not in _WITHIN_TRANSACTION]

    def matched(self) -> None:
        """Note how the user was found or made, and who was merged into them."""
        facts = {
            "decision": self.decision,
            "unionid_added": self.unionid_added,
            "conflict": self.conflict,
            "merged_sub": self.merged_sub,
        }
        self._note(StepName.MATCHED, **{name: fact for name, fact in facts.items() if fact})

    def stored_phone(self, status: str) -> None:
        """Note the result of the phone code."""
        self.phone_status = str(status)
        self._note(StepName.PHONE, status=self.phone_status)

    def issued(self, tokens: TokenSet) -> None:
        """Note the tokens that were made.

        The access token's claims are about the login and hold no personal data; the ID token's
        claims are about the person, so only their names are stored.
        """
        self._note(
            StepName.ISSUED,
            access_token=tokens.access_token_claims,
            algorithm=str(tokens.key.alg),
            kid=tokens.key.kid,
            id_token=list(tokens.id_token_claims) if tokens.id_token else None,
            refresh_token=tokens.refresh_token is not None,
            expires_in=tokens.expires_in,
        )

    def signed_on(self) -> None:
        """Note that a browser session began."""
        self._note(StepName.SIGNED_ON)

    def record_success(self, session: Session, *rows: Model) -> LoginEvent:
        """Write the event of a login within its transaction, and these new rows with it."""
        event = self._event(LoginEvent.Outcome.SUCCEEDED)
        # Not set on the trail: if the transaction rolls back, neither of them exists.
        event.user, event.sid = session.user, session.pk
        of_session = map(insertion, [*rows, event])
        send(*self.new_person, *of_session, *self._identity_to_store())
        return event

    def store_new_person(self) -> None:
        """Store a new user now, for a statement that changes their row."""
        send(*self.new_person)
        self.new_person = []

    def hold_conflict(self) -> None:
        """Hold the conflicting OpenID for review, after its transaction has rolled back."""
        if self.user and self.source:
            hold_openid(self.user, self.second_openid, self.source, now=self.at)

    def record_refusal(self, refusal: DomainError) -> None:
        """Write the event of a refused login, after its transaction has rolled back.

        The event is attached to the refusal.
        """
        self.start_over()
        self._note(StepName.REFUSED, error=refusal.code, description=refusal.description)
        event = self._event(LoginEvent.Outcome.REFUSED)
        event.error = refusal.code
        event.wechat_errcode = refusal.extra.get("wechat_errcode")
        event.wechat_rid = refusal.extra.get("wechat_rid", "")
        with transaction.atomic():
            send(insertion(event), *self._identity_to_store())
        refusal.event = event

    def _identity_to_store(self) -> list[Statement]:
        return self.identity.storing() if self.identity else []

    def _note(self, step: StepName, **facts: Any) -> None:
        milliseconds = round((time.monotonic() - self.began) * 1000)
        self.steps.append({"step": step.value, "ms": milliseconds, **facts})

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
            replayed=self.is_replayed,
            phone_status=self.phone_status,
            wechat_milliseconds=self.wechat_milliseconds,
            request_id=request_id.get(),
            steps=self.steps,
            occurred_at=self.at,
        )


def _is_known(fact: Any) -> bool:
    return fact not in (None, "", {})
