"""Which programs in browsers may read what: each address, asked from each origin."""

import pytest
from django.db import OperationalError
from django.db.models import QuerySet

from applications.models import PostLogoutRedirectURI, RedirectURI
from tests.support import builders

SHOP = "https://shop.example.com"
OPEN_TO_A_POOLS_OWN = [
    "/oidc/acme/token",
    "/oidc/acme/userinfo",
    "/oidc/acme/revoke",
    "/oidc/acme/par",
]
OPEN_TO_ANY_POOLS = [
    "/api/v1/me",
    "/api/v1/me/linked-accounts",
    "/api/v1/me/linked-accounts/0197a3e0-0000-7000-8000-000000000000",
    "/api/v1/me/phone",
]
OPEN = OPEN_TO_A_POOLS_OWN + OPEN_TO_ANY_POOLS
FOR_EVERYBODY = ["/oidc/acme/.well-known/openid-configuration", "/oidc/acme/jwks.json"]
CLOSED = [
    "/",
    "/console/",
    "/console/acme/",
    "/login/acme/",
    "/experience/acme-shop",
    "/api/v1/login/wechat-mini-program",
    "/api/v1/login/bind",
    "/api/v1/logout",
    "/api/v1/management/pools",
    "/api/v1/meadow",
    "/api/v1/me%0A",
    "/api/v2/me",
    "/api/schema",
    "/oidc/acme/authorize",
    "/oidc/acme/logout",
    "/oidc/acme/introspect",
    "/oidc/acme/device_authorization",
    "/oidc/acme/token/more",
    "/oidc/acme/x/token",
    "/oidc/token",
    "/more/oidc/acme/token",
    "/healthz",
    "/static/console.css",
]
ALIEN = [
    "https://evil.example.com",
    "https://shop.example.com.evil.example.com",
    "https://shop.example.co",
    "https://shop.example.com:8443",
    "http://shop.example.com",
    "https://sub.shop.example.com",
    "https://shop.example.com/callback",
    "https://SHOP.example.com",
    "https://after.example.com",
    "com.example.app",
    "null",
    "*",
    "",
    "https://[",
    "https://shop.example.com\x00",
]
WHERE = "Access-Control-Allow-Origin"


@pytest.fixture(autouse=True)
def shop(acme):
    """A program of Acme's, whose origin is registered; logging out leads elsewhere."""
    application = builders.make_application(acme.pool, client_id="acme-spa", type="spa")
    RedirectURI.objects.create(application=application, uri=f"{SHOP}/callback")
    RedirectURI.objects.create(application=application, uri="com.example.app:/callback")
    PostLogoutRedirectURI.objects.create(application=application, uri="https://after.example.com/")
    return application


def cors_headers(response):
    """Return the headers that say who may read an answer, their names in lower case."""
    named = {name.lower(): value for name, value in response.items()}
    return {name: named[name] for name in named if name.startswith("access-control-")}


def preflight(client, path, origin, method="POST"):
    return client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", OPEN)
def test_a_registered_origin_may_read_answers_and_refusals(client, path, method):
    response = getattr(client, method)(path, headers={"Origin": SHOP})

    assert response.status_code >= 400
    assert cors_headers(response) == {
        "access-control-allow-origin": SHOP,
        "access-control-expose-headers": "Retry-After, WWW-Authenticate",
    }
    assert "origin" in response["Vary"].lower()


@pytest.mark.parametrize("origin", ALIEN)
@pytest.mark.parametrize("path", OPEN)
def test_no_other_origin_may(client, path, origin):
    response = client.get(path, headers={"Origin": origin})

    assert cors_headers(response) == {}
    assert "origin" in response["Vary"].lower()
    assert cors_headers(preflight(client, path, origin)) == {}


@pytest.mark.parametrize("path", CLOSED)
def test_everything_else_is_nobodys(client, path):
    assert cors_headers(client.get(path, headers={"Origin": SHOP})) == {}
    assert cors_headers(preflight(client, path, SHOP)) == {}


@pytest.mark.parametrize("path", OPEN_TO_A_POOLS_OWN)
def test_a_program_of_another_pool_may_not(client, globex, path):
    theirs = builders.make_application(globex.pool, client_id="globex-spa", type="spa")
    RedirectURI.objects.create(application=theirs, uri="https://globex.example.com/callback")

    response = client.get(path, headers={"Origin": "https://globex.example.com"})

    assert cors_headers(response) == {}


@pytest.mark.parametrize("path", OPEN_TO_ANY_POOLS)
def test_ones_own_account_is_open_to_the_programs_of_every_pool(client, globex, path):
    theirs = builders.make_application(globex.pool, client_id="globex-spa", type="spa")
    RedirectURI.objects.create(application=theirs, uri="https://globex.example.com/callback")

    for origin in (SHOP, "https://globex.example.com"):
        response = client.get(path, headers={"Origin": origin})
        assert response[WHERE] == origin


@pytest.mark.parametrize("path", OPEN)
def test_a_switched_off_application_may_not(client, shop, path):
    shop.enabled = False
    shop.save()

    assert cors_headers(client.get(path, headers={"Origin": SHOP})) == {}


@pytest.mark.parametrize("path", OPEN)
def test_a_preflight_says_what_may_be_sent_for_ten_minutes(client, path):
    response = preflight(client, path, SHOP)

    assert response.status_code == 200
    assert response.content == b""
    assert cors_headers(response) == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-headers": "authorization, content-type",
        "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
        "access-control-max-age": "600",
        "access-control-expose-headers": "Retry-After, WWW-Authenticate",
    }
    assert "origin" in response["Vary"].lower()


@pytest.mark.parametrize("origin", [SHOP, "https://evil.example.com", "null", None])
@pytest.mark.parametrize("path", FOR_EVERYBODY)
def test_what_is_public_is_open_to_everybody(client, path, origin):
    response = client.get(path, headers={"Origin": origin} if origin else {})

    assert response.status_code == 200
    assert cors_headers(response) == {"access-control-allow-origin": "*"}
    assert "origin" not in response.get("Vary", "").lower()


def test_a_refusal_for_its_size_may_be_read_as_well(client):
    response = client.post(
        "/oidc/acme/token",
        "x" * 70_000,
        content_type="application/x-www-form-urlencoded",
        headers={"Origin": SHOP},
    )

    assert response.status_code == 413
    assert response[WHERE] == SHOP


def test_another_host_is_refused_before_anybody_is_looked_up(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.post(
            "/oidc/acme/token", headers={"Origin": SHOP, "Host": "evil.example.com"}
        )

    assert response.status_code == 400
    assert cors_headers(response) == {}


def test_whoever_is_no_browser_costs_nothing(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/api/v1/me").status_code == 401


def test_an_answer_survives_a_database_that_went_away(client, monkeypatch):
    def away(self):
        raise OperationalError

    monkeypatch.setattr(QuerySet, "exists", away)

    response = client.get("/api/v1/me", headers={"Origin": SHOP})

    assert response.status_code == 401
    assert cors_headers(response) == {}


@pytest.mark.parametrize("path", OPEN + FOR_EVERYBODY)
def test_no_cookie_is_ever_taken_along_or_given(client, path):
    client.cookies["unionpass_operator"] = "somebody's"

    for response in (
        client.get(path, headers={"Origin": SHOP}),
        client.post(path, headers={"Origin": SHOP}),
        preflight(client, path, SHOP),
    ):
        assert "Access-Control-Allow-Credentials" not in response
        assert not response.cookies
