"""How the console shows what several pages show."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from userpools.console.display import ago


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=3, seconds=5), "3\xa0minutes ago"),
        (timedelta(hours=5, minutes=40), "5\xa0hours ago"),
        (timedelta(days=9), "1\xa0week ago"),
    ],
)
def test_a_time_is_said_as_long_ago(passed, said):
    assert f">{said}</time>" in ago(timezone.now() - passed)


def test_the_exact_time_shows_on_hovering():
    moment = timezone.now().replace(microsecond=0)

    shown = ago(moment)

    assert f'datetime="{moment.isoformat()}"' in shown
    assert f"{moment:%H:%M:%S}" in shown.partition('title="')[2]


def test_it_is_said_in_the_readers_language():
    with translation.override("zh-hans"):
        assert "前</time>" in ago(timezone.now() - timedelta(hours=2))
