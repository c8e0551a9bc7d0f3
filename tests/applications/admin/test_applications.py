"""The pages of applications: making each type, and what can and can't be changed later."""

import json
import re

import pytest
from django.db import IntegrityError
from django.utils import timezone
from joserfc.jwk import ECKey

from applications.models import Application
from tests.support import builders
from tests.support.oidc import header_of, refresh
from tests.support.pages import Page, fill_in, see, send

LIST = "/console/acme/applications/"
ADD = f"{LIST}add/"
KEY = ECKey.generate_key("P-256")
JWKS = {"keys": [KEY.as_dict(private=False)]}
PUBLIC = ["mini_program", "spa", "native"]
CONFIDENTIAL = ["web", "machine"]
LIFETIMES = [
    "access_token_lifetime",
    "refresh_token_idle_lifetime",
    "refresh_token_absolute_lifetime",
]


def enter(client, **changes):
    return send(client, ADD, {"type": "spa", "name": "Fresh", "client_id": "fresh"} | changes)


def page_of(application, page="change"):
    return f"/console/{application.pool.identifier}/applications/{application.pk}/{page}/"


def errors_of(response):
    """Return what the form says, field by field; each is on the page as well."""
    errors = response.context["adminform"].form.errors
    text = Page(response).text
    assert errors
    assert all(sentence in text for sentences in errors.values() for sentence in sentences)
    return {name: list(sentences) for name, sentences in errors.items()}


def stored(application):
    return Application.objects.filter(pk=application.pk).values().get()


@pytest.fixture
def web(acme):
    return builders.make_application(
        acme.pool, client_id="acme-web", type="web", client_secret=builders.CLIENT_SECRET
    )


# New ones


@pytest.mark.parametrize(
    "client_id",
    ["", "acme shop", "-acme", "acme/shop", "x" * 65, "bf804b54-ed87-483d-adbe-273d0a26d448",
     "bf804b54ed87483dadbe273d0a26d448", "商店", "a\0"],
)  # fmt: skip
def test_a_malformed_client_id_is_said_beside_the_field(acme, admin_client, client_id):
    assert list(errors_of(enter(admin_client, client_id=client_id))) == ["client_id"]

    assert Application.objects.get() == acme.application


@pytest.mark.parametrize("client_id", ["acme-shop", "globex-shop"])
def test_a_client_id_is_taken_whichever_pool_has_it(acme, globex, admin_client, client_id):
    response = enter(admin_client, client_id=client_id)

    assert list(errors_of(response)) == ["client_id"]
    assert "Globex" not in Page(response).text


@pytest.mark.parametrize("type_", ["", "saml", "MACHINE", None])
def test_a_type_that_does_not_exist_is_refused(acme, admin_client, type_):
    assert list(errors_of(enter(admin_client, type=type_))) == ["type"]


def test_a_name_is_required(acme, admin_client):
    assert list(errors_of(enter(admin_client, name=" "))) == ["name"]


def test_a_viewer_makes_no_applications(acme, viewer_client):
    assert viewer_client.get(ADD).status_code == 403
    assert enter(viewer_client).status_code == 403
    assert enter(viewer_client, type="web").status_code == 403

    assert Application.objects.get() == acme.application


def test_a_new_application_is_the_pools_whatever_is_sent_along(acme, globex, admin_client):
    enter(
        admin_client,
        pool=str(globex.pool.pk),
        enabled="",
        client_authentication="client_secret",
        signing_algorithm="none",
    )

    made = Application.objects.get(client_id="fresh")
    assert (made.pool, made.enabled) == (acme.pool, True)
    assert (made.client_authentication, made.signing_algorithm) == ("none", "ES256")


@pytest.mark.parametrize("type_", PUBLIC)
def test_a_public_application_is_made_and_its_login_control_comes_next(acme, admin_client, type_):
    response = enter(admin_client, type=type_)

    made = Application.objects.get(client_id="fresh")
    assert response["Location"] == f"{page_of(made)}#login_methods"
    assert (made.type, made.client_authentication) == (type_, "none")
    assert not made.client_secrets.exists()


@pytest.mark.parametrize("type_", CONFIDENTIAL)
def test_a_confidential_application_is_made_with_a_secret(acme, admin_client, type_):
    page = see(admin_client, ADD)
    fields = page.form.fields | {"type": type_, "name": "Fresh", "client_id": "fresh"}

    assert "client_secret" not in page.names
    assert "Copy the secret now" in Page(send(admin_client, ADD, fields)).text

    made = Application.objects.get(client_id="fresh")
    assert (made.type, made.client_authentication) == (type_, "client_secret")
    assert made.client_secrets.count() == 1


def test_two_who_make_the_same_at_once_get_a_sentence(acme, admin_client, monkeypatch):
    """The form of the second saw nothing wrong: only the database did."""
    monkeypatch.setattr(Application, "validate_unique", lambda *_args, **_kwargs: None)

    response = enter(admin_client, client_id="acme-shop", type="web")

    assert response.status_code == 302
    text = see(admin_client, response["Location"]).text
    assert "Somebody else has just saved the same. Look and try again." in text


def test_a_fault_of_ours_is_not_told_as_somebody_elses(acme, admin_client, monkeypatch):
    def save(*_args, **_kwargs):
        builders.make_user(acme.pool, nickname=None)

    monkeypatch.setattr(Application, "save", save)

    with pytest.raises(IntegrityError):
        enter(admin_client, client_id="fresh", type="web")


# Changes


def test_an_application_of_another_pool_is_not_there(acme, globex, admin_client, stranger_client):
    for client, address in [
        (stranger_client, page_of(acme.application)),
        (stranger_client, page_of(acme.application).replace("/acme/", "/globex/")),
        (admin_client, page_of(globex.application).replace("/globex/", "/acme/")),
    ]:
        assert client.get(address).status_code == 404
        assert client.post(address, {"name": "Mine"}).status_code == 404

    assert "globex-shop" not in see(admin_client, LIST).text
    assert set(Application.objects.values_list("name", flat=True)) == {"Shop"}


def test_a_viewer_sees_an_application_without_buttons_and_changes_nothing(web, viewer_client):
    before = stored(web)

    page = see(viewer_client, page_of(web))
    response = send(viewer_client, page_of(web), {"name": "His", "type": "spa"})

    assert "acme-web" in page.text
    for hidden in ("Save", "New client secret", "Experience login", "Delete"):
        assert hidden not in page.text
    assert response.status_code == 403
    assert stored(web) == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_application_is_deleted(acme, admin_client, superuser_client, method):
    for client in (admin_client, superuser_client):
        response = getattr(client, method)(page_of(acme.application, "delete"), {"post": "yes"})
        assert response.status_code == 403

    assert Application.objects.exists()
    assert "Delete" not in see(admin_client, page_of(acme.application)).text


def test_what_names_an_application_cant_be_changed_by_a_post_made_by_hand(
    acme, globex, admin_client
):
    before = stored(acme.application)

    response = fill_in(
        admin_client,
        page_of(acme.application),
        client_id="other",
        type="web",
        pool=str(globex.pool.pk),
        applied="{}",
        created_at="2020-01-01",
    )

    assert response.status_code == 302
    assert stored(acme.application) == before


def test_a_web_application_keeps_its_client_authentication(web, admin_client):
    response = fill_in(admin_client, page_of(web), client_authentication="none")

    assert list(errors_of(response)) == ["client_authentication"]
    assert stored(web)["client_authentication"] == "client_secret"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_authentication", "private_key_jwt"),
        ("signing_algorithm", "none"),
        ("signing_algorithm", "HS256"),
        ("name", ""),
        ("name", "x" * 101),
    ],
)
def test_a_value_that_does_not_exist_is_said_beside_the_field(acme, admin_client, field, value):
    response = fill_in(admin_client, page_of(acme.application), **{field: value})

    assert list(errors_of(response)) == [field]


@pytest.mark.parametrize("field", LIFETIMES)
def test_a_lifetime_that_makes_no_sense_is_said_beside_the_field(acme, admin_client, field):
    fields = see(admin_client, page_of(acme.application)).form.fields
    # Without a unit it is seconds; the last ones can't be added to any date.
    for value in (
        *("", "soon", "0", "30", "-1 00:00:00", "-3600", "0:00:59", "1h", "1e9"),
        *("3651 00:00:00", "9999999 00:00:00", "999999999 00:00:00", "9" * 30),
    ):
        response = send(admin_client, page_of(acme.application), fields | {field: value})
        assert list(errors_of(response)) == [field], value

    assert stored(acme.application)[field] == getattr(acme.application, field)


def test_lifetimes_are_those_that_were_typed(acme, admin_client, log_in):
    fill_in(
        admin_client,
        page_of(acme.application),
        access_token_lifetime="0:05:00",
        refresh_token_idle_lifetime="1 00:00:00",
        refresh_token_absolute_lifetime="3650 00:00:00",
    )

    assert log_in().json()["expires_in"] == 300


@pytest.mark.rsa
def test_rs256_really_signs_with_rs256(acme, admin_client, log_in):
    assert header_of(log_in().json()["access_token"])["alg"] == "ES256"

    fill_in(admin_client, page_of(acme.application), signing_algorithm="RS256")

    tokens = log_in().json()
    assert header_of(tokens["access_token"])["alg"] == "RS256"
    assert header_of(tokens["id_token"])["alg"] == "RS256"
    renewed = refresh(tokens["refresh_token"]).json()
    assert header_of(renewed["access_token"])["alg"] == "RS256"


def test_switching_an_application_off_ends_its_logins(acme, admin_client, log_in):
    fill_in(admin_client, page_of(acme.application), enabled=None)

    assert log_in().json()["error"] == "application_disabled"
    assert "Off" in see(admin_client, LIST).text


def test_a_public_application_may_be_given_a_secret(acme, admin_client, log_in):
    address = page_of(acme.application)

    fill_in(admin_client, address, client_authentication="client_secret")

    assert log_in().status_code == 401
    page = see(admin_client, address)
    assert "✕ missing The application has a client secret." in page.text
    assert page.form_to("/client-secret/").method == "post"


# How it proves itself


def choices_of(client, application):
    html = client.get(page_of(application)).content.decode()
    select = html.partition('<select name="client_authentication"')[2].partition("</select>")[0]
    return re.findall(r'value="([a-z_]+)"', select)


@pytest.mark.parametrize(
    ("type_", "choices"),
    [
        *((type_, ["client_secret", "none"]) for type_ in PUBLIC),
        *((type_, ["client_secret", "private_key_jwt"]) for type_ in CONFIDENTIAL),
    ],
)
def test_only_what_fits_the_type_can_be_chosen(acme, admin_client, type_, choices):
    secret = builders.CLIENT_SECRET if type_ in CONFIDENTIAL else None
    application = builders.make_application(
        acme.pool, client_id="acme-other", type=type_, client_secret=secret
    )

    assert sorted(choices_of(admin_client, application)) == choices
    everything = {"none", "client_secret", "private_key_jwt"}
    (refused,) = everything - set(choices)
    response = fill_in(
        admin_client, page_of(application), client_authentication=refused, jwks=json.dumps(JWKS)
    )
    assert list(errors_of(response)) == ["client_authentication"]


@pytest.mark.parametrize(
    "pasted",
    ["{", "keys", "{'keys': []}", "[" * 60_000, "[" * 40_000, "1" * 5_000, '{"keys": [}', "\0"],
)
def test_what_is_no_json_is_said_beside_the_keys(web, admin_client, pasted):
    response = fill_in(
        admin_client, page_of(web), client_authentication="private_key_jwt", jwks=pasted
    )

    assert errors_of(response)["jwks"][0] == (
        "This isn't JSON. Paste the whole JWK set, from brace to brace."
    )
    assert stored(web)["client_authentication"] == "client_secret"


@pytest.mark.parametrize(
    ("jwks", "sentence"),
    [
        ("", "private_key_jwt needs the application's public keys."),
        ("null", "private_key_jwt needs the application's public keys."),
        ("{}", "private_key_jwt needs the application's public keys."),
        ('{"keys": []}', 'Paste a JWK set: {"keys": […]} with one to ten keys.'),
        ("[" * 500 + "]" * 500, 'Paste a JWK set: {"keys": […]} with one to ten keys.'),
        (
            json.dumps({"keys": [KEY.as_dict(private=True)]}),
            "This is a private key: keep it, and paste the public one.",
        ),
        ('{"keys": [{"kty": "EC", "kid": "\\ud800"}]}', "One of the keys isn't a JWK (RFC 7517)."),
    ],
)
def test_what_verifies_nothing_is_said_beside_the_keys(web, admin_client, jwks, sentence):
    response = fill_in(
        admin_client, page_of(web), client_authentication="private_key_jwt", jwks=jwks
    )

    assert errors_of(response) == {"jwks": [sentence]}
    assert stored(web)["jwks"] is None


def test_an_application_that_got_a_key_needs_its_secret_no_longer(web, admin_client):
    fill_in(
        admin_client,
        page_of(web),
        client_authentication="private_key_jwt",
        jwks=json.dumps(JWKS, indent=2),
    )

    page = see(admin_client, page_of(web))
    assert stored(web)["jwks"] == JWKS
    assert json.loads(page.form.fields["jwks"]) == JWKS
    assert "✓ done The application's public keys are registered." in page.text
    assert "New client secret" not in page.text
    response = admin_client.post(page_of(web, "client-secret"))
    assert "doesn't prove itself by a secret" in see(admin_client, response["Location"]).text
    assert web.client_secrets.count() == 1


# What its type needs


@pytest.mark.parametrize("type_", ["web", "spa", "native"])
def test_what_concerns_people_in_browsers_is_set_where_there_are_any(acme, admin_client, type_):
    application = builders.make_application(
        acme.pool, client_id="acme-other", type=type_, client_secret=builders.CLIENT_SECRET
    )

    fill_in(
        admin_client,
        page_of(application),
        pkce="optional",
        requires_consent="on",
        allows_device_flow="on",
        backchannel_logout_uri="https://shop.example.com/logged-out",
    )

    application.refresh_from_db()
    assert application.pkce == "optional"
    assert application.requires_consent
    assert application.allows_device_flow
    assert application.backchannel_logout_uri == "https://shop.example.com/logged-out"


@pytest.mark.parametrize("type_", ["mini_program", "machine"])
def test_what_concerns_people_in_browsers_is_not_shown_elsewhere(acme, admin_client, type_):
    application = builders.make_application(
        acme.pool, client_id="acme-other", type=type_, client_secret=builders.CLIENT_SECRET
    )
    before = stored(application)

    names = see(admin_client, page_of(application)).names
    fill_in(admin_client, page_of(application), pkce="optional", allows_device_flow="on")

    shown = {"pkce", "requires_consent", "allows_device_flow", "backchannel_logout_uri"} & names
    assert not shown
    assert ("jwks" in names) == (type_ == "machine")
    assert stored(application) == before


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("pkce", "optional", "An application that proves itself by nothing needs PKCE."),
        (
            "backchannel_logout_uri",
            "http://shop.example.com/",
            "Use https; http is for localhost, 127.0.0.1 and [::1] only.",
        ),
    ],
)
def test_what_would_be_unsafe_is_said_beside_the_field(acme, admin_client, field, value, sentence):
    spa = builders.make_application(acme.pool, client_id="acme-spa", type="spa")

    response = fill_in(admin_client, page_of(spa), **{field: value})

    assert errors_of(response) == {field: [sentence]}


def test_a_viewer_sees_the_keys_and_changes_nothing(web, viewer_client):
    Application.objects.filter(pk=web.pk).update(jwks=JWKS)
    before = stored(web)

    page = see(viewer_client, page_of(web))
    response = send(viewer_client, page_of(web), {"jwks": ""})

    assert JWKS["keys"][0]["x"] in page.text
    assert response.status_code == 403
    assert stored(web) == before


# Pages


def test_the_names_that_operators_give_are_shown_as_text(acme, admin_client):
    name = "<script>alert('1')</script>\"&"
    Application.objects.update(name=name)

    for address in (LIST, page_of(acme.application), page_of(acme.application, "history")):
        response = admin_client.get(address)
        assert "<script>alert(" not in response.content.decode()
        assert name in Page(response).text


@pytest.mark.parametrize(
    ("type_", "tabs"),
    [
        ("mini_program", ["Login control"]),
        ("web", ["Login control", "Redirect URIs", "Post-logout redirect URIs"]),
        ("spa", ["Login control", "Redirect URIs", "Post-logout redirect URIs"]),
        ("native", ["Login control", "Redirect URIs", "Post-logout redirect URIs"]),
        ("machine", []),
    ],
)
def test_a_page_has_the_tabs_that_mean_something_for_its_type(acme, admin_client, type_, tabs):
    application = builders.make_application(
        acme.pool,
        client_id="acme-other",
        type=type_,
        client_secret=builders.CLIENT_SECRET if type_ in CONFIDENTIAL else None,
    )

    text = see(admin_client, page_of(application)).text

    every = ("Login control", "Redirect URIs", "Post-logout redirect URIs")
    assert [tab for tab in every if tab in text] == tabs
    assert "Integration" in text


@pytest.mark.parametrize("type_", ["mini_program", "web", "spa", "native", "machine"])
def test_experience_login_is_offered_wherever_people_log_in(acme, admin_client, type_):
    application = builders.make_application(
        acme.pool,
        client_id="acme-other",
        type=type_,
        client_secret=builders.CLIENT_SECRET if type_ in CONFIDENTIAL else None,
    )

    links = see(admin_client, page_of(application)).links

    assert ("/experience/acme-other" in links) is (type_ != "machine")


def test_archived_sources_leave_their_applications_in_peace(acme, admin_client):
    acme.source.archived_at = timezone.now()
    acme.source.save()

    response = fill_in(admin_client, page_of(acme.application), name="New name")

    assert response.status_code == 302
    assert stored(acme.application)["name"] == "New name"
    assert acme.application.login_methods.get() == acme.method
