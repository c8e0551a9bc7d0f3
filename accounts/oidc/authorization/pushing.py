"""Pushed authorization requests: the client sends the parameters to the server (RFC 9126)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from accounts.models import PushedRequest
from accounts.oidc.authorization.checking import PARAMETERS, Refused, Unanswerable, check_request
from accounts.oidc.authorization.parameters import REQUEST_URI_PREFIX, is_text
from accounts.sweeping import Sweeper
from applications.models import Application
from applications.offers import refuse_disabled
from config.kernel.encryption import new_token, token_hash
from config.kernel.errors import DomainError, InvalidRequest

LIVES = timedelta(seconds=90)

sweeper = Sweeper(every=timedelta(seconds=60))


class PushRefused(DomainError):
    """The request would be refused at the authorization endpoint too (RFC 9126 §2.3)."""

    status = InvalidRequest.status

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.description)
        self.code = refused.error


def push_request(
    application: Application, fields: Mapping[str, str], *, now: datetime
) -> dict[str, Any]:
    """Check and store the parameters; return ``request_uri`` and ``expires_in`` in seconds.

    Raises:
        ApplicationDisabled: an operator disabled the application.
        InvalidRequest: the redirect URI isn't registered, a request_uri was sent, or a parameter
            isn't text.
        PushRefused: another parameter is wrong.

    """
    refuse_disabled(application)
    if "request_uri" in fields:
        raise InvalidRequest("request_uri: can't be pushed.", field="request_uri")
    named = {**fields, "client_id": application.client_id}
    for name in PARAMETERS & named.keys():
        if not is_text(named[name]):
            raise InvalidRequest(f"{name}: holds a character that can't be shown.", field=name)
    try:
        check_request(application.pool, named)
    except Refused as refused:
        raise PushRefused(refused) from refused
    except Unanswerable as error:
        raise _unanswerable(error.reason) from error
    sweeper.sweep_if_due(PushedRequest.objects.filter(expires_at__lt=now))
    handle = new_token()
    PushedRequest.objects.create(
        pool=application.pool,
        application=application,
        handle_hash=token_hash(handle),
        parameters={name: named[name] for name in PARAMETERS & named.keys()},
        expires_at=now + LIVES,
    )
    return {
        "request_uri": REQUEST_URI_PREFIX + handle,
        "expires_in": int(LIVES.total_seconds()),
    }


def _unanswerable(reason: str) -> InvalidRequest:
    if reason == "request":
        return InvalidRequest("The request's parameters are too long.")
    return InvalidRequest(f"{reason}: is not registered for this application.", field=reason)
