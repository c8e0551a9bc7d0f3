"""A relying party as the conformance suite is one, with the browser of the person before it."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import jwt
from django.http import HttpResponse

from tests.support.client import GuardedClient
from tests.support.website import confirm_in_wechat

FORM = "application/x-www-form-urlencoded"
CLOCK_SKEW = 5  # seconds
LEAST_ENTROPY = 22  # characters of base64url: 128 bits (RFC 6749 §10.10)


@dataclass(frozen=True)
class Asking:
    """An authorization request, and the secret half of its PKCE pair."""

    parameters: dict[str, str]
    verifier: str


@dataclass(frozen=True)
class Login:
    """A whole login: what the token endpoint answered, and what the ID token says."""

    code: str
    asking: Asking
    tokens: dict[str, Any]
    claims: dict[str, Any]
    saw_page: bool
    """whether the person had to do anything"""

    @property
    def access_token(self) -> str:
        return str(self.tokens["access_token"])


@dataclass
class RelyingParty:
    """Asserts of every answer what the suite does of each; a test adds what its module is about."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    authentication: str = "client_secret_basic"
    browser: GuardedClient = field(default_factory=GuardedClient)

    @property
    def metadata(self) -> dict[str, Any]:
        """The discovery document."""
        address = f"{self.issuer}/.well-known/openid-configuration"
        document: dict[str, Any] = self.fetch(address).json()
        return document

    def fetch(self, address: str, **headers: str) -> HttpResponse:
        """Get an address without the person's browser."""
        return GuardedClient().get(urlsplit(address).path, headers=headers)

    def published_keys(self) -> list[dict[str, Any]]:
        """Return the keys that the provider publishes."""
        published: dict[str, Any] = self.fetch(self.metadata["jwks_uri"]).json()
        return list(published["keys"])

    def ask(self, **changes: str | None) -> Asking:
        """Make an authorization request; None leaves a parameter out."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        parameters = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "state": secrets.token_urlsafe(),
            "nonce": secrets.token_urlsafe(),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        } | changes
        return Asking(
            {name: text for name, text in parameters.items() if text is not None}, verifier
        )

    def send(self, asking: Asking, method: str = "get") -> HttpResponse:
        """Open the authorization endpoint in the browser."""
        endpoint = urlsplit(self.metadata["authorization_endpoint"]).path
        if method == "post":
            form = urlencode(asking.parameters)
            response = self.browser.post(endpoint, form, content_type=FORM)
            # The browser is sent on to the same address, by GET.
            return self.browser.get(response["Location"])
        return self.browser.get(endpoint, asking.parameters)

    def answer(self, response: HttpResponse, asking: Asking) -> dict[str, str]:
        """Return the parameters of an answer at the redirect URI."""
        location = response["Location"]
        assert location.startswith(self.redirect_uri)
        registered = parse_qs(urlsplit(self.redirect_uri).query)
        lists = parse_qs(urlsplit(location).query, strict_parsing=True)
        answer = {name: value for name, (value,) in lists.items() if name not in registered}
        assert answer["state"] == asking.parameters["state"]
        assert answer["iss"] == self.issuer
        return answer

    def log_in(self, method: str = "get", **changes: str | None) -> Login:
        """Run the whole flow; the person confirms in WeChat wherever they are asked to."""
        asking = self.ask(**changes)
        response = self.send(asking, method)
        saw_page = response["Location"].startswith("/login/")
        if saw_page:
            response = confirm_in_wechat(self.browser, response["Location"])
        code = self.answer(response, asking)["code"]
        assert len(code) >= LEAST_ENTROPY
        answered = self.exchange(code, asking)
        assert answered.status_code == 200, answered.content
        tokens = answered.json()
        assert answered["Cache-Control"] == "no-store"
        assert tokens["token_type"].lower() == "bearer"
        assert tokens["expires_in"] > 0
        claims = self.read_id_token(tokens, nonce=asking.parameters.get("nonce"))
        return Login(code, asking, tokens, claims, saw_page)

    def exchange(self, code: str, asking: Asking) -> HttpResponse:
        """Redeem a code."""
        return self.post_to_token_endpoint(
            grant_type="authorization_code",
            code=code,
            redirect_uri=asking.parameters["redirect_uri"],
            code_verifier=asking.verifier,
        )

    def post_to_token_endpoint(self, **fields: str) -> HttpResponse:
        """Post a form, and prove who we are as it was registered."""
        headers = {}
        if self.authentication == "client_secret_basic":
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            fields |= {"client_id": self.client_id, "client_secret": self.client_secret}
        address = urlsplit(self.metadata["token_endpoint"]).path
        return GuardedClient().post(address, urlencode(fields), content_type=FORM, headers=headers)

    def read_id_token(self, tokens: dict[str, Any], *, nonce: str | None) -> dict[str, Any]:
        """Verify an ID token (OpenID Connect Core §3.1.3.7, §3.1.3.8) and return its claims."""
        token = tokens["id_token"]
        header = jwt.get_unverified_header(token)
        (key,) = [jwk for jwk in self.published_keys() if jwk["kid"] == header["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(key),
            algorithms=self.metadata["id_token_signing_alg_values_supported"],
            audience=self.client_id,
            issuer=self.issuer,
            options={"require": ["iss", "sub", "aud", "exp", "iat"], "strict_aud": True},
        )
        assert 0 < len(claims["sub"].encode("ascii")) <= 255
        assert abs(claims["iat"] - time.time()) <= CLOCK_SKEW
        assert claims.get("nonce") == nonce
        digest = hashlib.sha256(tokens["access_token"].encode()).digest()
        assert claims["at_hash"] == base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
        return claims

    def userinfo(self, login: Login) -> dict[str, Any]:
        """Ask what the access token opens; it is about whom the ID token is about."""
        response = self.fetch(
            self.metadata["userinfo_endpoint"], Authorization=f"Bearer {login.access_token}"
        )
        assert response.status_code == 200
        return self.claims_of(response, login)

    def claims_of(self, response: HttpResponse, login: Login) -> dict[str, Any]:
        """Return the claims of a userinfo answer (OpenID Connect Core §5.3.2)."""
        assert response["Content-Type"].startswith("application/json")
        claims: dict[str, Any] = response.json()
        assert claims["sub"] == login.claims["sub"]
        return claims
