"""Entering and changing identity sources: what is refused and where it is said, what is kept."""

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from identity_sources.models import IdentitySource
from identity_sources.sandbox.world import has_open_account, sandbox_app_secret
from tests.support import builders
from tests.support.pages import Page, fill_in, see, send
from userpools.models import UserPool

ADD = "/console/acme/sources/add/?type="
TYPES = [
    "wechat_mini_program",
    "wechat_website",
    "wechat_official_account",
    "wechat_mobile_app",
]
APP_SECRET = builders.LIVE_APP_SECRET
NEW_APP_SECRET = "fedcba9876543210fedcba9876543210"
SANDBOX = {"mode": "sandbox", "app_id": "", "app_secret": ""}
NO_APP_ID = "An AppID is “wx” and 16 characters of 0-9 and a-f. Copy it again."
NO_APP_SECRET = "An AppSecret is 32 characters of 0-9 and a-f. Copy it again."
COPY_IT = "Copy this from WeChat's console."
APP_ID_TAKEN = "The pool has an identity source with this AppID."
# What an operator types who means another mode, half a value, or WeChat's original ID.
MALFORMED_APP_IDS = [
    "wx0123456789abcde",
    "wx0123456789abcdef0",
    "WX0123456789ABCDEF",
    "wx0123456789abcdeg",
    "gh_0123456789ab",
    "wx 0123456789abcdef",
    "wxsandbox000000009",
    APP_SECRET,
]
MALFORMED_APP_SECRETS = [
    "0",
    APP_SECRET[:-1],
    APP_SECRET + "0",
    APP_SECRET.upper(),
    APP_SECRET[:-1] + "g",
    APP_SECRET * 2,
    APP_SECRET * 2 + "0",
    APP_SECRET * 40,
]


def enter(client, type_="wechat_mini_program", **changes):
    """Send the form of a new live source, with what is typed otherwise."""
    typed = {
        "mode": "live",
        "app_id": builders.LIVE_APP_ID,
        "app_secret": APP_SECRET,
        "display_name": "Fresh",
        "identifier": "fresh",
        "registration": "open",
        "association": "none",
        "enabled": "on",
    }
    return send(client, ADD + type_, typed | changes)


def change(client, source, **changes):
    """Change some fields on the page of a source."""
    return fill_in(client, page_of(source), **changes)


def page_of(source):
    return f"/console/{source.pool.identifier}/sources/{source.pk}/change/"


def errors_of(response):
    """Return what the form says, field by field; each is on the page as well."""
    errors = response.context["adminform"].form.errors
    text = Page(response).text
    assert errors
    assert all(sentence in text for sentences in errors.values() for sentence in sentences)
    return {name: list(sentences) for name, sentences in errors.items()}


def fresh():
    return IdentitySource.objects.get(identifier="fresh")


@pytest.fixture
def live(acme):
    return builders.make_source(
        acme.pool, identifier="acme-live", app_id=builders.LIVE_APP_ID, mode="live"
    )


@pytest.mark.parametrize("app_id", MALFORMED_APP_IDS)
def test_a_malformed_app_id_is_said_beside_the_field(acme, admin_client, app_id):
    response = enter(admin_client, app_id=app_id)

    assert errors_of(response) == {"app_id": [NO_APP_ID]}
    assert IdentitySource.objects.count() == 1


@pytest.mark.parametrize("app_secret", MALFORMED_APP_SECRETS)
def test_a_malformed_app_secret_is_said_without_quoting_or_measuring_it(
    acme, admin_client, app_secret
):
    response = enter(admin_client, app_secret=app_secret)

    assert errors_of(response) == {"app_secret": [NO_APP_SECRET]}
    assert Page(response).form.fields["app_secret"] == ""
    assert len(app_secret) == 1 or app_secret not in response.content.decode()
    assert IdentitySource.objects.count() == 1


def test_a_nul_character_in_a_field_is_a_mistake_like_others(acme, admin_client):
    response = enter(admin_client, app_secret=APP_SECRET + "\0", app_id="wx\0", identifier="a\0")

    assert {"app_secret", "app_id", "identifier"} <= errors_of(response).keys()


@pytest.mark.parametrize(
    ("mode", "app_id", "errors"),
    [
        ("live", "", {"app_id": [COPY_IT], "app_secret": [COPY_IT]}),
        (None, "", {"app_id": [COPY_IT], "app_secret": [COPY_IT]}),
        # Made-up credentials are for made-up AppIDs only.
        (
            "sandbox",
            builders.LIVE_APP_ID,
            {
                "app_id": ["A sandbox AppID is “wxsandbox” and 9 characters of 0-9 and a-f."],
                "app_secret": [COPY_IT],
            },
        ),
    ],
)
def test_nothing_is_made_up_for_a_real_app(acme, admin_client, mode, app_id, errors):
    response = enter(admin_client, mode=mode, app_id=app_id, app_secret="")

    assert errors_of(response) == errors
    assert IdentitySource.objects.count() == 1


def test_a_mode_that_does_not_exist_is_refused(acme, admin_client):
    response = enter(admin_client, mode="demo")

    assert list(errors_of(response)) == ["mode"]


@pytest.mark.parametrize("type_", TYPES)
def test_without_the_sandbox_a_source_is_live_whatever_is_sent(acme, admin_client, settings, type_):
    settings.WECHAT_SANDBOX = False

    page = see(admin_client, ADD + type_)
    made_up = enter(admin_client, type_, **SANDBOX)
    sandbox_id = enter(admin_client, type_, mode="sandbox", app_id="wxsandbox000000009")
    real = enter(admin_client, type_, mode="sandbox")

    assert "mode" not in page.names
    assert errors_of(made_up) == {"app_id": [COPY_IT], "app_secret": [COPY_IT]}
    assert errors_of(sandbox_id) == {"app_id": [NO_APP_ID]}
    assert real.status_code == 302
    assert fresh().mode == "live"


def test_an_identifier_of_the_pool_is_taken_even_by_an_archived_source(acme, admin_client):
    IdentitySource.objects.update(archived_at=timezone.now())

    response = enter(admin_client, identifier="acme-mini")

    taken = "The pool has an identity source of this identifier."
    assert errors_of(response) == {"identifier": [taken]}


@pytest.mark.parametrize("identifier", ["", "Acme", "acme_2", "a" * 33, "acme mini", "-acme"])
def test_a_malformed_identifier_is_said_beside_the_field(acme, admin_client, identifier):
    assert list(errors_of(enter(admin_client, identifier=identifier))) == ["identifier"]


@pytest.mark.parametrize("type_", TYPES[:2])
def test_an_app_id_is_taken_whatever_the_type(acme, live, admin_client, type_):
    response = enter(admin_client, type_)

    assert errors_of(response) == {"app_id": [APP_ID_TAKEN]}
    assert Page(response).form.fields["app_secret"] == ""


def test_the_same_names_are_free_in_another_pool(globex, live, stranger_client):
    response = send(
        stranger_client,
        "/console/globex/sources/add/?type=wechat_mini_program",
        {
            "mode": "live",
            "app_id": live.app_id,
            "app_secret": APP_SECRET,
            "display_name": "Fresh",
            "identifier": live.identifier,
            "registration": "open",
            "association": "none",
        },
    )

    assert response.status_code == 302
    made = IdentitySource.objects.get(pool=globex.pool, identifier=live.identifier)
    assert (made.app_id, made.enabled) == (live.app_id, False)


def test_the_app_id_of_an_archived_source_may_be_entered_again(live, admin_client):
    IdentitySource.objects.filter(pk=live.pk).update(archived_at=timezone.now())

    assert enter(admin_client).status_code == 302

    assert fresh().app_id == live.app_id


def test_a_pool_that_is_sent_along_changes_nothing(acme, globex, admin_client):
    enter(admin_client, pool=str(globex.pool.pk), pool_id=str(globex.pool.pk))

    assert fresh().pool == acme.pool


@pytest.mark.parametrize("type_", TYPES)
def test_a_live_source_of_each_type_is_made(acme, admin_client, type_):
    page = see(admin_client, ADD + type_)
    response = send(
        admin_client,
        ADD + type_,
        page.form.fields
        | {
            "app_id": f" {builders.LIVE_APP_ID}\n",
            "app_secret": f"\t{APP_SECRET}\u3000",
            "display_name": "Fresh",
            "type": "wechat_website",
        },
    )

    assert response.status_code == 302
    made = IdentitySource.objects.exclude(pk=acme.source.pk).get()
    assert (made.type, made.mode, made.app_id) == (type_, "live", builders.LIVE_APP_ID)
    assert made.identifier == type_.removeprefix("wechat_").replace("_", "-")
    assert (made.app_secret(), made.pool) == (APP_SECRET, acme.pool)
    assert (made.registration, made.enabled, made.archived_at) == ("open", True, None)


@pytest.mark.parametrize("type_", TYPES)
def test_a_sandbox_source_of_each_type_is_made_of_nothing(acme, admin_client, type_):
    assert enter(admin_client, type_, **SANDBOX).status_code == 302

    made = fresh()
    assert (made.type, made.mode) == (type_, "sandbox")
    assert made.app_secret() == sandbox_app_secret(made.app_id)
    # With an Open Platform account, as most have: without one there are no UnionIDs.
    assert has_open_account(made.app_id)


def test_made_up_credentials_work(acme, admin_client, log_in):
    enter(admin_client, **SANDBOX)
    application = builders.make_application(acme.pool, client_id="acme-fresh")
    builders.offer(application, fresh())

    response = log_in(client_id="acme-fresh", code=builders.wx_login("alice", fresh().app_id))

    assert response.status_code == 200


def test_a_second_source_of_a_type_gets_a_free_identifier(acme, admin_client):
    enter(admin_client, identifier="mini-program", **SANDBOX)
    enter(admin_client, identifier="mini-program-2", **SANDBOX)
    IdentitySource.objects.filter(identifier="mini-program-2").update(archived_at=timezone.now())

    page = see(admin_client, ADD + "wechat_mini_program")

    assert page.form.fields["identifier"] == "mini-program-3"


def test_values_in_the_address_fill_in_nothing(acme, admin_client):
    page = see(
        admin_client, f"{ADD}wechat_website&app_secret={APP_SECRET}&app_id=wx0&display_name=x"
    )

    assert (page.form.fields["app_secret"], page.form.fields["app_id"]) == ("", "")


@pytest.mark.parametrize("app_secret", MALFORMED_APP_SECRETS)
def test_a_malformed_new_app_secret_replaces_nothing(live, admin_client, app_secret):
    typed = {
        "display_name": "New",
        "registration": "closed",
        "association": "none",
        "app_secret": app_secret,
    }

    response = send(admin_client, page_of(live), typed)

    assert errors_of(response) == {"app_secret": [NO_APP_SECRET]}
    assert Page(response).form.fields["app_secret"] == ""
    after = IdentitySource.objects.get(pk=live.pk)
    assert (after.app_secret(), after.app_secret_set_at) == (APP_SECRET, live.app_secret_set_at)
    assert after.display_name == live.display_name


def test_what_names_the_app_cant_be_changed_by_a_post_made_by_hand(globex, live, admin_client):
    before = IdentitySource.objects.filter(pk=live.pk).values().get()

    response = change(
        admin_client,
        live,
        type="wechat_website",
        mode="sandbox",
        app_id=builders.MINI_APP_ID,
        identifier="other",
        pool=str(globex.pool.pk),
        archived_at="2026-01-01",
        applied='{"enabled": "x"}',
        app_secret_set_at="2020-01-01",
        app_secret_ciphertext="x",
    )

    assert response.status_code == 302
    assert IdentitySource.objects.filter(pk=live.pk).values().get() == before


def test_a_source_of_another_pool_cant_be_changed(acme, globex, admin_client, stranger_client):
    typed = {
        "display_name": "Hers",
        "registration": "closed",
        "association": "none",
        "app_secret": NEW_APP_SECRET,
    }
    through_her_pool = page_of(acme.source).replace("/acme/", "/globex/")

    assert send(stranger_client, page_of(acme.source), typed).status_code == 404
    assert send(stranger_client, through_her_pool, typed).status_code == 404
    assert send(admin_client, page_of(globex.source), typed).status_code == 404

    assert set(IdentitySource.objects.values_list("display_name", flat=True)) == {"Mini program"}


def test_an_empty_app_secret_stays_as_it_is(live, admin_client):
    response = change(admin_client, live, display_name="New name", registration="closed")

    assert response.status_code == 302
    after = IdentitySource.objects.get(pk=live.pk)
    assert (after.display_name, after.registration) == ("New name", "closed")
    assert (after.app_secret(), after.app_secret_set_at) == (APP_SECRET, live.app_secret_set_at)
    assert bytes(after.app_secret_ciphertext) == bytes(live.app_secret_ciphertext)


def test_a_new_app_secret_replaces_the_old_one(live, admin_client):
    change(admin_client, live, app_secret=f" {NEW_APP_SECRET} ")

    after = IdentitySource.objects.get(pk=live.pk)
    assert after.app_secret() == NEW_APP_SECRET
    assert after.app_secret_set_at > live.app_secret_set_at
    assert NEW_APP_SECRET.encode() not in bytes(after.app_secret_ciphertext)
    assert NEW_APP_SECRET.encode().hex() not in bytes(after.app_secret_ciphertext).hex()


def test_switching_a_source_off_is_leaving_the_box_out(acme, admin_client, log_in):
    change(admin_client, acme.source, enabled=None)

    assert log_in().json()["error"] == "identity_source_disabled"


def test_the_history_says_that_the_app_secret_changed_and_not_to_what(live, admin_client):
    change(admin_client, live, app_secret=NEW_APP_SECRET)

    entry = LogEntry.objects.latest("pk")
    assert entry.get_change_message() == "Changed New AppSecret."
    assert "New AppSecret" in see(admin_client, page_of(live).replace("/change/", "/history/")).text


def test_two_who_enter_the_same_at_once_get_a_sentence(acme, admin_client, monkeypatch):
    """The form of the second saw nothing wrong: only the database did."""
    enter(admin_client)
    monkeypatch.setattr(
        "identity_sources.admin.forms.NewSourceForm._untaken",
        lambda self, name, _sources: self.cleaned_data[name],
    )

    response = enter(admin_client, identifier="second")

    assert response.status_code == 302
    text = see(admin_client, response["Location"]).text
    assert "Somebody else has just saved the same. Look and try again." in text
    assert IdentitySource.objects.filter(app_id=builders.LIVE_APP_ID).count() == 1


@pytest.mark.parametrize(
    ("type_", "where"),
    [
        ("wechat_mini_program", "管理 > 开发管理 > 开发设置"),
        ("wechat_website", "管理中心 > 网站应用 > 查看"),
        ("wechat_official_account", "设置与开发 > 开发接口管理"),
        ("wechat_mobile_app", "管理中心 > 移动应用 > 查看"),
    ],
)
def test_the_form_says_where_wechat_shows_the_values(acme, admin_client, type_, where):
    assert where in see(admin_client, ADD + type_).text


def test_a_pool_without_sources_takes_its_first(db, superuser_client):
    UserPool.objects.all().delete()
    builders.make_pool("acme")

    assert enter(superuser_client).status_code == 302


@pytest.mark.parametrize(
    ("type_", "offered"),
    [
        ("wechat_mini_program", ["none", "field", "ask"]),
        ("wechat_website", ["none", "ask"]),
        ("wechat_official_account", ["none", "ask"]),
        ("wechat_mobile_app", ["none", "ask"]),
    ],
)
def test_only_a_mini_program_is_offered_to_match_by_phone_number(
    acme, admin_client, type_, offered
):
    form = admin_client.get(ADD + type_).context["adminform"].form

    assert [word for word, _label in form.fields["association"].choices] == offered
    if "field" not in offered:
        response = enter(admin_client, type_, association="field")
        assert set(errors_of(response)) == {"association"}


def test_the_association_of_a_source_can_be_changed(acme, admin_client):
    assert change(admin_client, acme.source, association="ask").status_code == 302

    acme.source.refresh_from_db()
    assert acme.source.association == "ask"
