"""The integration tab: the snippet holds the application's own values, and nobody else's."""

import ast
import html

import pytest
from django.utils import timezone

from applications.admin.integration import integration
from tests.support import builders
from tests.support.pages import see


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


REDIRECTED = [
    "authorization_endpoint http://127.0.0.1:8000/oidc/acme/authorize",
    "userinfo_endpoint http://127.0.0.1:8000/oidc/acme/userinfo",
    "end_session_endpoint http://127.0.0.1:8000/oidc/acme/logout",
]
TOKENS = [
    "token_endpoint http://127.0.0.1:8000/oidc/acme/token",
    "jwks_uri http://127.0.0.1:8000/oidc/acme/jwks.json",
]
DEVICE = "device_authorization_endpoint http://127.0.0.1:8000/oidc/acme/device_authorization"


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("mini_program", []),
        ("web", REDIRECTED + TOKENS),
        ("spa", REDIRECTED + TOKENS),
        ("native", REDIRECTED + TOKENS),
        ("machine", TOKENS),
    ],
)
def test_the_addresses_are_those_that_this_type_calls(acme, admin_client, type_, expected):
    application = make(acme, type_)

    text = see(admin_client, page_of(application)).text

    assert [line for line in REDIRECTED + TOKENS if line in text] == expected
    assert DEVICE not in text


def test_the_address_for_devices_stands_where_they_are_allowed(acme, admin_client):
    application = make(acme, "native", allows_device_flow=True)

    assert DEVICE in see(admin_client, page_of(application)).text


def snippet_of(client, application):
    """Return what the button copies."""
    page = client.get(page_of(application)).content.decode()
    return html.unescape(page.partition('id="snippet">')[2].partition("</pre>")[0])


def make(acme, type_, **fields):
    if type_ in {"web", "machine"} and "client_authentication" not in fields:
        fields["client_secret"] = builders.CLIENT_SECRET
    return builders.make_application(acme.pool, client_id="acme-other", type=type_, **fields)


@pytest.mark.parametrize("authentication", ["client_secret", "private_key_jwt"])
def test_a_web_application_gets_a_program_in_python(acme, admin_client, authentication):
    web = make(acme, "web", client_authentication=authentication)
    web.redirect_uris.create(uri="https://shop.example.com/back?a=b&c='d'")

    snippet = snippet_of(admin_client, web)

    texts = {node.value for node in ast.walk(ast.parse(snippet)) if isinstance(node, ast.Constant)}
    assert {
        "http://127.0.0.1:8000/oidc/acme/.well-known/openid-configuration",
        "acme-other",
        "https://shop.example.com/back?a=b&c='d'",
        "S256",
    } <= texts
    assert ("private_key_jwt" in texts) == (authentication == "private_key_jwt")
    assert ("CLIENT_SECRET" in texts) == (authentication == "client_secret")


@pytest.mark.parametrize("type_", ["spa", "native"])
def test_a_public_application_gets_a_program_in_javascript(acme, admin_client, type_):
    application = make(acme, type_)
    if type_ == "native":
        application.redirect_uris.create(uri="com.example.app:/back")
    application.redirect_uris.create(uri="http://127.0.0.1:9005/back", position=1)

    snippet = snippet_of(admin_client, application)

    assert 'const redirect_uri = "http://127.0.0.1:9005/back";' in snippet
    assert 'new URL("http://127.0.0.1:8000/oidc/acme"),' in snippet
    assert '"acme-other",' in snippet
    assert "client.None()," in snippet
    assert "client.allowInsecureRequests" in snippet


def test_https_needs_no_exception(acme, admin_client, settings):
    settings.PUBLIC_URL = "https://login.example.com"
    application = make(acme, "spa")

    snippet = snippet_of(admin_client, application)

    assert 'new URL("https://login.example.com/oidc/acme"),' in snippet
    assert "allowInsecureRequests" not in snippet


def test_a_native_application_that_became_confidential_sends_its_secret(acme, admin_client):
    snippet = snippet_of(admin_client, make(acme, "native", client_secret=builders.CLIENT_SECRET))

    assert "client.ClientSecretBasic(process.env.CLIENT_SECRET)," in snippet
    assert builders.CLIENT_SECRET not in snippet


@pytest.mark.parametrize(
    ("type_", "example"),
    [
        ("web", "https://shop.example.com/callback"),
        ("spa", "https://shop.example.com/callback"),
        ("native", "http://127.0.0.1:9002/callback"),
    ],
)
def test_an_example_stands_where_no_redirect_uri_is_registered(acme, admin_client, type_, example):
    assert f'"{example}"' in snippet_of(admin_client, make(acme, type_))


@pytest.mark.parametrize(
    ("authentication", "proof"),
    [
        ("client_secret", '-u "acme-other:$CLIENT_SECRET"'),
        ("private_key_jwt", '-d client_assertion="$CLIENT_ASSERTION"'),
    ],
)
def test_a_machine_gets_a_line_for_the_shell(acme, admin_client, authentication, proof):
    machine = make(acme, "machine", client_authentication=authentication)

    snippet = snippet_of(admin_client, machine)

    assert "curl http://127.0.0.1:8000/oidc/acme/token" in snippet
    assert "-d grant_type=client_credentials" in snippet
    assert proof in snippet


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
