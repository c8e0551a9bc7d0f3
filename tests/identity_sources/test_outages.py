"""Why WeChat gave no usable answer, in an operator's words."""

from typing import get_args

import pytest
from django.utils import translation

from identity_sources.outages import outage_in_words
from identity_sources.wechat.errors import Reason


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_has_words_in_both_languages(reason: str, language: str) -> None:
    with translation.override("en"):
        english = outage_in_words(reason)
    with translation.override(language):
        words = outage_in_words(reason)

    assert "_" not in words
    assert (words == english) == (language == "en")


def test_a_reason_that_is_not_known_is_shown_as_it_is() -> None:
    assert outage_in_words("of_a_newer_version") == "of_a_newer_version"
