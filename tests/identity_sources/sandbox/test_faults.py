import pytest

from identity_sources.sandbox import Fault, FaultKind, InvalidFieldError
from identity_sources.sandbox.faults import http_status, latency, refusal


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "kind"),
        ({"kind": "earthquake"}, "kind"),
        ({"kind": ["latency"]}, "kind"),
        ({"kind": "html_page", "colour": "red"}, "colour"),
        ({"kind": "refusal"}, "errcode"),
        ({"kind": "refusal", "errcode": 0}, "errcode"),
        ({"kind": "refusal", "errcode": "40029"}, "errcode"),
        ({"kind": "refusal", "errcode": True}, "errcode"),
        ({"kind": "refusal", "errcode": 40029, "errmsg": 5}, "errmsg"),
        ({"kind": "refusal", "errcode": 40029, "errmsg": "\ud800"}, "errmsg"),
        ({"kind": "html_page", "errcode": 40029}, "errcode"),
        ({"kind": "http_status"}, "status"),
        ({"kind": "http_status", "status": 200}, "status"),
        ({"kind": "http_status", "status": 600}, "status"),
        ({"kind": "refusal", "errcode": 40029, "status": 500}, "status"),
        ({"kind": "latency"}, "delay_seconds"),
        ({"kind": "latency", "delay_seconds": -1}, "delay_seconds"),
        ({"kind": "latency", "delay_seconds": 601}, "delay_seconds"),
        ({"kind": "latency", "delay_seconds": float("nan")}, "delay_seconds"),
        ({"kind": "latency", "delay_seconds": "3"}, "delay_seconds"),
        ({"kind": "truncated_json", "consumes_code": False}, "consumes_code"),
        ({"kind": "connection_refused", "consumes_code": True}, "consumes_code"),
        ({"kind": "refusal", "errcode": 1, "consumes_code": "no"}, "consumes_code"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_naming_the_field(fields, field):
    with pytest.raises(InvalidFieldError, match=field) as refused:
        Fault.from_fields(fields)

    assert refused.value.field == field
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize(
    "fault",
    [
        refusal(-1),
        refusal(40029, "invalid code"),
        latency(1.5),
        http_status(302),
        Fault(FaultKind.READ_TIMEOUT, delay_seconds=3, consumes_code=False),
    ],
)
def test_a_fault_survives_the_store(fault):
    assert Fault.from_fields(fault.as_fields()) == fault


def test_what_strikes_before_wechat_has_seen_the_code_spares_it():
    spared = {
        refusal(-1),
        http_status(302),
        Fault(FaultKind.HTML_PAGE),
        Fault(FaultKind.CONNECTION_REFUSED),
        Fault(FaultKind.CONNECT_TIMEOUT),
        Fault(FaultKind.CONNECTION_DROPPED, consumes_code=False),
    }
    used = {
        Fault(FaultKind.REFUSAL, errcode=-1, consumes_code=True),
        http_status(500),
        Fault(FaultKind.EMPTY_BODY),
        Fault(FaultKind.CONNECTION_DROPPED),
        Fault(FaultKind.READ_TIMEOUT),
        Fault(FaultKind.TRUNCATED_JSON),
        latency(1),
    }

    assert all(fault.strikes_before_code for fault in spared)
    assert not any(fault.strikes_before_code for fault in used)
