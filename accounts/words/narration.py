"""A login's trace in the words of an operator: what happened, where it stopped, what to do.

The experience login and every login event use it. It reads the steps stored with the event
(accounts/login/trail.py); for older events without steps it reads the columns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.login.codes import PhoneStatus
from accounts.login.trail import StepName
from accounts.models import LoginEvent
from accounts.words.explanations import REFUSALS_THAT_ASK, explain_refusal
from accounts.words.reasons import conflict_in_words, decision_in_words
from identity_sources.connection import outage_in_words
from identity_sources.wechat.catalogue import explain


class State(StrEnum):
    """How a step ended; ``NOTICE``: the login went on, but the operator should know something."""

    DONE = "done"
    NOTICE = "notice"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One step of the trace, for a template."""

    title: str
    name: StepName | None = None
    """the name of the step; None for the request itself"""
    sentence: str = ""
    state: State = State.DONE
    remedy: str = ""
    milliseconds: int | None = None
    """since the attempt began"""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """label → a program's value, shown unchanged and in monospace"""

    @property
    def shown_facts(self) -> list[tuple[str, str, bool]]:
        """The non-empty facts: label, text, and whether the text has several lines.

        WeChat chooses the field names of its answer, so templates don't look into it.
        """
        return [
            (label, _text_of(fact), isinstance(fact, Mapping))
            for label, fact in self.facts.items()
            if fact
        ]


def narrate(event: LoginEvent) -> list[Line]:
    """Return the lines for an event's steps, beginning with the request itself."""
    lines = [_TELL.get(step.get("step", ""), _untold)(step, event) for step in event.steps]
    if not lines and event.outcome == LoginEvent.Outcome.REFUSED:
        lines = [_line_of_refusal(event.error, "", None)]
    return [_received(event), *lines]


def narrate_unrecorded(error: str, description: str) -> list[Line]:
    """Return the lines for a request that was refused before an event was recorded."""
    return [_line_of_refusal(error, description, None)]


def _received(event: LoginEvent) -> Line:
    return Line(
        title=_("Request received"),
        sentence=event.get_door_display(),
        milliseconds=0,
        facts={
            "client_id": event.application.client_id,
            "request_id": event.request_id,
        },
    )


def _checked(step: Mapping[str, Any], event: LoginEvent) -> Line:
    source = event.identity_source
    return Line(
        name=StepName.CHECKED,
        title=_("Application and login method checked"),
        sentence=_("%(application)s offers %(source)s.")
        % {
            "application": event.application.name,
            "source": source.display_name if source else "-",
        },
        milliseconds=step.get("ms"),
        facts={"scope": step.get("scope", "")},
    )


def _asked(step: Mapping[str, Any], event: LoginEvent) -> Line:
    errcode = step.get("errcode")
    succeeded = errcode == 0 and not step.get("reason")
    explanation = explain(errcode) if errcode else None
    return Line(
        name=StepName.ASKED,
        title=_("WeChat asked: %(call)s") % {"call": step.get("call", "")},
        sentence=_sentence_of_call(step, explanation.meaning if explanation else ""),
        state=State.DONE if succeeded else State.NOTICE,
        remedy=_(explanation.remedy) if explanation else "",
        milliseconds=step.get("ms"),
        facts={
            _("request"): step.get("request", ""),
            _("answer"): step.get("answer", {}),
            "rid": step.get("rid", ""),
        },
    )


def _sentence_of_call(step: Mapping[str, Any], meaning: str) -> str:
    took = _("WeChat answered after %(took)s ms.") % {"took": step.get("took", "-")}
    if step.get("reason"):
        took = _("WeChat gave no usable answer (%(reason)s), %(took)s ms.") % {
            "reason": outage_in_words(step["reason"]),
            "took": step.get("took", "-"),
        }
    again = _("It was asked twice.") if step.get("attempts", 1) > 1 else ""
    return " ".join(part for part in (took, again, _(meaning) if meaning else "") if part)


def _replayed(step: Mapping[str, Any], event: LoginEvent) -> Line:
    return Line(
        name=StepName.REPLAYED,
        title=_("The same code came a second time"),
        sentence=_(
            "WeChat said that the code was used. It was used here within the last minute, so the "
            "identity that WeChat gave then was repeated."
        ),
        state=State.NOTICE,
        milliseconds=step.get("ms"),
    )


def _identity(step: Mapping[str, Any], event: LoginEvent) -> Line:
    has_unionid = step.get("unionid")
    return Line(
        name=StepName.IDENTITY,
        title=_("Identity read"),
        sentence=_("WeChat gave an OpenID and a UnionID.")
        if has_unionid
        else _("WeChat gave an OpenID and no UnionID."),
        state=State.DONE if has_unionid else State.NOTICE,
        remedy=""
        if has_unionid
        else _(
            "For a UnionID, bind the app to your WeChat Open Platform account; until then the same "
            "person in another app is another user."
        ),
        milliseconds=step.get("ms"),
    )


def _matched(step: Mapping[str, Any], event: LoginEvent) -> Line:
    created = step.get("decision") == LoginEvent.Decision.CREATED
    conflict = conflict_in_words(step.get("conflict", ""))
    sentences = [decision_in_words(step.get("decision", ""))]
    if step.get("merged_sub"):
        sentences.append(_("%(sub)s was merged into this user.") % {"sub": step["merged_sub"]})
    if step.get("unionid_added"):
        sentences.append(_("The UnionID was added."))
    return Line(
        name=StepName.MATCHED,
        title=_("User created") if created else _("User found"),
        sentence=" ".join(part for part in (*sentences, conflict.meaning) if part),
        state=State.NOTICE if step.get("conflict") else State.DONE,
        remedy=conflict.remedy,
        milliseconds=step.get("ms"),
        facts={"sub": event.user.sub if event.user else ""},
    )


def _phone(step: Mapping[str, Any], event: LoginEvent) -> Line:
    status = step.get("status", "")
    good = status in {PhoneStatus.STORED, PhoneStatus.UNCHANGED}
    return Line(
        name=StepName.PHONE,
        title=_("Phone number"),
        sentence=_PHONE_SENTENCES[PhoneStatus(status)]()
        if status in PhoneStatus.values
        else status,
        state=State.DONE if good else State.NOTICE,
        milliseconds=step.get("ms"),
    )


_PHONE_SENTENCES = {
    PhoneStatus.STORED: lambda: _("WeChat gave the number, and it was stored."),
    PhoneStatus.UNCHANGED: lambda: _("The user has a number already; it stayed."),
    PhoneStatus.TAKEN: lambda: _("Another user has this number; it wasn't stored."),
    PhoneStatus.INVALID_CODE: lambda: _("WeChat didn't accept the code of the phone number."),
    PhoneStatus.UNAVAILABLE: lambda: _("WeChat couldn't be asked for the number."),
}


def _issued(step: Mapping[str, Any], event: LoginEvent) -> Line:
    return Line(
        name=StepName.ISSUED,
        title=_("Tokens issued"),
        sentence=_("The access token is good for %(minutes)s minutes.")
        % {"minutes": round(step.get("expires_in", 0) / 60)},
        milliseconds=step.get("ms"),
        facts={
            _("signed with"): f"{step.get('algorithm', '')} · {step.get('kid', '')}",
            _("access token"): {
                name: ", ".join(claim) if isinstance(claim, list) else claim
                for name, claim in step.get("access_token", {}).items()
            },
            _("ID token"): step.get("id_token") or _("none"),
            _("refresh token"): pgettext("a token came with it", "yes")
            if step.get("refresh_token")
            else pgettext("a token came with it", "no"),
        },
    )


def _signed_on(step: Mapping[str, Any], event: LoginEvent) -> Line:
    return Line(
        name=StepName.SIGNED_ON,
        title=_("Signed on"),
        sentence=_(
            "The browser is remembered. The application gets its tokens for an authorization code."
        ),
        milliseconds=step.get("ms"),
    )


def _refused(step: Mapping[str, Any], event: LoginEvent) -> Line:
    return _line_of_refusal(step.get("error", ""), step.get("description", ""), step.get("ms"))


def _line_of_refusal(error: str, description: str, milliseconds: int | None) -> Line:
    explanation = explain_refusal(error)
    goes_on = error in REFUSALS_THAT_ASK
    return Line(
        name=StepName.REFUSED,
        title=_("One more step") if goes_on else _("Stopped here"),
        sentence=explanation.meaning,
        state=State.NOTICE if goes_on else State.STOPPED,
        remedy=explanation.remedy,
        milliseconds=milliseconds,
        facts={"error": error, "error_description": description},
    )


def _untold(step: Mapping[str, Any], event: LoginEvent) -> Line:
    # A step of a newer version, while nodes are replaced one by one.
    return Line(title=step.get("step", ""), milliseconds=step.get("ms"))


def _text_of(fact: Any) -> str:
    if isinstance(fact, Mapping):
        return "\n".join(f"{name}: {part}" for name, part in fact.items())
    return ", ".join(fact) if isinstance(fact, list) else str(fact)


_TELL: dict[str, Callable[[Mapping[str, Any], LoginEvent], Line]] = {
    StepName.CHECKED: _checked,
    StepName.ASKED: _asked,
    StepName.REPLAYED: _replayed,
    StepName.IDENTITY: _identity,
    StepName.MATCHED: _matched,
    StepName.PHONE: _phone,
    StepName.ISSUED: _issued,
    StepName.SIGNED_ON: _signed_on,
    StepName.REFUSED: _refused,
}
