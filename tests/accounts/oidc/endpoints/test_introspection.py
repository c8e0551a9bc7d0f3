"""What a token is worth now: who may ask, and which answers there are (RFC 7662)."""

from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import RefreshToken, Session, User
from applications.models import Application, LoginMethod
from tests.support import builders
from tests.support.oidc import assert_refused, claims_of, encoded, exchange, post, refresh
from tests.support.website import authorization_code, make_site

SECRET = builders.CLIENT_SECRET

Answer = dict[str, str]


def introspect(
    token: str | None, client_id: str = "acme-web", *, secret: str | None = SECRET, **changes
) -> HttpResponse:
    usual = {name: changes.pop(name) for name in ("pool",) if name in changes}
    fields = {"client_id": client_id, "token": token} | changes
    return post("introspect", fields, secret=secret, **usual)


def assert_inactive(token: str, **changes) -> None:
    response = introspect(token, **changes)
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {"active": False}


@pytest.fixture
def answer(site) -> Answer:
    """The tokens of Alice's login to the public application."""
    tokens: Answer = exchange(authorization_code()).json()
    return tokens


# --- Who may not ask --------------------------------------------------------------------------


@pytest.mark.parametrize("client_id", ["acme-spa", "acme-native", "acme-shop", "nobody"])
def test_who_proves_nothing_may_not_ask(answer, client_id):
    for secret in (None, SECRET):
        response = introspect(answer["access_token"], client_id, secret=secret)

        assert_refused(response, "invalid_client", 401)


@pytest.mark.parametrize("secret", [None, "", "wrong" * 8])
def test_who_proves_it_wrongly_may_not_ask(answer, secret):
    response = introspect(answer["access_token"], secret=None, client_secret=secret)

    assert_refused(response, "invalid_client", 401)


def test_who_is_switched_off_may_not_ask(site, answer):
    Application.objects.filter(pk=site.web.pk).update(enabled=False)

    assert_refused(introspect(answer["access_token"]), "application_disabled", 403)


def test_an_application_of_another_pool_may_not_ask(answer, globex):
    make_site(globex.pool, "wxsandbox000000006")

    response = introspect(answer["access_token"], "globex-web")

    assert_refused(response, "invalid_client", 401)


@pytest.mark.parametrize("client_id", ["acme-web", "acme-machine"])
def test_who_proves_itself_may_ask_about_others_tokens(answer, client_id):
    assert introspect(answer["access_token"], client_id).json()["active"] is True


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_somebody_elses_application_is_told_nothing_of_others_tokens(site, answer, kind):
    Application.objects.filter(pk=site.web.pk).update(requires_consent=True)

    assert_inactive(answer[kind])


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_somebody_elses_application_may_ask_about_its_own_tokens(site, kind):
    own = exchange(authorization_code("acme-web"), "acme-web", secret=SECRET).json()
    Application.objects.filter(pk=site.web.pk).update(requires_consent=True)

    assert introspect(own[kind]).json()["active"] is True


def test_a_token_that_is_missing_is_asked_for(site):
    response = introspect(None)

    assert_refused(response, "invalid_request")
    assert response.json()["error_description"] == "token: is required."


# --- Inactive ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        "x",
        "..",
        "a.b.c",
        "e30.e30.e30",
        "x" * 4096,
        "令牌",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        encoded(b'{"alg":' + b"[" * 1500) + ".e30.e30",
        encoded({"alg": "ES256", "kid": "x"}) + "." + encoded(b"[" * 1500) + ".e30",
        encoded({"alg": "none"}) + "." + encoded({"sub": "x"}) + ".",
    ],
)
def test_garbage_is_inactive_and_never_repeated(answer, garbage):
    assert_inactive(garbage)
    assert_inactive(garbage, token_type_hint="refresh_token")


def test_an_id_token_is_inactive(answer):
    assert_inactive(answer["id_token"])


def test_a_token_with_another_signature_is_inactive(answer):
    header, payload, _ = answer["access_token"].split(".")

    assert_inactive(f"{header}.{payload}.{answer['id_token'].split('.')[2]}")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_token_is_unknown_in_another_pool(answer, globex, kind):
    make_site(globex.pool, "wxsandbox000000006")

    assert_inactive(answer[kind], client_id="globex-web", pool="globex")


@pytest.mark.parametrize(
    ("kind", "later"),
    [("access_token", timedelta(hours=1)), ("refresh_token", timedelta(days=30))],
)
def test_an_expired_token_is_inactive(answer, kind, later):
    with time_machine.travel(timezone.now() + later, tick=False):
        assert_inactive(answer[kind])


def test_a_spent_refresh_token_is_inactive(answer):
    refresh(answer["refresh_token"], client_id="acme-spa")

    assert_inactive(answer["refresh_token"])
    assert introspect(answer["access_token"]).json()["active"] is True


def test_a_revoked_refresh_token_is_inactive(answer):
    RefreshToken.objects.update(revoked_at=timezone.now())

    assert_inactive(answer["refresh_token"])


ENDINGS = {
    "user suspended": lambda: User.objects.update(status="suspended"),
    "user closed": lambda: User.objects.update(status="closed"),
    "application disabled": lambda: Application.objects.filter(client_id="acme-spa").update(
        enabled=False
    ),
    "session ended": lambda: Session.objects.update(ended_at=timezone.now()),
}


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_token_with_nothing_behind_it_is_inactive(answer, end, kind):
    end()

    assert_inactive(answer[kind])


def test_a_refresh_token_that_would_be_refused_is_inactive(answer):
    LoginMethod.objects.filter(application__client_id="acme-spa").update(enabled=False)

    assert_inactive(answer["refresh_token"])


# --- Active -----------------------------------------------------------------------------------

HINTS = [None, "access_token", "refresh_token", "id_token", "nonsense"]


@pytest.mark.parametrize("hint", HINTS)
def test_an_access_token_tells_its_claims(answer, hint):
    response = introspect(answer["access_token"], token_type_hint=hint)

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    claims = claims_of(answer["access_token"])
    assert response.json() == {"active": True, "token_type": "Bearer", **claims}
    assert claims["client_id"] == "acme-spa"


@pytest.mark.parametrize("hint", HINTS)
def test_a_refresh_token_tells_whose_it_is(answer, hint):
    response = introspect(answer["refresh_token"], token_type_hint=hint)

    row = RefreshToken.objects.select_related("session__user").get()
    assert response.json() == {
        "active": True,
        "iss": "http://127.0.0.1:8000/oidc/acme",
        "sub": row.session.user.sub,
        "client_id": "acme-spa",
        "scope": "openid profile offline_access",
        "iat": int(row.created_at.timestamp()),
        "exp": int(row.expires_at.timestamp()),
    }


def test_asking_spends_nothing(answer):
    introspect(answer["refresh_token"])

    assert refresh(answer["refresh_token"], client_id="acme-spa").status_code == 200
