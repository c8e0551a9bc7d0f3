"""The checklist: what each type of application lacks, and nothing that it doesn't need."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone, translation

from applications.checklist import checklist
from applications.models import LoginMethod, RedirectURI
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.pages import see
from tests.support.wechat_calls import REFUSED, note

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ON = "The application is switched on."
OFFERED = "A login method is offered (login control)."
SOURCE_ON = "An offered identity source is switched on."
SECRET = "The application has a client secret."
REDIRECT = "A redirect URI is registered."
HTTPS = "Mini programs on phones call https only: set PUBLIC_URL to an https address."
DOMAIN = "In WeChat's console, https://login.example.com stands among the request 合法域名."


def items_of(application):
    return {item.sentence: item.done for item in checklist(application, now=NOW)}


def make(acme, type_, *, offers=True):
    """Make an application of the type with all that it needs."""
    secret = builders.CLIENT_SECRET if type_ in {"web", "machine"} else None
    application = builders.make_application(
        acme.pool, client_id="acme-other", type=type_, client_secret=secret
    )
    if type_ in {"web", "spa", "native"}:
        RedirectURI.objects.create(application=application, uri="https://a.example/")
    if type_ == "native":
        source = builders.make_source(
            acme.pool, identifier="app", type="wechat_mobile_app", app_id="wxsandbox000000006"
        )
        builders.offer(application, source)
    elif type_ != "machine" and offers:
        builders.offer(application, acme.source)
    return application


@pytest.fixture(params=["admin", "viewer"])
def anyone(request):
    """An operator of either role."""
    return request.getfixturevalue(f"{request.param}_client")


def page_of(application):
    return f"/console/{application.pool.identifier}/applications/{application.pk}/change/"


@pytest.mark.parametrize("type_", ["mini_program", "web", "spa", "native", "machine"])
def test_an_application_that_is_switched_off_says_so(acme, type_):
    application = make(acme, type_)
    application.enabled = False

    assert items_of(application)[ON] is False


@pytest.mark.parametrize("type_", ["mini_program", "web", "spa", "native"])
@pytest.mark.parametrize("lack", ["rows", "on", "archived"])
def test_an_application_that_offers_nothing_says_so(acme, type_, lack):
    application = make(acme, type_)
    if lack == "rows":
        application.login_methods.all().delete()
    elif lack == "on":
        LoginMethod.objects.update(enabled=False)
    else:
        IdentitySource.objects.update(archived_at=timezone.now())

    items = items_of(application)

    assert items[OFFERED] is False
    assert SOURCE_ON not in items


def test_a_source_that_is_off_says_so(acme):
    acme.source.enabled = False
    acme.source.save()

    assert items_of(acme.application)[SOURCE_ON] is False


def test_a_sandbox_source_where_there_is_no_sandbox_says_so(acme, settings):
    settings.WECHAT_SANDBOX = False

    assert items_of(acme.application)[SOURCE_ON] is False


def test_one_source_that_is_on_suffices(acme):
    other = builders.make_source(
        acme.pool, identifier="off", app_id="wxsandbox000000005", enabled=False
    )
    builders.offer(acme.application, other)

    assert items_of(acme.application)[SOURCE_ON] is True


def test_an_offered_source_that_fails_is_named_once_and_leads_to_its_page(acme, anyone):
    web = make(acme, "web")
    official = builders.make_source(
        acme.pool, identifier="oa", type="wechat_official_account", app_id="wxsandbox000000005"
    )
    for way in ("official_account_h5", "official_account_follow"):
        builders.offer(web, official, way=way)
    unused = builders.make_source(acme.pool, identifier="unused", app_id="wxsandbox000000006")
    for source in (official, unused):
        note(source, REFUSED)
    refused = "WeChat accepts the settings of “Mini program”."

    items = [item for item in checklist(web, now=NOW) if item.sentence == refused]
    assert [(item.done, item.source) for item in items] == [(False, official)]
    assert refused not in items_of(acme.application)

    page = see(anyone, page_of(web))
    assert f"✕ missing {refused} What to do" in page.text
    assert f"/console/acme/sources/{official.pk}/change/" in page.links


@pytest.mark.parametrize("type_", ["web", "machine"])
@pytest.mark.parametrize("lack", ["rows", "expired"])
def test_a_confidential_application_without_a_secret_says_so(acme, type_, lack):
    application = make(acme, type_)
    if lack == "rows":
        application.client_secrets.all().delete()
    else:
        application.client_secrets.update(expires_at=NOW)

    assert items_of(application)[SECRET] is False


def test_a_mini_program_that_needs_a_secret_says_so(acme):
    acme.application.client_authentication = "client_secret"

    assert items_of(acme.application)[SECRET] is False


@pytest.mark.parametrize("type_", ["web", "spa", "native"])
def test_an_application_without_a_redirect_uri_says_so(acme, type_):
    application = make(acme, type_)
    application.redirect_uris.all().delete()

    assert items_of(application)[REDIRECT] is False


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        ("http://127.0.0.1:8000", {HTTPS: False}),
        ("https://login.example.com", {DOMAIN: None}),
    ],
)
def test_a_real_mini_program_is_reminded_of_its_domain(acme, settings, public_url, expected):
    settings.PUBLIC_URL = public_url
    source = builders.make_source(
        acme.pool, identifier="live", app_id=builders.LIVE_APP_ID, mode="live"
    )
    assert items_of(acme.application).keys() == {ON, OFFERED, SOURCE_ON}

    builders.offer(acme.application, source)

    items = items_of(acme.application)
    assert {name: items[name] for name in items.keys() - {ON, OFFERED, SOURCE_ON}} == expected


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("mini_program", [ON, OFFERED, SOURCE_ON]),
        ("web", [ON, OFFERED, SOURCE_ON, SECRET, REDIRECT]),
        ("spa", [ON, OFFERED, SOURCE_ON, REDIRECT]),
        ("native", [ON, OFFERED, SOURCE_ON, REDIRECT]),
        ("machine", [ON, SECRET]),
    ],
)
def test_an_application_that_lacks_nothing_shows_what_its_type_needs(acme, type_, expected):
    items = checklist(make(acme, type_), now=NOW)

    assert [item.sentence for item in items] == expected
    assert all(item.done is True for item in items)


def test_another_applications_things_dont_count(acme, globex):
    spa = builders.make_application(acme.pool, client_id="acme-bare", type="spa")
    RedirectURI.objects.create(application=globex.application, uri="https://a.example/")

    assert items_of(spa) == {ON: True, OFFERED: False, REDIRECT: False}


def test_the_list_is_in_the_operators_language(acme):
    with translation.override("zh-hans"):
        sentences = items_of(acme.application)

    assert ON not in sentences
    assert len(sentences) == 3


def test_the_page_says_what_is_missing_and_when_nothing_is(acme, admin_client):
    assert "Everything is set up" in see(admin_client, page_of(acme.application)).text

    LoginMethod.objects.update(enabled=False)

    text = see(admin_client, page_of(acme.application)).text
    assert "What is missing" in text
    assert f"✕ missing {OFFERED}" in text
    assert f"✓ done {ON}" in text
