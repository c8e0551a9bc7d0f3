"""The trace in an operator's words: every step is told, and whatever WeChat says stays text."""

import pytest
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.login.codes import PhoneStatus
from accounts.login.trail import StepName
from accounts.models import LoginEvent, Session
from accounts.words import narration
from accounts.words.explanations import (
    _EXPLANATIONS,  # nothing else lists them
    REFUSALS_THAT_ASK,
)
from accounts.words.narration import State, narrate, narrate_unrecorded
from accounts.words.reasons import headline, reason_of
from identity_sources.sandbox.faults import refusal as wechat_refuses
from identity_sources.wechat.catalogue import EXPLANATIONS
from tests.support import builders
from tests.support.pages import Page, see
from tests.support.people import make_event

HOSTILE = "<script>alert('1')</script>"


def told(event):
    """Return all that the lines of an event say, as text."""
    return str(narrate(event))


def trace_page(lines):
    return render_to_string("pages/trace.html", {"lines": lines})


@pytest.fixture
def event(acme):
    """Return an unsaved event with these steps."""

    def make(*steps, **fields):
        return LoginEvent(
            pool=acme.pool,
            application=acme.application,
            occurred_at=timezone.now(),
            steps=list(steps),
            **{"door": "rest", "outcome": "succeeded", "request_id": "a-request-id"} | fields,
        )

    return make


# Whatever an event holds, it is told


@pytest.mark.parametrize("name", StepName)
def test_every_step_has_a_telling_which_needs_none_of_its_facts(event, name):
    assert name in narration._TELL  # noqa: SLF001  nothing else lists them

    received, line = narrate(event({"step": name.value}))

    assert received.name is None
    assert line.name == name
    assert line.title
    assert line.title in trace_page([line])


def test_a_step_of_a_newer_version_is_named(event):
    _received, line = narrate(event({"step": "consented", "ms": 3, "to": {"items": []}}))

    assert (line.title, line.milliseconds, line.state) == ("consented", 3, State.DONE)
    assert narrate(event({}))[1].title == ""


def test_an_event_without_steps_is_told_by_its_columns(event):
    assert [line.title for line in narrate(event())] == ["Request received"]

    _received, stopped = narrate(event(outcome="refused", error="user_suspended"))

    assert stopped.state == State.STOPPED
    assert stopped.sentence == "The user is suspended."
    assert "Lift the suspension" in stopped.remedy


def test_a_refresh_token_that_was_used_twice_says_what_to_think_of_it(event):
    reused = event(door="refresh", outcome="refused", error=Session.EndReason.REFRESH_TOKEN_REUSED)

    assert headline(reused).startswith("Refused: A refresh token was used twice")
    assert "Somebody may have stolen it" in told(reused)


@pytest.mark.parametrize("decision", LoginEvent.Decision)
def test_every_decision_has_a_sentence(event, decision):
    login = event({"step": "matched", "decision": decision.value}, decision=decision)

    assert reason_of(login)
    assert headline(login) == reason_of(login)
    assert narrate(login)[1].sentence == reason_of(login)


def test_every_decision_has_a_sentence_of_its_own(event):
    sentences = {reason_of(event(decision=decision)) for decision in LoginEvent.Decision}

    assert len(sentences) == len(LoginEvent.Decision)


def test_a_repeated_login_says_so(event):
    assert reason_of(event(decision="matched_openid", replayed=True)) == (
        "Known by the OpenID. Repeated within a minute."
    )


def test_an_event_without_a_decision_has_no_reason(event):
    assert reason_of(event()) == ""


@pytest.mark.parametrize("status", PhoneStatus)
def test_every_outcome_of_a_phone_code_has_a_sentence(event, status):
    line = narrate(event({"step": "phone", "ms": 1, "status": status.value}))[1]

    assert line.sentence not in {"", status.value}
    good = status in {PhoneStatus.STORED, PhoneStatus.UNCHANGED}
    assert line.state == (State.DONE if good else State.NOTICE)


def test_an_unknown_outcome_of_a_phone_code_is_shown_as_it_is(event):
    assert narrate(event({"step": "phone", "status": "moved"}))[1].sentence == "moved"


# What each step says


def test_a_call_that_succeeded_says_how_long_it_took(event):
    step = {"step": "asked", "ms": 9, "call": "jscode2session", "took": 7, "errcode": 0}

    line = narrate(event(step | {"attempts": 1, "answer": {"openid": "***"}}))[1]

    assert line.title == "WeChat asked: jscode2session"
    assert (line.state, line.remedy) == (State.DONE, "")
    assert line.sentence == "WeChat answered after 7 ms."


def test_a_refused_call_says_what_the_errcode_means_and_what_to_do(event):
    step = {"step": "asked", "took": 7, "errcode": 40164, "rid": "a-rid", "attempts": 2}

    line = narrate(event(step))[1]

    assert line.state == State.NOTICE
    assert "It was asked twice." in line.sentence
    assert line.remedy
    assert ("rid", "a-rid", False) in line.shown_facts


def test_an_errcode_that_nobody_knows_has_a_general_explanation(event):
    line = narrate(event({"step": "asked", "took": 7, "errcode": 99999999}))[1]

    assert "isn't known here" in line.sentence


def test_a_call_without_an_answer_says_why(event):
    line = narrate(event({"step": "asked", "took": 5000, "reason": "timed_out"}))[1]

    assert line.state == State.NOTICE
    assert line.sentence == "WeChat gave no usable answer (no answer in time), 5000 ms."


def test_an_identity_without_a_unionid_says_what_to_do(event):
    line = narrate(event({"step": "identity", "ms": 1, "unionid": False}))[1]

    assert line.state == State.NOTICE
    assert "Open Platform account" in line.remedy
    assert narrate(event({"step": "identity", "unionid": True}))[1].remedy == ""


def test_a_conflict_stands_out(event):
    step = {"step": "matched", "decision": "matched_openid", "unionid_added": True}

    line = narrate(event(step | {"conflict": "unionid_of_another_user"}))[1]

    assert line.state == State.NOTICE
    assert line.sentence == (
        "Known by the OpenID. The UnionID was added. "
        "The UnionID belongs to another user; nothing was merged."
    )


def test_a_unionid_that_changed_says_what_to_think_of_it(event):
    step = {"step": "matched", "decision": "matched_openid", "conflict": "unionid_changed"}

    line = narrate(event(step))[1]

    assert line.state == State.NOTICE
    assert "WeChat gave another UnionID than before" in line.sentence
    assert "Open Platform account" in line.remedy


def test_a_conflict_of_a_newer_version_is_no_error(event):
    line = narrate(event({"step": "matched", "decision": "created", "conflict": "new"}))[1]

    assert (line.state, line.remedy) == (State.NOTICE, "")
    assert line.sentence == "A new user: nobody had this WeChat account."


def test_whoever_was_merged_is_named(event):
    step = {"step": "matched", "decision": "merged", "merged_sub": "the-old-sub"}

    line = narrate(event(step))[1]

    assert line.sentence.endswith("the-old-sub was merged into this user.")
    assert line.state == State.DONE


@pytest.mark.parametrize("error", sorted(REFUSALS_THAT_ASK))
def test_a_step_of_a_first_login_is_no_failure(event, error):
    asked = event({"step": "refused", "error": error}, outcome="refused", error=error)

    line = narrate(asked)[1]

    assert (line.title, line.state) == ("One more step", State.NOTICE)
    assert headline(asked) == reason_of(asked) == line.sentence
    assert "Nothing needs doing" in line.remedy


def test_tokens_are_told_by_their_claims(event):
    claims = {"sub": "a-sub", "aud": ["acme-shop", "an issuer"], "exp": 1_700_000_000}
    step = {"step": "issued", "expires_in": 5400, "algorithm": "ES256", "kid": "a-kid"}

    line = narrate(event(step | {"access_token": claims, "id_token": ["sub", "at_hash"]}))[1]

    assert line.sentence == "The access token is good for 90 minutes."
    assert line.shown_facts == [
        ("signed with", "ES256 · a-kid", False),
        ("access token", "sub: a-sub\naud: acme-shop, an issuer\nexp: 1700000000", True),
        ("ID token", "sub, at_hash", False),
        ("refresh token", "no", False),
    ]


def test_a_refusal_that_was_not_recorded_is_told(db):
    (line,) = narrate_unrecorded("too_many_requests", "Too many refused attempts.")

    assert line.state == State.STOPPED
    assert line.sentence.startswith("A limit was reached")
    assert "ms" not in trace_page([line])
    assert "Too many refused attempts." in trace_page([line])


def test_facts_that_there_are_not_are_left_out(event):
    facts = narrate(event({"step": "matched", "decision": "created"}, request_id=""))

    assert [label for label, *_ in facts[0].shown_facts] == ["client_id"]
    assert facts[1].shown_facts == []


# Hostile words


EVERY_FACT = [
    {"step": "checked", "scope": HOSTILE},
    {
        "step": "asked",
        "call": HOSTILE,
        "request": HOSTILE,
        "answer": {HOSTILE: HOSTILE, "items": HOSTILE, "values": "x", "errmsg": HOSTILE},
        "took": HOSTILE,
        "errmsg": HOSTILE,
        "rid": HOSTILE,
        "reason": HOSTILE,
    },
    {"step": "matched", "decision": HOSTILE, "conflict": HOSTILE, "merged_sub": HOSTILE},
    {"step": "phone", "status": HOSTILE},
    {
        "step": "issued",
        "access_token": {HOSTILE: HOSTILE, "items": [HOSTILE]},
        "algorithm": HOSTILE,
        "kid": HOSTILE,
        "id_token": [HOSTILE],
    },
    {"step": "refused", "error": HOSTILE, "description": HOSTILE},
    {"step": HOSTILE},
]


def test_hostile_words_are_text_in_the_trace(event):
    page = trace_page(narrate(event(*EVERY_FACT)))

    assert "<script" not in page
    assert "items: &lt;script&gt;" in page


def test_hostile_words_are_text_on_the_page_of_an_event(acme, admin_client):
    event = make_event(acme, steps=EVERY_FACT, outcome="refused", error="x", request_id=HOSTILE)

    response = admin_client.get(f"/console/acme/events/{event.pk}/change/")

    assert response.status_code == 200
    assert HOSTILE not in response.content.decode()
    assert "alert(&#x27;1&#x27;)" in response.content.decode()


def test_wechats_own_hostile_words_are_text_on_the_page_of_an_event(
    acme, admin_client, log_in, wechat
):
    wechat.script(wechat_refuses(40029, f"invalid code {HOSTILE}"))
    log_in()

    address = f"/console/acme/events/{LoginEvent.objects.get().pk}/change/"

    assert HOSTILE not in admin_client.get(address).content.decode()
    assert f"invalid code {HOSTILE}" in see(admin_client, address).text


# A whole login


def test_a_login_is_told_from_the_request_to_the_tokens(acme, log_in):
    log_in(phone_code=builders.get_phone_number())

    lines = narrate(LoginEvent.objects.get())

    assert [line.title for line in lines] == [
        "Request received",
        "Application and login method checked",
        "WeChat asked: jscode2session",
        "Identity read",
        "WeChat asked: stable_token",
        "WeChat asked: getuserphonenumber",
        "User created",
        "Phone number",
        "Tokens issued",
    ]
    assert {line.state for line in lines} == {State.DONE}
    assert lines[1].sentence == "Shop offers Mini program."


# In Chinese


PROGRAM_WORDS = {
    *("client_id", "request_id", "sub", "scope", "rid", "error", "error_description"),
    "REST API",
}


def in_both(event):
    """Return what the lines say that isn't a program's word: each text in English and Chinese."""
    told = []
    for language in ("en", "zh-hans"):
        with translation.override(language):
            lines = [*narrate(event), *narrate_unrecorded(event.error, "")]
            told.append(
                [
                    text
                    for line in lines
                    for text in (line.title, line.sentence, line.remedy, *line.facts)
                ]
                + [headline(event), reason_of(event)]
            )
    return [(ours, theirs) for ours, theirs in zip(*told, strict=True) if ours]


def left_in_english(event):
    return {ours for ours, theirs in in_both(event) if ours == theirs and ours not in PROGRAM_WORDS}


def test_a_whole_login_is_told_in_chinese(acme, log_in):
    for _ in range(2):
        log_in(code="a-code-that-is-sent-twice", phone_code=builders.get_phone_number())
    log_in(phone_code=builders.get_phone_number())

    for event in LoginEvent.objects.all():
        assert left_in_english(event) == set()


@pytest.mark.parametrize(
    "step",
    [
        {"step": "asked", "call": "a", "took": 1, "reason": "timed_out", "attempts": 2},
        {"step": "asked", "call": "a", "took": 1, "errcode": 99999999},
        {"step": "identity"},
        *({"step": "matched", "decision": decision.value} for decision in LoginEvent.Decision),
        *({"step": "matched", "conflict": conflict.value} for conflict in LoginEvent.Conflict),
        {"step": "matched", "unionid_added": True, "merged_sub": "the-old-sub"},
        *({"step": "phone", "status": status.value} for status in PhoneStatus),
        {"step": "issued", "refresh_token": False},
        {"step": "replayed"},
    ],
)
def test_every_kind_of_step_is_told_in_chinese(event, step):
    assert left_in_english(event(step, decision=step.get("decision", ""), replayed=True)) == set()


@pytest.mark.parametrize("door", LoginEvent.Door)
def test_every_door_is_told_in_chinese(event, door):
    assert left_in_english(event(door=door)) == set()


def test_every_errcode_is_told_in_chinese(event):
    for errcode in EXPLANATIONS:
        asked = event({"step": "asked", "call": "a", "took": 1, "errcode": errcode})
        assert left_in_english(asked) == set(), errcode


@pytest.mark.parametrize("error", [*_EXPLANATIONS, "a word that nobody knows"])
def test_every_refusal_is_told_in_chinese(event, error):
    assert left_in_english(event(outcome="refused", error=error)) == set()


def test_the_pages_tell_the_trace_in_chinese(acme, admin_client):
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9"}
    pressed = {"identity_source": "acme-mini", "person": "mallory"}
    shown = Page(admin_client.post("/experience/acme-shop", pressed, headers=chinese)).text
    address = f"/console/acme/events/{LoginEvent.objects.get().pk}/change/"
    console = see(admin_client, address, **chinese).text

    told = [pair for pair in in_both(LoginEvent.objects.get()) if " " in pair[0]]
    assert len(told) > 8
    for ours, theirs in told:
        assert theirs in shown
        assert theirs in console
        assert ours in PROGRAM_WORDS or ours not in shown + console
