"""The Chinese catalogue is complete, and what the server says follows the reader's language."""

import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from django.template import Context, Engine
from django.utils import translation

from applications.rules import Way
from config.wiring import translatable, translations
from identity_sources.wechat.catalogue import EXPLANATIONS

UNFOLD, DJANGO = translatable.folder_of("unfold"), translatable.folder_of("django")


@pytest.fixture(scope="module")
def collected() -> Catalog:
    return translatable.collect()


@pytest.fixture
def po(tmp_path, monkeypatch, collected) -> Path:
    """The catalogue, to be spoilt."""
    monkeypatch.setattr(translations, "collect", lambda: collected)
    for name in ("PO", "MO"):
        copy = tmp_path / getattr(translations, name).name
        shutil.copy(getattr(translations, name), copy)
        monkeypatch.setattr(translations, name, copy)
    return translations.PO


def spoil(po: Path, old: str, new: str) -> list[str]:
    text = po.read_text()
    assert text.count(old) == 1
    po.write_text(text.replace(old, new))
    return [str(problem) for problem in translations.problems()]


def test_nothing_is_missing_stale_or_untranslated():
    assert translations.problems() == []


def test_a_string_without_a_translation_is_a_problem(monkeypatch):
    catalog = Catalog(locale=translatable.LOCALE)
    catalog.add("A new string")
    monkeypatch.setattr(translations, "collect", lambda: catalog)

    said = [str(problem) for problem in translations.problems()]

    assert "Not in the catalogue: 'A new string'" in said
    assert any(line.startswith("No longer in the sources:") for line in said)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('msgstr "欢迎登录"', 'msgstr ""', "Not translated: 'Welcome back to'"),
        ("用时 %(time)s 秒", "", "other placeholders than in the source"),
        ('可以通过<a href=\\"{}\\"', "可以通过<a", "other placeholders than in the source"),
        ("#: unfold/templates/admin/login.html\n", "", "django.po is not as its sources are"),
    ],
)
def test_a_spoilt_string_of_a_library_is_a_problem(po, old, new, problem):
    assert any(problem in said for said in spoil(po, old, new))


def test_a_plural_without_a_translation_is_a_problem(po):
    text = po.read_text()
    start = text.index("msgstr[0]")
    po.write_text(text[:start] + 'msgstr[0] ""' + text[text.index("\n\n", start) :])

    said = [str(problem) for problem in translations.problems()]

    assert any(line.startswith("Not translated: ('\\n") for line in said)


@pytest.mark.parametrize(
    ("text", "location"),
    [
        # In Python, in a tag, in a variable, in a block, in each of the contributions.
        ("Select action", "unfold/admin.py"),
        ("Recent searches", "unfold/templates/unfold/helpers/command_history.html"),
        ("Welcome back to", "unfold/templates/admin/login.html"),
        (
            "\n                Found %(counter)s result in %(time)s seconds\n            ",
            "unfold/templates/unfold/helpers/command_results.html",
        ),
        ("Date from", "unfold/contrib/filters/forms.py"),
        ("Unordered list", "unfold/contrib/forms/templates/unfold/forms/helpers/toolbar.html"),
        ("Account locked: too many login attempts. Please try again later.", "axes/conf.py"),
    ],
)
def test_strings_of_libraries_are_collected(collected, text, location):
    message = collected.get(text)

    assert message is not None
    assert (location, 0) in message.locations


@pytest.mark.parametrize("text", ["Change password", "%(counter)s result"])
def test_what_django_translates_is_not_asked_for(collected, text):
    assert translatable.strings_of_libraries().get(text) is not None

    assert collected.get(text) is None


@pytest.mark.parametrize(
    ("text", "location", "chinese"),
    [
        ("Log out", "unfold/templates/unfold/helpers/account_links.html", "退出登录"),
        (" By %(filter_title)s ", "unfold/templates/admin/filter.html", " 按%(filter_title)s "),
    ],
)
def test_what_django_translates_misleadingly_is_translated_anew(collected, text, location, chinese):
    message = collected.get(text)

    assert message is not None
    assert (location, 0) in message.locations
    with translation.override("zh-hans"):
        assert translation.gettext(text) == chinese


def test_a_plural_that_django_translates_as_a_singular_is_asked_for():
    django, ours = Catalog(locale="zh_Hans"), Catalog(locale="zh_Hans")
    django.add("entry", "条目")

    assert translatable.translates(django, ours.add("entry"))
    assert not translatable.translates(django, ours.add(("entry", "entries")))
    assert not translatable.translates(django, ours.add("entry", context="a diary"))


def test_locations_are_the_same_on_every_machine(collected):
    homes = (translatable.ROOT, UNFOLD.parent)

    for message in collected:
        for name, _line in message.locations:
            assert name.split("/")[0] in (*translatable.SOURCES, *translatable.LIBRARIES)
            assert any((home / name).is_file() for home in homes)


@pytest.mark.parametrize(
    ("template", "context", "said"),
    [
        ("unfold/helpers/theme_switch.html", {}, ["浅色", "深色", "跟随系统"]),
        ("unfold/helpers/boolean.html", {"value": True}, ['title="是"']),
        (
            "unfold/helpers/command_results.html",
            {"page_obj": {"count": 2}, "execution_time": 0.25},
            ["没有匹配的结果", "找到 2 条结果", "用时 0.25 秒"],
        ),
    ],
)
def test_a_page_of_unfold_is_chinese(template, context, said):
    engine = Engine(
        dirs=[UNFOLD / "templates"],
        libraries={
            "i18n": "django.templatetags.i18n",
            "unfold": "unfold.templatetags.unfold",
        },
    )
    with translation.override("zh-hans"):
        page = engine.get_template(template).render(Context(context))

    for text in said:
        assert text in page


def test_scripts_of_unfold_say_nothing_that_django_does_not_translate():
    catalogue = DJANGO / "contrib" / "admin" / "locale" / "zh_Hans" / "LC_MESSAGES" / "djangojs.mo"
    with catalogue.open("rb") as file:
        django = read_mo(file)
    said = Catalog(locale="zh_Hans")
    keywords = {"gettext": None, "gettext_noop": None, "ngettext": (1, 2)}
    for _file, _line, text, _comments, context in extract_from_dir(
        UNFOLD, [("**.js", "javascript")], keywords=keywords
    ):
        said.add(text, context=context)

    assert said.get("Midnight") is not None
    assert [m.id for m in said if m.id and not translatable.translates(django, m)] == []


def test_the_next_page_is_not_the_next_key():
    with translation.override("zh-hans"):
        assert translation.gettext("Next") == "下一页"
        assert translation.pgettext("signing key", "Next") == "待启用"


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
