import json

import pytest

from applications.manifest.problems import ManifestRefused, quotable
from applications.manifest.reading import Unquoted, read_document


def refusal(text):
    with pytest.raises(ManifestRefused) as refused:
        read_document(text)
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\nb: 2", "2:2: this isn't YAML: expected ',' or ']', but got ':'."),
        ("a:\n\tb: 1", r"2:1: this isn't YAML: found character '\t' that cannot start any token."),
        ("a: *hunter2", "1:4: this isn't YAML: found undefined alias …."),
        ("a: @hunter2", "1:4: this isn't YAML: found character … that cannot start any token."),
        ("a: 1\n---\nb: 1", "2:1: this isn't YAML: but found another document."),
        ("a: 1\nb: \x00", "2: holds a character that isn't allowed in YAML."),
        ("", "1: there is nothing in this file."),
        ("# only a comment\n", "1: there is nothing in this file."),
        ("- &a [*a]", "1: the file is nested too deeply, or an alias refers to itself."),
        ("[" * 1000, "1: the file is nested too deeply, or an alias refers to itself."),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_line_and_column(text, problem):
    assert refusal(text) == [problem]


def test_every_key_that_stands_twice_is_named_without_its_value():
    document = read_document("a: hunter2\nb:\n  - c: 1\n    c: 2\na: hunter3\n")

    assert [str(problem) for problem in document.problems] == [
        "4: b[0].c: stands here twice.",
        "5: a: stands here twice.",
    ]


def test_merge_keys_and_keys_that_are_no_words_are_refused():
    document = read_document("x: {<<: {a: 1}}\n? [a]\n: 1\n")

    assert [problem.line for problem in document.problems] == [1, 2]


def test_nothing_is_cast_that_has_no_quotation_marks():
    document = read_document("[0123, 1e3, 2026-01-01, 0x1f, !x y, '12', yes, off, true, False, ~]")

    assert document.value == [Unquoted()] * 5 + ["12", "yes", "off", True, False, None]


def test_yaml_1_1_cannot_be_asked_for_its_booleans():
    assert read_document("%YAML 1.1\n---\na: yes").value == {"a": Unquoted()}


def test_json_is_read_with_tabs_and_with_characters_in_two_halves():
    value = {"a": [{"b": "x\ty", "c": "爱丽🌸"}]}
    text = json.dumps(value, indent="\t", ensure_ascii=True).replace(": ", ":\t")

    document = read_document(text)

    assert document.value == value
    assert document.line(("a", 0, "c")) == 5


def test_an_alias_is_the_same_value_again_and_an_anchor_may_be_used_twice():
    document = read_document("a: &x {b: c}\nd: *x\ne: &x f\ng: *x\n")

    assert document.value == {"a": {"b": "c"}, "d": {"b": "c"}, "e": "f", "g": "f"}


def test_the_line_of_a_missing_key_is_that_of_its_object():
    document = read_document("a:\n  - b: 1\n\n  - c: 1\n    d:\n      e: 1\n")

    assert document.line(("a", 1)) == 4
    assert document.line(("a", 1, "missing")) == 4
    assert document.line(("a", 1, "d", "e", "deeper", 7)) == 6
    assert document.line(("a", 9)) == 1


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        ("app_secret", "app_secret"),
        ("Redirect-URIs", "Redirect-URIs"),
        ("app_secret:hunter2", "app_secret…"),
        ("hunter2", "…"),
        ("hunter hunter", "…"),
        ("", "…"),
        ("\x1b[2J", "…"),
        ("a" * 26, "…"),
    ],
)
def test_a_key_is_printed_only_if_it_looks_like_one(key, printed):
    assert quotable(key) == printed
