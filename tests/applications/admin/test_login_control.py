"""The login control: which switches there are, what they do, and what hand-made posts can't do."""

from uuid import uuid4

import pytest
from django.utils import timezone

from applications.admin.login_control import candidates
from applications.manifest.exporting import export_manifest
from applications.models import LoginMethod
from applications.rules import ApplicationType, Way
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.pages import Page, fill_in, see, send
from tests.support.wechat_calls import REFUSED, SUCCESS, note

CONFIDENTIAL = {"web", "machine"}
DOES_NOT_FIT = "An application of this type can't use this identity source this way."
PREFIX = "login_methods"


def page_of(application):
    return f"/console/{application.pool.identifier}/applications/{application.pk}/change/"


def make(pool, type_, client_id="acme-other"):
    secret = builders.CLIENT_SECRET if type_ in CONFIDENTIAL else None
    return builders.make_application(pool, client_id=client_id, type=type_, client_secret=secret)


def switches(application):
    """Return what the login control offers: (source, way), in order, rows first."""
    rows = application.login_methods.order_by("position").select_related("identity_source")
    offered = [(row.identity_source.identifier, row.way) for row in rows]
    sources = dict(application.pool.identity_sources.values_list("pk", "identifier"))
    return offered + [
        (sources[one["identity_source"]], one["way"]) for one in candidates(application)
    ]


def rows():
    return list(LoginMethod.objects.order_by("pk").values())


def switched(client, application, **changes):
    """Save the page with some fields of its switches changed: ``_1_enabled`` is the second's."""
    fields = {
        PREFIX + (name.replace("_", "-", 2) if name.startswith("_") else name): value
        for name, value in changes.items()
    }
    return fill_in(client, page_of(application), **fields)


@pytest.fixture
def second(acme):
    """Acme's second mini program: a candidate, as it was never switched."""
    return builders.make_source(
        acme.pool,
        identifier="acme-second",
        app_id="wxsandbox000000005",
        display_name="Second",
    )


@pytest.fixture
def everything(acme, globex):
    """Acme has a source of each type, and an archived mini program."""
    for number, type_ in enumerate(["website", "official_account", "mobile_app"], start=3):
        builders.make_source(
            acme.pool,
            identifier=f"acme-{type_.replace('_', '-')}",
            type=f"wechat_{type_}",
            app_id=f"wxsandbox00000000{number}",
            display_name=f"{number}",
        )
    builders.make_source(
        acme.pool,
        identifier="acme-gone",
        app_id="wxsandbox000000009",
        archived_at=timezone.now(),
    )
    return acme


# Which switches there are


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("mini_program", [("acme-mini", "mini_program")]),
        (
            "web",
            [
                ("acme-website", "website_qr"),
                ("acme-official-account", "official_account_h5"),
                ("acme-official-account", "official_account_follow"),
                ("acme-mini", "mini_program_scan"),
            ],
        ),
        (
            "spa",
            [
                ("acme-website", "website_qr"),
                ("acme-official-account", "official_account_h5"),
                ("acme-official-account", "official_account_follow"),
                ("acme-mini", "mini_program_scan"),
            ],
        ),
        ("native", [("acme-website", "website_qr"), ("acme-mobile-app", "mobile_app")]),
        ("machine", []),
    ],
)
def test_each_type_is_offered_what_fits_of_its_own_pool(everything, type_, expected):
    assert switches(make(everything.pool, type_)) == expected


def test_the_page_shows_the_switches_and_names_each_source(everything, admin_client):
    web = make(everything.pool, "web")

    page = see(admin_client, page_of(web))

    assert page.form.fields[f"{PREFIX}-TOTAL_FORMS"] == "4"
    assert not [name for name in page.form.fields if name.endswith("-enabled") and PREFIX in name]
    assert "3 · wxsandbox000000003 WeChat QR code" in page.text
    assert "4 · wxsandbox000000004 Inside WeChat" in page.text
    assert "wxsandbox000000009" not in page.text
    assert builders.SECOND_MINI_APP_ID not in page.text


def test_a_pool_without_a_fitting_source_leads_to_a_new_one(acme, admin_client):
    page = see(admin_client, page_of(make(acme.pool, "native")))

    assert "No identity source of this pool fits this type of application." in page.text
    assert "/console/acme/sources/add/" in page.links


def test_a_viewer_sees_what_is_offered_and_switches_nothing(acme, second, viewer_client):
    before = rows()

    page = see(viewer_client, page_of(acme.application))
    fields = {
        f"{PREFIX}-TOTAL_FORMS": "1",
        f"{PREFIX}-INITIAL_FORMS": "1",
        f"{PREFIX}-0-id": str(acme.method.pk),
        f"{PREFIX}-0-position": "0",
    }
    response = send(viewer_client, page_of(acme.application), fields)

    assert "In the mini program" in page.text
    assert f"{PREFIX}-0-enabled" not in page.names
    assert response.status_code == 403
    assert rows() == before


def test_the_rows_and_the_switches_say_which_source_fails(acme, second, admin_client):
    note(acme.source, REFUSED)
    text = see(admin_client, page_of(acme.application)).text
    assert f"{builders.MINI_APP_ID} ✕ Failing" in text
    assert text.count("✕ Failing") == 1

    note(acme.source, SUCCESS)
    note(second, REFUSED)
    text = see(admin_client, page_of(acme.application)).text
    assert "Second · wxsandbox000000005 ✕ Failing" in text
    assert text.count("✕ Failing") == 1


def test_a_viewer_sees_which_source_fails_and_is_led_to_it(acme, second, viewer_client):
    other = builders.offer(acme.application, second, position=1, enabled=False)
    note(second, REFUSED)

    page = see(viewer_client, page_of(acme.application))

    assert "Second · wxsandbox000000005 ✕ Failing" in page.text
    assert page.text.count("✕ Failing") == 1
    assert f"/console/acme/sources/{other.identity_source_id}/change/" in page.links


def test_a_failing_source_is_switched_as_any_other(acme, second, admin_client):
    note(second, REFUSED)

    assert switched(admin_client, acme.application, _1_enabled="on").status_code == 302

    assert LoginMethod.objects.get(identity_source=second).enabled


def test_the_names_of_sources_are_shown_as_text(acme, second, admin_client, viewer_client):
    note(second, REFUSED)
    builders.offer(acme.application, second, position=1)
    type(second).objects.update(display_name="<script>alert(1)</script>")

    for client in (admin_client, viewer_client):
        assert "<script>alert(" not in client.get(page_of(acme.application)).content.decode()


# Posts made by hand


def test_a_source_of_another_pool_is_refused(acme, second, globex, admin_client):
    before = rows()

    for source in (globex.source.pk, uuid4(), "x", "", "None"):
        response = switched(
            admin_client, acme.application, _1_enabled="on", _1_identity_source=str(source)
        )
        assert response.status_code == 200, source
        assert "Please correct the error" in Page(response).text

    assert rows() == before


@pytest.mark.parametrize(
    "type_", ["wechat_website", "wechat_official_account", "wechat_mobile_app"]
)
def test_a_source_of_a_type_that_does_not_fit_is_refused(acme, second, admin_client, type_):
    wrong = builders.make_source(
        acme.pool, identifier="wrong", type=type_, app_id="wxsandbox000000006"
    )

    for way in ("mini_program", "website_qr", "mobile_app"):
        response = switched(
            admin_client,
            acme.application,
            _1_enabled="on",
            _1_identity_source=str(wrong.pk),
            _1_way=way,
        )
        assert response.status_code == 200

    assert LoginMethod.objects.filter(identity_source=wrong).count() == 0


@pytest.mark.parametrize("way", [way.value for way in Way if way != Way.MINI_PROGRAM])
def test_a_way_that_does_not_fit_is_refused(acme, second, admin_client, way):
    response = switched(admin_client, acme.application, _1_enabled="on", _1_way=way)

    assert DOES_NOT_FIT in Page(response).text
    assert LoginMethod.objects.filter(application=acme.application).count() == 1


@pytest.mark.parametrize("way", ["", "password", "None", "mini_program\0"])
def test_a_way_that_does_not_exist_is_refused(acme, second, admin_client, way):
    response = switched(admin_client, acme.application, _1_enabled="on", _1_way=way)

    assert response.status_code == 200
    assert LoginMethod.objects.filter(application=acme.application).count() == 1


def test_the_source_and_the_way_of_a_row_never_change(acme, second, globex, admin_client):
    before = rows()

    for source in (second, globex.source):
        response = switched(
            admin_client,
            acme.application,
            _0_identity_source=str(source.pk),
            _0_way="website_qr",
            _0_pool=str(globex.pool.pk),
        )
        assert response.status_code == 302

    assert rows() == before


def test_a_row_of_another_application_or_pool_is_left_alone(acme, globex, admin_client):
    other = builders.offer(make(acme.pool, "mini_program"), acme.source)
    before = rows()

    for method in (other, globex.method):
        switched(
            admin_client,
            acme.application,
            _0_id=str(method.pk),
            _0_application=str(method.application_id),
            _0_enabled=None,
            _0_position="7",
        )

    assert rows() == before


@pytest.mark.parametrize("key", ["", "x", None])
def test_a_row_that_is_not_named_is_left_alone(acme, admin_client, key):
    before = rows()

    response = switched(admin_client, acme.application, _0_id=key, _0_enabled=None)

    assert response.status_code < 500
    assert rows() == before


def test_the_same_switch_twice_is_refused(acme, second, admin_client):
    before = rows()

    response = switched(
        admin_client, acme.application, _1_enabled="on", _1_identity_source=str(acme.source.pk)
    )

    assert "duplicate" in Page(response).text
    assert rows() == before


@pytest.mark.parametrize("position", ["", "-1", "first", "1.5", "9" * 30])
def test_a_position_that_is_none_is_refused(acme, second, admin_client, position):
    response = switched(admin_client, acme.application, _1_enabled="on", _1_position=position)

    assert response.status_code == 200
    assert LoginMethod.objects.filter(application=acme.application).count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"TOTAL_FORMS": None},
        {"TOTAL_FORMS": None, "INITIAL_FORMS": None},
        {"TOTAL_FORMS": "x"},
        {"TOTAL_FORMS": "-1"},
        {"TOTAL_FORMS": "3"},
        {"TOTAL_FORMS": "100000"},
        {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"},
        {"INITIAL_FORMS": "0"},
        {"INITIAL_FORMS": "2"},
        {"MAX_NUM_FORMS": "100000"},
    ],
)
def test_a_count_that_is_not_the_pages_writes_nothing_of_the_switches(
    acme, second, globex, admin_client, changes
):
    before = rows()
    fields = {f"{PREFIX}-{name}": value for name, value in changes.items()}

    response = fill_in(admin_client, page_of(acme.application), **fields)

    assert response.status_code in {200, 302}
    assert rows() == before


def test_more_switches_than_were_offered_reach_no_other_pool(acme, second, globex, admin_client):
    response = switched(
        admin_client,
        acme.application,
        **{"-TOTAL_FORMS": "3"},
        _2_enabled="on",
        _2_identity_source=str(globex.source.pk),
        _2_way="mini_program",
        _2_position="0",
    )

    assert response.status_code == 200
    assert (
        not LoginMethod.objects.filter(application=acme.application)
        .exclude(pk=acme.method.pk)
        .exists()
    )


@pytest.mark.parametrize("type_", ["machine"])
def test_an_application_without_the_tab_takes_no_switches(acme, admin_client, type_):
    machine = make(acme.pool, type_)

    fill_in(
        admin_client,
        page_of(machine),
        **{
            f"{PREFIX}-TOTAL_FORMS": "1",
            f"{PREFIX}-INITIAL_FORMS": "0",
            f"{PREFIX}-0-enabled": "on",
            f"{PREFIX}-0-identity_source": str(acme.source.pk),
            f"{PREFIX}-0-way": "mini_program",
            f"{PREFIX}-0-position": "0",
        },
    )

    assert not machine.login_methods.exists()


# What the switches do


@pytest.mark.parametrize("type_", [type_.value for type_ in ApplicationType])
def test_saving_an_untouched_page_writes_no_rows(everything, admin_client, type_):
    application = make(everything.pool, type_)
    before = rows()

    fields = see(admin_client, page_of(application)).form.fields
    response = send(admin_client, page_of(application), fields)

    assert response.status_code == 302
    assert rows() == before


def test_sources_that_came_and_went_since_the_page_was_opened_write_no_rows(
    acme, second, admin_client
):
    before = rows()
    fields = see(admin_client, page_of(acme.application)).form.fields
    builders.make_source(
        acme.pool, identifier="newer", app_id="wxsandbox000000006", display_name="A first one"
    )
    second.archived_at = timezone.now()
    second.save()

    response = send(admin_client, page_of(acme.application), fields)

    assert response.status_code == 302
    assert rows() == before


def test_moving_what_is_off_writes_no_rows(acme, second, admin_client):
    before = rows()

    switched(admin_client, acme.application, _1_position="5")

    assert rows() == before


def test_a_candidate_that_is_switched_on_lets_people_in(acme, second, admin_client, log_in):
    code = builders.wx_login("alice", second.app_id)
    assert log_in(code=code, identity_source="acme-second").status_code == 403

    assert switched(admin_client, acme.application, _1_enabled="on").status_code == 302

    made = LoginMethod.objects.get(identity_source=second)
    assert (made.pool, made.application, made.way) == (acme.pool, acme.application, "mini_program")
    assert (made.enabled, made.position) == (True, 1)
    code = builders.wx_login("alice", second.app_id)
    assert log_in(code=code, identity_source="acme-second").status_code == 200


def test_a_method_that_is_switched_off_refuses_and_keeps_its_row(acme, admin_client, log_in):
    switched(admin_client, acme.application, _0_enabled=None)

    assert log_in().json()["error"] == "login_method_disabled"
    assert LoginMethod.objects.get(pk=acme.method.pk).enabled is False
    switched(admin_client, acme.application, _0_enabled="on")
    assert log_in().status_code == 200


def test_the_switches_stand_in_the_operators_order(acme, second, admin_client):
    switched(admin_client, acme.application, _1_enabled="on", _1_position="0", _0_position="1")

    page = see(admin_client, page_of(acme.application))

    assert page.form.fields[f"{PREFIX}-0-identity_source"] == str(second.pk)
    assert page.form.fields[f"{PREFIX}-1-identity_source"] == str(acme.source.pk)


def test_the_ways_of_one_source_are_switched_apart(everything, admin_client):
    web = make(everything.pool, "web")

    switched(admin_client, web, _2_enabled="on")

    assert web.login_methods.get().way == "official_account_follow"


def test_a_method_whose_source_was_archived_comes_back_with_it(acme, admin_client):
    acme.source.archived_at = timezone.now()
    acme.source.save()
    assert see(admin_client, page_of(acme.application)).form.fields[f"{PREFIX}-TOTAL_FORMS"] == "0"

    acme.source.archived_at = None
    acme.source.save()

    assert f"{PREFIX}-0-enabled" in see(admin_client, page_of(acme.application)).form.fields


# Beside the manifest


@pytest.fixture
def applied(db, operator, superuser_client):
    """The pool of the manifest tests, as `apply` wrote it, and its web application."""
    operator.apply()
    return make_web()


def make_web():
    return LoginMethod.objects.filter(application__client_id="acme-web").first().application


def test_a_page_that_was_only_saved_is_no_change_to_the_manifest(
    applied, operator, superuser_client
):
    fields = see(superuser_client, page_of(applied)).form.fields
    assert send(superuser_client, page_of(applied), fields).status_code == 302

    assert operator.apply() == "No changes.\n"


def test_a_method_switched_off_here_is_reported_by_apply(applied, operator, superuser_client):
    switched(superuser_client, applied, _0_enabled=None)

    (problem,) = operator.is_refused()
    assert "login_methods: was changed in the console since the last apply" in problem
    assert '(it is ["acme-mini:mini_program_scan"] now)' in problem


def test_what_was_switched_here_and_exported_is_no_change(applied, operator, superuser_client):
    switched(superuser_client, applied, _0_enabled=None)

    exported = export_manifest("acme")
    for name in ("ACME_ACME_MINI", "ACME_ACME_SITE", "ACME_ACME_WEB"):
        short = name.removeprefix("ACME_ACME_")
        exported = exported.replace(f"{name}_SECRET", f"{short}_SECRET")

    assert operator.apply(exported) == "No changes.\n"


@pytest.mark.parametrize("who", ["admin_client", "viewer_client"])
def test_what_becomes_of_somebody_new_stands_beside_the_source(acme, request, who):
    IdentitySource.objects.filter(pk=acme.source.pk).update(
        association="ask", registration="closed"
    )
    client = request.getfixturevalue(who)

    text = client.get(page_of(acme.application)).content.decode()

    assert "Association: Ask" in text
    assert "Login only" in text
