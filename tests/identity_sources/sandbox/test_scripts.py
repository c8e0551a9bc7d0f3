from concurrent.futures import ThreadPoolExecutor

import pytest

from identity_sources.sandbox import Fault, FaultKind, InvalidFieldError
from identity_sources.sandbox.faults import refusal
from identity_sources.sandbox.scripts import Scripts

CALL = "jscode2session"


@pytest.fixture
def scripts(store):
    return Scripts(store)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"call": "/sns/jscode2session"}, "call"),
        ({"fault": {"kind": "html_page"}}, "fault"),
        ({"times": 0}, "times"),
        ({"times": 1_000_001}, "times"),
        ({"times": "2"}, "times"),
        ({"times": True}, "times"),
        ({"app_id": "wx4f4bc4dec97d474b"}, "app_id"),
        ({"fault": Fault(FaultKind.NUMBER_COUNTRY_CODE)}, "kind"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused_naming_the_field(scripts, changes, field):
    arguments = {"call": CALL, "fault": refusal(-1), "times": 1, "app_id": None} | changes

    with pytest.raises(InvalidFieldError) as refused:
        scripts.append(**arguments)

    assert refused.value.field == field


def test_nothing_happens_that_was_not_scripted(scripts, shop):
    assert not scripts.has_any(CALL)
    assert scripts.take(CALL, app_id=shop) is None


def test_faults_happen_in_order_as_often_as_told(scripts, shop):
    scripts.append(CALL, refusal(-1), times=2, app_id=None)
    scripts.append(CALL, refusal(45011), times=1, app_id=None)

    taken = [scripts.take(CALL, app_id=shop) for _ in range(4)]

    assert taken == [refusal(-1), refusal(-1), refusal(45011), None]


def test_another_call_and_another_application_go_unharmed(scripts, shop, other_shop):
    scripts.append(CALL, refusal(-1), times=1, app_id=shop)

    assert scripts.take("token", app_id=shop) is None
    assert scripts.take(CALL, app_id=other_shop) is None
    assert scripts.take(CALL, app_id=None) is None
    assert scripts.take(CALL, app_id=shop) == refusal(-1)


def test_an_applications_own_faults_come_first(scripts, shop):
    scripts.append(CALL, refusal(-1), times=1, app_id=None)
    scripts.append(CALL, refusal(45011), times=1, app_id=shop)

    taken = [scripts.take(CALL, app_id=shop) for _ in range(2)]

    assert taken == [refusal(45011), refusal(-1)]


def test_two_processes_share_one_script(store, shop):
    Scripts(store).append(CALL, refusal(-1), times=1, app_id=None)

    assert Scripts(store).take(CALL, app_id=shop) == refusal(-1)
    assert Scripts(store).take(CALL, app_id=shop) is None


def test_concurrent_calls_meet_a_fault_exactly_as_often_as_told(scripts, shop):
    scripts.append(CALL, refusal(-1), times=30, app_id=None)
    scripts.append(CALL, refusal(45011), times=20, app_id=None)

    with ThreadPoolExecutor(16) as threads:
        taken = list(threads.map(lambda _: scripts.take(CALL, app_id=shop), range(100)))

    assert [taken.count(refusal(-1)), taken.count(refusal(45011)), taken.count(None)] == [
        30,
        20,
        50,
    ]
