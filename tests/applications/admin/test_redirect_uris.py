"""The tabs of redirect URIs: what they take, and that a mistake is said in its row."""

import pytest

from applications.models import RedirectURI
from tests.support import builders
from tests.support.pages import Page, fill_in, see, send

PREFIX = "redirect_uris"
GOOD = "https://shop.example.com/callback"


def page_of(application):
    return f"/console/{application.pool.identifier}/applications/{application.pk}/change/"


def register(client, application, *uris, **changes):
    """Add rows on the page and save it."""
    there = application.redirect_uris.count()
    fields = {f"{PREFIX}-TOTAL_FORMS": str(there + len(uris))}
    fields |= {f"{PREFIX}-{there + row}-uri": uri for row, uri in enumerate(uris)}
    return fill_in(client, page_of(application), **fields | changes)


def errors_of(response):
    """Return what is said of each row; all of it stands on the page."""
    (formset,) = [
        inline.formset
        for inline in response.context["inline_admin_formsets"]
        if inline.formset.prefix == PREFIX
    ]
    said = [list(form.errors.get("uri", [])) for form in formset.forms]
    text = Page(response).text
    assert all(sentence in text for sentences in said for sentence in sentences)
    return said, list(formset.non_form_errors())


def registered(application):
    return sorted(application.redirect_uris.values_list("uri", flat=True))


@pytest.fixture
def spa(acme):
    return builders.make_application(acme.pool, client_id="acme-spa", type="spa")


def test_malformed_uris_are_said_each_in_its_row(spa, admin_client):
    malformed = {
        "http://shop.example.com/callback": "Use https; http is for localhost, 127.0.0.1 and "
        "[::1] only.",
        "https://*.example.com/callback": "Wildcards don't work: register each URI in full.",
        "https://shop.example.com/#top": "A redirect URI has no fragment (#).",
        "https://user@shop.example.com/": "A redirect URI names no user (@).",
        "https://shop.example.com/a b": "Use at most 500 characters, with spaces and special ones "
        "percent-encoded.",
        "https://shop.example.com:port/": "This isn't a URI: look at the host and the port.",
        "javascript:alert(1)": "Use an absolute https URI, such as "
        "https://shop.example.com/callback.",
        "com.example.app:/callback": "Use an absolute https URI, such as "
        "https://shop.example.com/callback.",
    }

    response = register(admin_client, spa, GOOD, *malformed)

    assert errors_of(response) == ([[], *([sentence] for sentence in malformed.values())], [])
    assert registered(spa) == []


@pytest.mark.parametrize("uri", ["https://shop.example.com/" + "a" * 500, "https://a.example/\0"])
def test_what_no_field_takes_is_a_mistake_like_others(spa, admin_client, uri):
    said, _ = errors_of(register(admin_client, spa, uri))

    assert said[0]
    assert registered(spa) == []


@pytest.mark.parametrize("uri", ["https://a.example/\"><script>alert('1')</script>"])
def test_a_mistake_is_shown_again_as_text(spa, admin_client, uri):
    response = register(admin_client, spa, uri)

    assert "<script>alert(" not in response.content.decode()
    assert Page(response).form.fields[f"{PREFIX}-0-uri"] == uri


def test_the_same_uri_twice_is_refused(spa, admin_client):
    _, said = errors_of(register(admin_client, spa, GOOD, GOOD))

    assert said == ["Please correct the duplicate data for uri."]
    assert registered(spa) == []


def test_a_uri_that_is_registered_already_is_refused(spa, admin_client):
    RedirectURI.objects.create(application=spa, uri=GOOD)

    assert register(admin_client, spa, GOOD).status_code == 200

    assert registered(spa) == [GOOD]


@pytest.mark.parametrize("type_", ["mini_program", "machine"])
def test_an_application_without_the_tab_takes_no_uris(acme, admin_client, type_):
    secret = builders.CLIENT_SECRET if type_ == "machine" else None
    application = builders.make_application(
        acme.pool, client_id="acme-other", type=type_, client_secret=secret
    )

    assert f"{PREFIX}-TOTAL_FORMS" not in see(admin_client, page_of(application)).names
    response = register(admin_client, application, GOOD, **{f"{PREFIX}-INITIAL_FORMS": "0"})

    assert response.status_code == 302
    assert registered(application) == []


def test_a_uri_of_another_application_is_left_alone(globex, spa, admin_client):
    theirs = RedirectURI.objects.create(application=globex.application, uri=GOOD)
    own = RedirectURI.objects.create(application=spa, uri="https://own.example/")

    for changes in ({f"{PREFIX}-0-uri": "https://evil.example/"}, {f"{PREFIX}-0-DELETE": "on"}):
        fill_in(
            admin_client,
            page_of(spa),
            **{
                f"{PREFIX}-0-id": str(theirs.pk),
                f"{PREFIX}-0-application": str(globex.application.pk),
            }
            | changes,
        )

    assert registered(globex.application) == [GOOD]
    assert registered(spa) == [own.uri]


def test_a_viewer_sees_the_uris_and_registers_none(spa, viewer_client):
    RedirectURI.objects.create(application=spa, uri=GOOD)

    page = see(viewer_client, page_of(spa))
    fields = {f"{PREFIX}-TOTAL_FORMS": "1", f"{PREFIX}-INITIAL_FORMS": "0"}
    response = send(
        viewer_client, page_of(spa), fields | {f"{PREFIX}-0-uri": "https://evil.example/"}
    )

    assert GOOD in page.text
    assert f"{PREFIX}-0-uri" not in page.names
    assert response.status_code == 403
    assert registered(spa) == [GOOD]


@pytest.mark.parametrize("count", ["x", None, "-1"])
def test_a_count_that_is_none_registers_nothing(spa, admin_client, count):
    response = register(admin_client, spa, GOOD, **{f"{PREFIX}-TOTAL_FORMS": count})

    assert response.status_code in {200, 302}
    assert registered(spa) == []


def test_good_uris_are_registered_as_they_were_typed_without_blanks(spa, admin_client):
    response = register(admin_client, spa, f" {GOOD}\t", "http://127.0.0.1:3000/callback?a=b%2F")

    assert response.status_code == 302
    assert registered(spa) == ["http://127.0.0.1:3000/callback?a=b%2F", GOOD]


def test_a_scheme_of_ones_own_domain_is_for_native_applications(acme, admin_client):
    native = builders.make_application(acme.pool, client_id="acme-app", type="native")

    register(admin_client, native, "com.example.app:/callback")

    assert registered(native) == ["com.example.app:/callback"]


def test_a_uri_is_changed_in_its_row(spa, admin_client):
    row = RedirectURI.objects.create(application=spa, uri=GOOD)

    fill_in(admin_client, page_of(spa), **{f"{PREFIX}-0-uri": "https://new.example/"})

    assert list(spa.redirect_uris.values_list("pk", "uri")) == [(row.pk, "https://new.example/")]


def test_one_is_removed_and_the_others_stay(spa, admin_client):
    for uri in (GOOD, "https://old.example/"):
        RedirectURI.objects.create(application=spa, uri=uri)
    fields = see(admin_client, page_of(spa)).form.fields
    (old,) = [name for name, value in fields.items() if value == "https://old.example/"]

    send(admin_client, page_of(spa), fields | {old.replace("-uri", "-DELETE"): "on"})

    assert registered(spa) == [GOOD]


def test_post_logout_redirect_uris_have_a_tab_of_their_own(spa, admin_client):
    prefix = "post_logout_redirect_uris"
    register(
        admin_client,
        spa,
        GOOD,
        **{f"{prefix}-TOTAL_FORMS": "1", f"{prefix}-0-uri": "https://shop.example.com/"},
    )

    assert registered(spa) == [GOOD]
    assert [row.uri for row in spa.post_logout_redirect_uris.all()] == ["https://shop.example.com/"]


def test_a_mistake_in_a_post_logout_redirect_uri_is_said_on_the_page(spa, admin_client):
    prefix = "post_logout_redirect_uris"

    response = fill_in(
        admin_client,
        page_of(spa),
        **{f"{prefix}-TOTAL_FORMS": "1", f"{prefix}-0-uri": "http://shop.example.com/"},
    )

    assert "Use https; http is for localhost" in Page(response).text
    assert not spa.post_logout_redirect_uris.exists()
