"""Sweeping on the way: some of what is over, now and then, and more where there is more."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import sweeping
from accounts.models import CodeExchange
from accounts.sweeping import Sweeper

MINUTE = timedelta(minutes=1)


def hold(*seconds: int) -> None:
    for left in seconds:
        CodeExchange.objects.create(
            key=f"{left}", expires_at=timezone.now() + timedelta(seconds=left)
        )


def kept() -> set[str]:
    return set(CodeExchange.objects.values_list("key", flat=True))


def over():
    return CodeExchange.objects.filter(expires_at__lt=timezone.now())


@pytest.fixture
def sweeper(db, monkeypatch):
    """One that is due."""
    made = Sweeper(every=MINUTE)
    monkeypatch.setattr(made, "due_at", 0)
    return made


def test_what_is_over_goes_and_nothing_else(sweeper):
    hold(-9000, -1, 60)

    sweeper.sweep_if_due(over())

    assert kept() == {"60"}


def test_it_is_not_due_again_before_its_time(sweeper):
    sweeper.sweep_if_due(over())
    hold(-1)

    sweeper.sweep_if_due(over())

    assert kept() == {"-1"}


def test_it_is_not_due_as_soon_as_the_process_begins(db):
    hold(-1)

    Sweeper(every=MINUTE).sweep_if_due(over())

    assert kept() == {"-1"}


def test_nobody_waits_for_more_than_some_and_the_next_one_goes_on(sweeper, monkeypatch):
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    hold(-3, -2, -1)

    sweeper.sweep_if_due(over())
    assert len(kept()) == 1

    sweeper.sweep_if_due(over())
    assert not kept()
