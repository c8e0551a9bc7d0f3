"""Client authentication: an application sends its client_id and, if it is confidential, a proof.

The proof is a secret, or a JWT that it signed (client_assertions.py). Errors don't tell whether the
client_id or the proof was wrong (RFC 6749 §5.2).
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote_plus

from applications.client_assertions import ASSERTION_TYPE, unverified_subject, verify_assertion
from applications.models import Application
from applications.offers import known_application
from config.kernel.encryption import token_hash
from config.kernel.errors import InvalidClient, InvalidRequest
from config.kernel.identifiers import IDENTIFIER_MAX_LENGTH
from userpools.models import UserPool


@dataclass(frozen=True)
class ClientCredentials:
    """The credentials of a request, not verified yet."""

    unverified_client_id: str
    unverified_secret: str | None = field(default=None, repr=False)
    unverified_assertion: str | None = field(default=None, repr=False)


def uses_basic(authorization: str) -> bool:
    """Tell whether an ``Authorization`` header is one of HTTP Basic (RFC 7617 §2)."""
    return authorization.lower().startswith("basic ")


def read_credentials(authorization: str, fields: Mapping[str, str]) -> ClientCredentials:
    """Read the credentials from HTTP Basic or from the body's fields.

    The fields are ``client_id``, ``client_secret``, ``client_assertion_type`` and
    ``client_assertion``; others are ignored.

    Raises:
        InvalidRequest: none was used, or more than one (RFC 6749 §2.3), or two different
            client_ids.
        InvalidClient: the Basic header or the assertion can't be read.

    """
    client_id, client_secret = fields.get("client_id"), fields.get("client_secret")
    if "client_assertion" in fields or "client_assertion_type" in fields:
        if client_secret is not None or uses_basic(authorization):
            raise InvalidRequest(
                "client_assertion: give it or a client_secret, not both.", field="client_assertion"
            )
        return _read_assertion(fields)
    if not uses_basic(authorization):
        if client_id is None:
            raise InvalidRequest("client_id: is required.", field="client_id")
        return ClientCredentials(client_id, client_secret)
    basic_id, basic_secret = _read_basic(authorization[len("basic ") :])
    if client_secret is not None:
        raise InvalidRequest(
            "client_secret: give it in the body or by HTTP Basic, not both.", field="client_secret"
        )
    if client_id is not None and client_id != basic_id:
        raise InvalidRequest(
            "client_id: the body and HTTP Basic name different applications.", field="client_id"
        )
    return ClientCredentials(basic_id, basic_secret)


def authenticate_client(
    application: Application, client: ClientCredentials, *, now: datetime
) -> None:
    """Check the application's credentials, by its client authentication.

    A public application needs none.

    Raises:
        InvalidClient: the proof is missing, wrong, expired, used before or of another kind.

    """
    match application.client_authentication:
        case Application.ClientAuthentication.NONE:
            return
        case Application.ClientAuthentication.PRIVATE_KEY_JWT:
            if client.unverified_assertion is None:
                raise InvalidClient
            verify_assertion(application, client.unverified_assertion, now=now)
        case _:
            _verify_secret(application, client.unverified_secret, now)


def authenticated_application(
    pool: UserPool, client: ClientCredentials, *, now: datetime
) -> Application:
    """Return the pool's application that these credentials name and prove.

    Raises:
        InvalidClient: the pool has no such application, or its proof is wrong.

    """
    application = known_application(client.unverified_client_id).application
    if application.pool_id != pool.pk:
        raise InvalidClient
    authenticate_client(application, client, now=now)
    return application


def _verify_secret(application: Application, unverified_secret: str | None, now: datetime) -> None:
    given = token_hash(unverified_secret or "")
    secrets = known_application(application.client_id).secrets
    matches = [
        hmac.compare_digest(given, bytes(secret.secret_hash))
        for secret in secrets
        if secret.is_usable(now)
    ]
    if not any(matches):
        raise InvalidClient


def _read_assertion(fields: Mapping[str, str]) -> ClientCredentials:
    assertion = fields.get("client_assertion")
    if assertion is None:
        raise InvalidRequest("client_assertion: is required.", field="client_assertion")
    if fields.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidRequest(
            f"client_assertion_type: must be {ASSERTION_TYPE}.", field="client_assertion_type"
        )
    client_id = fields.get("client_id")
    if client_id is None:
        client_id = unverified_subject(assertion)
    return ClientCredentials(client_id, unverified_assertion=assertion)


def _read_basic(encoded: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        # Not base64, not ASCII (headers are Latin-1), or decoded not UTF-8.
        raise InvalidClient from None
    client_id, colon, secret = decoded.partition(":")
    if not colon:
        raise InvalidClient
    # Both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
    client_id, secret = unquote_plus(client_id), unquote_plus(secret)
    if len(client_id) > IDENTIFIER_MAX_LENGTH or "\x00" in client_id + secret:
        raise InvalidClient
    return client_id, secret
