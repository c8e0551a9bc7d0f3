"""Fields that take a value as it is, or refuse it by name."""

import re

import pytest
from rest_framework.exceptions import ValidationError

from config.kernel.fields import StrictSerializer, StrictTextField, first_error


class Parcel(StrictSerializer):
    label = StrictTextField(max_length=8)
    note = StrictTextField(
        max_length=4, allow_empty=True, required=False, pattern=re.compile("[a-z]*"),
        pattern_hint="must be lower-case letters.",
    )  # fmt: skip


def refusal_of(data: object) -> tuple[str, str]:
    serializer = Parcel(data=data)
    assert not serializer.is_valid()
    return first_error(serializer.errors)


@pytest.mark.parametrize("value", [12345, 1.5, True, [], {}, ["label"]])
def test_a_value_of_another_type_is_not_cast(value):
    assert refusal_of({"label": value}) == ("label", "must be a string.")


def test_null_is_refused():
    assert refusal_of({"label": None}) == ("label", "must not be null.")


def test_a_missing_field_is_named():
    assert refusal_of({}) == ("label", "is required.")


def test_an_empty_value_is_refused():
    assert refusal_of({"label": ""}) == ("label", "must not be empty.")


def test_a_value_that_is_too_long_is_refused():
    assert refusal_of({"label": "x" * 9}) == ("label", "must be at most 8 characters long.")


@pytest.mark.parametrize("value", ["a\x00b", "\x00", "\ud800", "a\udfffb"])
def test_what_no_database_can_store_is_refused(value):
    assert refusal_of({"label": value}) == (
        "label",
        "holds a NUL character or half of a surrogate pair.",
    )


@pytest.mark.parametrize("value", ["A", "a b", "ab\n"])
def test_a_value_that_misses_its_pattern_is_told_the_pattern_in_words(value):
    assert refusal_of({"label": "x", "note": value}) == ("note", "must be lower-case letters.")


@pytest.mark.parametrize(
    ("name", "quoted"),
    [("lable", "lable"), ("<b>\x00", "?b??"), ("标签", "??"), ("n" * 99, "n" * 64), ("", "")],
)
def test_an_unknown_field_is_refused_and_quoted_safely(name, quoted):
    assert refusal_of({"label": "x", name: "y"}) == (quoted, "is not known here.")


@pytest.mark.parametrize("data", [[], "text", 1])
def test_what_is_no_object_is_refused(data):
    assert not Parcel(data=data).is_valid()


@pytest.mark.parametrize("value", [" x ", "\tx", "盒子🎁", "x\n"])
def test_a_value_is_taken_as_it_is(value):
    serializer = Parcel(data={"label": value, "note": ""})

    assert serializer.is_valid()
    assert serializer.validated_data == {"label": value, "note": ""}


def test_the_first_error_has_its_path():
    errors = {"fine": [], "boxes": [{}, {"label": ["is wrong."]}], "other": ["too"]}

    assert first_error(errors) == ("boxes[1].label", "is wrong.")


def test_an_error_without_a_field_has_no_path():
    assert first_error(ValidationError("is wrong.").detail) == ("", "is wrong.")
