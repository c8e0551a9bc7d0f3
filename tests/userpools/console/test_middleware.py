"""How the console is mounted below each pool: addresses, links, policies."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.urls import get_script_prefix, path

from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.pages import see
from userpools.console.middleware import ConsoleMiddleware
from userpools.models import RESERVED_POOL_IDENTIFIERS

STRICT = {"script-src": "'self'", "style-src": "'self'"}
OF_CONSOLE = {"script-src": "'self' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"}


class Broken(Exception):
    """What a page with a mistake raises."""


def policy_of(answer):
    """The content security policy, by directive."""
    pairs = (part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";"))
    return {directive: sources for directive, _, sources in pairs}


def broken(request):
    raise Broken


# The console's addresses in the tests of a page that has a mistake.
urlpatterns = [path("broken/", broken)]


def passed_on(address, **meta):
    """What the pages see of a request for this address."""
    seen = {}

    def page(request):
        seen.update(
            path=request.path_info, prefix=get_script_prefix(), place=request.__dict__.get("place")
        )
        return HttpResponse()

    request = RequestFactory().get(address, **meta)
    request.user = AnonymousUser()
    answer = ConsoleMiddleware(page)(request)
    return seen, answer


@pytest.mark.parametrize(
    "address",
    [
        "/console//acme/",
        "/console//",
        "/console//evil.example.com/",
        "/console/ACME/",
        "/console/Acme/users/",
        "/console/-acme/",
        "/console/acme_/",
        "/console/acme./",
        "/console/.well-known/",
        "/console/%2e%2e/",
        "/console/%2e%2e/api/",
        "/console/acme/%2e%2e/globex/",
        "/console/acme%00/",
        "/console/%00/",
        "/console/%ff/",
        "/console/登录/",
        "/console/acme/登录/",
        f"/console/{'a' * 65}/",
        f"/console/{'a' * 5000}/",
        f"/console/acme/users/{'a' * 5000}/change/",
        "/console/acme/search/",
        "/console/acme/autocomplete/",
        "/console/acme/r/1/2/",
        "/console/acme/acme/",
        "/console/globex/",
        "/console/nowhere/",
        "/console/nowhere",
    ],
)
def test_an_odd_address_is_not_found(address, admin_client, globex):
    answer = admin_client.get(address, follow=True)

    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


@pytest.mark.parametrize("word", sorted(RESERVED_POOL_IDENTIFIERS))
def test_a_word_that_is_an_address_never_names_a_pool(word, superuser_client):
    builders.make_pool(word)

    answer = superuser_client.get(f"/console/{word}/")

    assert f"/console/{word}/users/" not in answer.content.decode()


@pytest.mark.parametrize("address", ["/console", "/console/acme", "/console/acme/users"])
def test_a_missing_slash_is_added(address, admin_client):
    answer = admin_client.get(address)

    assert answer.status_code in {301, 302}
    assert answer["Location"] == f"{address}/"


def test_other_addresses_are_none_of_its_business():
    seen, answer = passed_on("/consoles/acme/")

    assert seen == {"path": "/consoles/acme/", "prefix": "/", "place": None}
    assert "Cache-Control" not in answer


def test_pages_are_mounted_below_the_pool():
    seen, _ = passed_on("/console/acme/users/")

    assert (seen["path"], seen["prefix"]) == ("/users/", "/console/acme/")
    assert (seen["place"].named, seen["place"].pool, seen["place"].role) == ("acme", None, None)


def test_pages_that_span_pools_are_mounted_below_none():
    seen, _ = passed_on("/console/users/")

    assert (seen["path"], seen["prefix"]) == ("/users/", "/console/")
    assert seen["place"].named is None


def test_the_prefix_is_taken_back_after_a_page(admin_client):
    assert admin_client.get("/console/acme/").status_code == 200

    assert get_script_prefix() == "/"


@pytest.mark.parametrize("error", [Broken, Http404])
def test_the_prefix_is_taken_back_after_a_mistake(error):
    def page(request):
        raise error

    request = RequestFactory().get("/console/acme/")
    request.user = AnonymousUser()

    with pytest.raises(error):
        ConsoleMiddleware(page)(request)

    assert get_script_prefix() == "/"


def test_a_page_with_a_mistake_is_answered_in_our_own_words(admin_client, settings):
    settings.CONSOLE_URLCONF = __name__
    admin_client.raise_request_exception = False

    answer = admin_client.get("/console/acme/broken/")

    assert answer.status_code == 500
    assert "Something went wrong on this server" in answer.content.decode()
    assert "Broken" not in answer.content.decode()
    assert policy_of(answer).items() >= OF_CONSOLE.items()
    assert get_script_prefix() == "/"
    # The next request of this thread is for another address.
    assert admin_client.get("/").status_code == 200


@pytest.mark.parametrize(
    "page", ["", "users/", "applications/", "applications/add/", "sources/", "operators/", "keys/"]
)
def test_every_link_of_a_page_stays_in_the_pool(page, admin_client, globex):
    shown = see(admin_client, f"/console/acme/{page}")

    addresses = [*shown.links, *(form.action for form in shown.forms)]
    inside = [address for address in addresses if address.startswith("/console/")]
    assert inside
    assert [address for address in inside if not address.startswith("/console/acme/")] == []


def test_a_superusers_links_leave_the_pool_only_for_what_spans_pools(superuser_client, acme):
    shown = see(superuser_client, "/console/acme/users/")

    outside = {
        link
        for link in shown.links
        if link.startswith("/console/") and not link.startswith("/console/acme/")
    }
    assert outside == {"/console/pools/", "/console/pools/add/", "/console/operator-accounts/"}


def test_what_is_saved_leads_back_into_the_pool(admin_client, acme):
    answer = admin_client.post(
        "/console/acme/applications/add/", {"type": "spa", "name": "New", "client_id": "new"}
    )

    assert answer["Location"].startswith("/console/acme/applications/")


@pytest.mark.parametrize(
    ("client_name", "address", "status"),
    [
        ("admin_client", "/console/", 302),
        ("admin_client", "/console/acme/", 200),
        ("admin_client", "/console/acme/users/", 200),
        ("admin_client", "/console/acme/password/", 200),
        ("admin_client", "/console/acme/jsi18n/", 200),
        ("admin_client", "/console/acme/nothing/", 404),
        ("admin_client", "/console/acme/events/?pool=1", 400),
        ("admin_client", "/console/globex/", 404),
        ("admin_client", "/console/operator-accounts/", 403),
        ("admin_client", "/console/acme/logout/", 405),
        ("client", "/console/login/", 200),
        ("client", "/console/acme/login/", 200),
        ("client", "/console/acme/", 302),
        ("client", "/console/acme/nothing/", 404),
    ],
)
def test_an_answer_of_the_console_is_kept_by_nobody(client_name, address, status, request, acme):
    answer = request.getfixturevalue(client_name).get(address)

    assert answer.status_code == status
    assert "no-store" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]
    policy = policy_of(answer)
    assert policy.items() >= OF_CONSOLE.items()
    assert {policy[name] for name in ("default-src", "frame-ancestors", "base-uri")} == {"'none'"}
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("address", ["/", "/experience/acme-shop", "/nowhere"])
def test_what_isnt_of_the_console_has_the_strict_policy(address, admin_client):
    policy = policy_of(admin_client.get(address))

    assert policy.items() >= STRICT.items()
    assert "unsafe" not in "".join(policy.values())


@pytest.mark.parametrize(
    "address", ["/console/login/", "/console/acme/logout/", "/console/acme/i18n/setlang/"]
)
def test_forms_of_the_frame_need_the_token_against_forgery(address, acme):
    client = GuardedClient(enforce_csrf_checks=True)
    client.force_login(
        builders.make_operator("ada", acme.pool),
        backend="django.contrib.auth.backends.ModelBackend",
    )

    answer = client.post(address, {"language": "zh-hans", "username": "ada", "password": "x"})

    assert answer.status_code == 403
    assert "without the mark that protects forms" in answer.content.decode()
    assert client.get("/console/acme/").status_code == 200


def test_a_page_holds_no_script_that_the_policy_forbids(admin_client):
    for address in ("/console/acme/", "/console/acme/applications/", "/console/acme/users/"):
        shown = admin_client.get(address).content.decode()
        inline = re.findall(r"<script(?![^>]*(?:src=|application/json))[^>]*>(.*?)</script>", shown)
        assert not [script for script in inline if script.strip()], address
        assert not re.search(r"\son(click|load|change|submit)=", shown), address
