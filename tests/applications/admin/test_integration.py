"""The integration tab: the snippet holds the application's own values, and nobody else's."""

import pytest
from django.utils import timezone

from applications.admin.integration import integration
from tests import builders
from tests.pages import see


def page_of(application):
    return f"/console/{application.pool.identifier}/applications/{application.pk}/change/"


@pytest.fixture
def second(acme):
    source = builders.make_source(
        acme.pool, identifier="acme-second", app_id="wxsandbox000000005", display_name="Second"
    )
    return builders.offer(acme.application, source, position=1)


def test_an_application_of_another_pool_has_no_tab(acme, globex, admin_client):
    address = page_of(globex.application).replace("/globex/", "/acme/")

    assert admin_client.get(address).status_code == 404
    assert admin_client.post(address, {"dataset": "x"}, follow=True).status_code == 404


def test_the_tab_takes_no_posts_of_its_own(acme, admin_client):
    """Unfold's tabs are lists, whose actions are posted to the same page."""
    for extra in ({}, {"_selected_action": "1", "action": "delete_selected"}):
        for dataset in ("IntegrationTab", "", "None", "x"):
            response = admin_client.post(page_of(acme.application), {"dataset": dataset, **extra})
            assert response.status_code == 302

    assert type(acme.application).objects.get() == acme.application


def test_a_new_application_has_no_tab_yet(acme, admin_client):
    page = see(admin_client, "/console/acme/applications/add/")

    assert "Integration" not in page.text


@pytest.mark.parametrize("type_", ["web", "spa", "native", "machine"])
def test_only_a_mini_program_gets_the_snippet_of_one(acme, admin_client, type_):
    secret = builders.CLIENT_SECRET if type_ in {"web", "machine"} else None
    application = builders.make_application(
        acme.pool, client_id="acme-other", type=type_, client_secret=secret
    )

    text = see(admin_client, page_of(application)).text

    assert "wx.login" not in text
    assert "client_id acme-other Issuer http://127.0.0.1:8000/oidc/acme" in text


def test_names_are_shown_as_text(acme, globex, admin_client):
    type(acme.application).objects.update(name="</script><script>alert('1')</script>\"&")

    html = admin_client.get(page_of(acme.application)).content.decode()

    assert "<script>alert(" not in html
    assert "globex" not in html.lower()


def test_the_snippet_holds_the_applications_own_values(acme, admin_client, settings):
    settings.PUBLIC_URL = "https://login.example.com"

    text = see(admin_client, page_of(acme.application)).text

    assert 'url: "https://login.example.com/api/v1/login/wechat-mini-program"' in text
    assert 'data: { client_id: "acme-shop", code }' in text
    assert "https://login.example.com/oidc/acme/.well-known/openid-configuration" in text


def test_the_source_is_named_only_where_several_are_offered(acme, second, admin_client):
    named = 'data: { client_id: "acme-shop", identity_source: "acme-mini", code }'
    assert named in see(admin_client, page_of(acme.application)).text

    second.enabled = False
    second.save()

    assert integration(acme.application)["identity_source"] is None


def test_the_named_source_is_the_first_in_the_operators_order(acme, second):
    acme.method.position = 2
    acme.method.save()

    assert integration(acme.application)["identity_source"] == "acme-second"


def test_an_archived_source_is_not_named(acme, second):
    acme.source.archived_at = timezone.now()
    acme.source.save()

    assert integration(acme.application)["identity_source"] is None


def test_what_the_snippet_sends_is_what_the_door_takes(acme, second, log_in):
    """Where several are offered, a login that names none is told to."""
    named = integration(acme.application)["identity_source"]

    assert log_in().status_code == 400
    assert log_in(identity_source=named).status_code == 200


def test_a_viewer_may_copy_the_snippet(acme, viewer_client):
    assert 'client_id: "acme-shop"' in see(viewer_client, page_of(acme.application)).text
