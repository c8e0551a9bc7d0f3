"""Which application may use which source, by which way in: the table, cell by cell."""

import pytest
from django.core.exceptions import ValidationError

from applications.models import LoginMethod
from applications.rules import ApplicationType, Way, ways_in
from identity_sources.models import IdentitySource
from tests.support import builders

# Source ↓, application →; an empty cell is a dash there.
TABLE = {
    "wechat_mini_program": {
        "mini_program": ["mini_program"],
        "web": ["mini_program_scan"],
        "spa": ["mini_program_scan"],
        "native": [],
        "machine": [],
    },
    "wechat_website": {
        "mini_program": [],
        "web": ["website_qr"],
        "spa": ["website_qr"],
        "native": ["website_qr"],
        "machine": [],
    },
    "wechat_official_account": {
        "mini_program": [],
        "web": ["official_account_h5", "official_account_follow"],
        "spa": ["official_account_h5", "official_account_follow"],
        "native": [],
        "machine": [],
    },
    "wechat_mobile_app": {
        "mini_program": [],
        "web": [],
        "spa": [],
        "native": ["mobile_app"],
        "machine": [],
    },
}
CELLS = [
    (source, application, ways)
    for source, row in TABLE.items()
    for application, ways in row.items()
]
REFUSED = [
    (source, application, way)
    for source, application, ways in CELLS
    for way in Way.values
    if way not in ways
]


def method(source_type: str, application_type: str, way: str) -> LoginMethod:
    pool = builders.make_pool("table")
    source = builders.make_source(pool, type=source_type)
    application = builders.make_application(pool, type=application_type)
    return LoginMethod(pool=pool, application=application, identity_source=source, way=way)


@pytest.mark.parametrize(("source", "application", "way"), REFUSED)
def test_a_way_outside_the_table_is_refused_by_every_form(db, source, application, way):
    with pytest.raises(ValidationError) as refusal:
        method(source, application, way).full_clean()

    assert refusal.value.message_dict == {
        "__all__": ["An application of this type can't use this identity source this way."]
    }


@pytest.mark.parametrize(("source", "application", "ways"), CELLS)
def test_a_cell_holds_what_the_design_says(source, application, ways):
    assert list(ways_in(source, application)) == ways


@pytest.mark.parametrize(("source", "application", "ways"), [cell for cell in CELLS if cell[2]])
def test_a_way_of_the_table_is_taken_by_every_form(db, source, application, ways):
    method(source, application, ways[-1]).full_clean()


def test_the_table_has_every_type_there_is():
    assert list(TABLE) == IdentitySource.Type.values
    assert all(list(row) == ApplicationType.values for row in TABLE.values())


def test_every_way_leads_somewhere():
    assert {way for _, _, ways in CELLS for way in ways} == set(Way.values)


@pytest.mark.parametrize(
    ("source", "application"), [("", ""), ("wechat_website", "saml"), ("github", "web")]
)
def test_an_unknown_type_has_no_way_in(source, application):
    assert ways_in(source, application) == ()
