"""What is filled in on the phone, and the body of the REST call that becomes of it."""

import pytest

from accounts.experience.forms import ExperienceForm
from identity_sources.wechat.shapes import MOCK_CODE
from tests.support import builders


@pytest.fixture
def fill_in(acme, live_source):
    """Fill in the form of an application with a sandbox and a live source."""

    def make(*, application=acme.application, sources=(acme.source, live_source), **fields):
        return ExperienceForm(fields, sources=sources, application=application)

    return make


@pytest.fixture
def safe(acme):
    return builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "identity_source"),
        ({"person": "alice"}, "identity_source"),
        ({"identity_source": "globex-mini", "person": "alice"}, "identity_source"),
        ({"identity_source": "acme-mini\x00", "person": "alice"}, "identity_source"),
        ({"identity_source": "acme-mini"}, "person"),
        ({"identity_source": "acme-mini", "person": "nobody"}, "person"),
        ({"identity_source": "acme-mini", "person": "alice\x00"}, "person"),
        ({"identity_source": "acme-mini", "code": "a-real-code"}, "person"),
        ({"identity_source": "acme-live"}, "code"),
        ({"identity_source": "acme-live", "code": "   "}, "code"),
        ({"identity_source": "acme-live", "code": "a\x00b"}, "code"),
        ({"identity_source": "acme-live", "code": "a" * 257}, "code"),
        ({"identity_source": "acme-live", "person": "alice"}, "code"),
    ],
)
def test_what_makes_no_call_names_its_field_once(fill_in, fields, field):
    form = fill_in(**fields)

    assert not form.is_valid()
    assert len(form.errors[field]) == 1


def test_a_live_source_gets_the_code_and_nobody_of_the_sandbox(fill_in):
    form = fill_in(
        identity_source="acme-live", code=" a-real-code\n", person="alice", with_phone="on"
    )

    assert form.is_valid()
    assert form.cleaned_data["person"] == ""
    assert form.rest_fields() == {"identity_source": "acme-live", "code": "a-real-code"}


def test_what_only_looks_like_a_code_is_left_to_the_door(fill_in):
    assert fill_in(identity_source="acme-live", code=MOCK_CODE).is_valid()
    assert fill_in(identity_source="acme-live", code="<script>").is_valid()


def test_a_sandbox_source_gets_a_fresh_code_and_never_a_pasted_one(fill_in):
    form = fill_in(identity_source="acme-mini", person="alice", code="a-real-code")

    assert form.is_valid()
    first, second = form.rest_fields(), form.rest_fields()
    assert first.keys() == {"identity_source", "code"}
    assert len({first["code"], second["code"], "a-real-code"}) == 3


@pytest.mark.parametrize(("person", "has_phone"), [("alice", True), ("dave", False)])
def test_a_phone_number_is_given_where_there_is_one(fill_in, person, has_phone):
    form = fill_in(identity_source="acme-mini", person=person, with_phone="on")

    assert form.is_valid()
    assert ("phone_code" in form.rest_fields()) is has_phone


def test_no_phone_number_is_given_unasked(fill_in):
    form = fill_in(identity_source="acme-mini", person="alice")

    assert form.is_valid()
    assert "phone_code" not in form.rest_fields()


def test_a_public_application_sends_no_secret(fill_in):
    form = fill_in(identity_source="acme-mini", person="alice", client_secret="whatever")

    assert form.is_valid()
    assert "client_secret" not in form.rest_fields()


def test_a_confidential_application_sends_its_secret_and_the_form_forgets_it(fill_in, safe):
    form = fill_in(
        application=safe,
        identity_source="acme-mini",
        person="alice",
        client_secret=builders.CLIENT_SECRET,
    )

    assert form.is_valid()
    assert form.rest_fields()["client_secret"] == builders.CLIENT_SECRET
    assert builders.CLIENT_SECRET not in form.as_p()


def test_a_secret_that_is_left_out_is_not_sent_as_an_empty_one(fill_in, safe):
    form = fill_in(application=safe, identity_source="acme-mini", person="alice")

    assert form.is_valid()
    assert "client_secret" not in form.rest_fields()


def test_an_application_that_offers_nothing_takes_nothing(fill_in):
    assert not fill_in(sources=(), identity_source="acme-mini", person="alice").is_valid()
