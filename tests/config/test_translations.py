"""The Chinese catalogue is complete, and what the server says follows the reader's language."""

from babel.messages.catalog import Catalog
from django.utils import translation

from applications.rules import Way
from config import translations
from identity_sources.wechat.catalogue import EXPLANATIONS


def test_nothing_is_missing_stale_or_untranslated():
    assert translations.problems() == []


def test_a_string_without_a_translation_is_a_problem(monkeypatch):
    catalog = Catalog(locale=translations.LOCALE)
    catalog.add("A new string")
    monkeypatch.setattr(translations, "_collect", lambda: catalog)

    said = [str(problem) for problem in translations.problems()]

    assert "Not in the catalogue: 'A new string'" in said
    assert any(line.startswith("No longer in the sources:") for line in said)


def test_every_explanation_of_an_errcode_is_there_in_chinese():
    with translation.override("zh-hans"):
        for explanation in EXPLANATIONS.values():
            for text in (explanation.meaning, explanation.remedy):
                assert translation.gettext(text) != text


def test_a_label_follows_the_language():
    with translation.override("zh-hans"):
        chinese = str(Way.MINI_PROGRAM.label)
    with translation.override("en"):
        english = str(Way.MINI_PROGRAM.label)

    assert not chinese.isascii()
    assert english == "In the mini program"
