"""Acme's website login, and the browser's part of the code flow: from the application and back."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.http import HttpResponse

from applications.models import Application, RedirectURI
from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.pages import Page
from userpools.models import UserPool

SITE_APP_ID = "wxsandbox000000005"
SPA_URI = "https://spa.example.com/callback"
WEB_URI = "https://web.example.com/callback?from=login"
NATIVE_URI = "https://app.example.com/callback"
SCHEME_URI = "com.example.app:/callback"
"""the native application's other one: any program on the device may get its response"""
REDIRECT_URIS = {"acme-spa": SPA_URI, "acme-web": WEB_URI, "acme-native": NATIVE_URI}
"""by client_id, the requested redirect URI"""

VERIFIER = "a-verifier-of-at-least-43-characters.and_some~more"

_TO_WECHAT = re.compile(r'href="(/login/[^"]*/wechat/[^"]+)"')


@dataclass(frozen=True)
class Site:
    """A pool with a website source, and an application of each type that a browser logs in to."""

    pool: UserPool
    source: IdentitySource
    spa: Application
    """public"""
    web: Application
    """confidential: builders.CLIENT_SECRET"""
    native: Application
    """public, with the device flow"""
    machine: Application
    """confidential: builders.CLIENT_SECRET"""


def make_site(pool: UserPool, app_id: str = SITE_APP_ID) -> Site:
    """Give a pool its website source and four applications, named after the pool."""
    source = builders.make_source(
        pool, identifier=f"{pool.identifier}-site", type="wechat_website", app_id=app_id
    )
    secret = builders.CLIENT_SECRET
    site = Site(
        pool=pool,
        source=source,
        spa=_application(pool, "spa"),
        web=_application(pool, "web", client_secret=secret),
        native=_application(pool, "native", allows_device_flow=True),
        machine=_application(pool, "machine", client_secret=secret),
    )
    for application, uri in ((site.spa, SPA_URI), (site.web, WEB_URI), (site.native, NATIVE_URI)):
        builders.offer(application, source)
        RedirectURI.objects.create(application=application, uri=uri)
    RedirectURI.objects.create(application=site.native, uri=SCHEME_URI)
    return site


def _application(pool: UserPool, kind: str, **fields: Any) -> Application:
    return builders.make_application(
        pool, client_id=f"{pool.identifier}-{kind}", type=kind, name=kind.title(), **fields
    )


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorization_request(client_id: str = "acme-spa", **changes: str | None) -> dict[str, str]:
    """Return what an application sends to the authorization endpoint; None leaves a field out."""
    fields = {
        "client_id": client_id,
        "redirect_uri": REDIRECT_URIS.get(client_id),
        "response_type": "code",
        "scope": "openid profile offline_access",
        "state": "a state",
        "nonce": "a nonce",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def authorize(
    browser: GuardedClient,
    client_id: str = "acme-spa",
    *,
    pool: str = "acme",
    **changes: str | None,
) -> HttpResponse:
    """Open an application's authorization request in a browser."""
    return browser.get(f"/oidc/{pool}/authorize", authorization_request(client_id, **changes))


def confirm_in_wechat(
    browser: GuardedClient, page: str, person: str = "alice", app_id: str = SITE_APP_ID
) -> HttpResponse:
    """Log in on a login page as this person, by the first method; return the response."""
    links = _TO_WECHAT.findall(browser.get(page).content.decode())
    at_wechat = browser.get(links[0])
    sent = parse_qs(urlsplit(at_wechat["Location"]).query)
    code = sandbox().qrconnect(app_id, person)
    callback = urlsplit(sent["redirect_uri"][0]).path
    return browser.get(callback, {"code": code, "state": sent["state"][0]})


def log_in_by_browser(
    browser: GuardedClient,
    client_id: str = "acme-spa",
    person: str = "alice",
    **changes: str | None,
) -> dict[str, str]:
    """Log in to an application; return the parameters of the response at its redirect URI."""
    response = authorize(browser, client_id, **changes)
    if response["Location"].startswith("/login/"):
        response = confirm_in_wechat(browser, response["Location"], person)
    return answered(response)


def authorization_code(
    client_id: str = "acme-spa", person: str = "alice", **changes: str | None
) -> str:
    """Return the code that an application gets when this person logs in, in a new browser."""
    return log_in_by_browser(GuardedClient(), client_id, person, **changes)["code"]


def answered(response: HttpResponse) -> dict[str, str]:
    """Return the parameters of the redirect to an application."""
    parts = urlsplit(response["Location"])
    given = parse_qs(parts.fragment or parts.query, strict_parsing=True)
    return {name: values[0] for name, values in given.items()}


def decide_about_device(
    browser: GuardedClient, user_code: str, decision: str = "agree", person: str = "alice"
) -> HttpResponse:
    """Enter the code that a device shows, log in, and approve or decline it."""
    response = browser.post("/login/acme/device", {"user_code": user_code})
    page = browser.get(response["Location"])
    if page.status_code == 302:
        response = confirm_in_wechat(browser, page["Location"], person)
        page = browser.get(response["Location"])
    fields = Page(page).form.fields
    return browser.post(response["Location"], fields | {"decision": decision})
