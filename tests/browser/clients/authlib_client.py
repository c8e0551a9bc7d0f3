"""Authlib's client, put to use as its documentation shows."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.browser.clients.client import SCOPE, Refusal
from tests.browser.clients.listener import PATIENCE_SECONDS, Arrival
from tests.browser.clients.registrations import Registration

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class AuthlibClient:
    """A client of one application, with Authlib's checks of the server's metadata."""

    def __init__(self, issuer: str, registration: Registration) -> None:
        address = get_well_known_url(issuer, external=True)
        self.metadata = OpenIDProviderMetadata(_answer(requests.get(address, timeout=20)))
        self.metadata.validate()
        AuthorizationServerMetadata(self.metadata).validate()
        assert self.metadata["issuer"] == issuer
        self.session = OAuth2Session(
            registration.client_id,
            registration.key or registration.secret,
            token_endpoint_auth_method=registration.authentication,
            revocation_endpoint_auth_method=registration.authentication,
            code_challenge_method="S256",
            default_timeout=20,
            **self.metadata,
        )
        self.session.register_client_auth_method(PrivateKeyJWT(alg="ES256"))

    def begin(self, redirect_uri: str, *, pushed: bool = False, **parameters: str) -> str:
        self.verifier, self.nonce = generate_token(48), generate_token()
        self.session.redirect_uri = redirect_uri
        wanted = {"scope": SCOPE, "nonce": self.nonce, **parameters}
        if not pushed:
            url, self.state = self.session.create_authorization_url(
                self.metadata["authorization_endpoint"], code_verifier=self.verifier, **wanted
            )
            return url
        self.state = generate_token()
        return self._push(
            {
                "response_type": "code",
                "redirect_uri": redirect_uri,
                "state": self.state,
                "code_challenge": create_s256_code_challenge(self.verifier),
                "code_challenge_method": "S256",
                **wanted,
            }
        )

    def _push(self, fields: dict[str, str]) -> str:
        endpoint = self.metadata["pushed_authorization_request_endpoint"]
        handle = _answer(self.session.post(endpoint, data=fields, auth=self._proof()))
        named = {"client_id": self.session.client_id, "request_uri": handle["request_uri"]}
        return add_params_to_uri(self.metadata["authorization_endpoint"], list(named.items()))

    def finish(self, arrival: Arrival) -> dict[str, Any]:
        url = f"{arrival.url}?{arrival.form}" if arrival.form else arrival.url
        answer = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        if answer["iss"] != self.metadata["issuer"] or answer["state"] != self.state:
            raise Refusal("mix_up")
        if "error" in answer:
            raise Refusal(answer["error"])
        tokens = self._fetch(
            authorization_response=url, state=self.state, code_verifier=self.verifier
        )
        return tokens | {"claims": self._verify(tokens, nonce=self.nonce)}

    def userinfo(self, tokens: dict[str, Any]) -> dict[str, Any]:
        self.session.token = tokens
        person = _answer(self.session.get(self.metadata["userinfo_endpoint"]))
        assert person["sub"] == tokens["claims"]["sub"]
        return person

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        try:
            tokens = dict(self.session.refresh_token(refresh_token=refresh_token))
        except OAuthError as error:
            raise Refusal(error.error) from error
        return tokens | {"claims": self._verify(tokens)}

    def introspect(self, token: str) -> dict[str, Any]:
        endpoint = self.metadata["introspection_endpoint"]
        return _answer(self.session.introspect_token(endpoint, token=token, auth=self._proof()))

    def revoke(self, token: str) -> None:
        _answer(self.session.revoke_token(self.metadata["revocation_endpoint"], token=token))

    def act_for_itself(self) -> dict[str, Any]:
        return self._fetch(grant_type="client_credentials")

    def begin_device(self) -> dict[str, Any]:
        endpoint = self.metadata["device_authorization_endpoint"]
        return _answer(self.session.post(endpoint, data={"scope": SCOPE}, auth=self._proof()))

    def finish_device(self, device: dict[str, Any]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                tokens = self._fetch(grant_type=DEVICE_CODE, device_code=device["device_code"])
            except Refusal as refusal:
                if refusal.error != "authorization_pending" or time.monotonic() > deadline:
                    raise
                time.sleep(device["interval"])
            else:
                return tokens | {"claims": self._verify(tokens)}

    def logout_url(self, id_token: str, post_logout_redirect_uri: str, state: str) -> str:
        fields = {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": post_logout_redirect_uri,
            "state": state,
        }
        return add_params_to_uri(self.metadata["end_session_endpoint"], list(fields.items()))

    def _proof(self) -> Any:
        return self.session.client_auth(self.session.token_endpoint_auth_method)

    def _fetch(self, **fields: Any) -> dict[str, Any]:
        try:
            return dict(self.session.fetch_token(**fields))
        except OAuthError as error:
            raise Refusal(error.error) from error

    def _verify(self, tokens: dict[str, Any], *, nonce: str = "") -> dict[str, Any]:
        keys = _answer(requests.get(self.metadata["jwks_uri"], timeout=20))
        decoded = jwt.decode(
            tokens["id_token"],
            KeySet.import_key_set(keys),
            algorithms=self.metadata["id_token_signing_alg_values_supported"],
        )
        options = {
            "iss": {"essential": True, "values": [self.metadata["issuer"]]},
            "aud": {"essential": True, "values": [self.session.client_id]},
        }
        expected = {
            "nonce": nonce,
            "client_id": self.session.client_id,
            "access_token": tokens["access_token"],
        }
        claims = CodeIDToken(decoded.claims, decoded.header, options, expected)
        claims.validate()
        return {**claims, "alg": decoded.header["alg"]}


def _answer(response: requests.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json() if response.content else {}
    if not response.ok:
        raise Refusal(body["error"])
    return body
