"""One experience login: the very call that a mini program makes, made by the server itself.

The request goes through the view of the REST API with all that it checks; only the door differs,
which marks the login as a test. No token leaves this module: what came of the call is the event.
"""

import io
import json
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from rest_framework.response import Response

from accounts.api.views import WeChatMiniProgramLoginView
from accounts.login import trace
from accounts.models import LoginEvent, Session
from accounts.words.explanations import STEPS_OF_A_FIRST_LOGIN
from applications.models import Application
from config.kernel.logs import request_id

_REFUSED = LoginEvent.Outcome.REFUSED


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of it; ``event`` is None where the request was refused before it was recorded."""

    event: LoginEvent | None
    succeeded: bool
    created: bool
    error: str
    error_description: str

    @property
    def asks(self) -> bool:
        """Whether the login goes on: the application asks the person something now."""
        return self.error in STEPS_OF_A_FIRST_LOGIN


def attempt_login(
    request: HttpRequest, application: Application, fields: dict[str, str], *, bound_to: str
) -> Attempt:
    """Log in with these fields of the REST call's body, and end the session at once.

    ``request`` is the visitor's: the call counts against their address. ``bound_to`` names their
    session: a code that was exchanged in it is of use in no other.
    """
    view = WeChatMiniProgramLoginView.as_view(door=LoginEvent.Door.EXPERIENCE, bound_to=bound_to)
    began = timezone.now()
    response: Response = view(_call(request, {"client_id": application.client_id, **fields}))
    answer: dict[str, Any] = response.data
    event = event_of(application, sid=_sid_of(answer), since=began)
    if event and event.sid:
        ended = Session.objects.filter(pk=event.sid, pool=application.pool_id)
        ended.end(now=timezone.now(), reason=Session.EndReason.EXPERIENCE_ENDED)
    return Attempt(
        event=event,
        succeeded=response.status_code == HTTPStatus.OK,
        created=bool(answer.get("created")),
        error=answer.get("error", ""),
        error_description=answer.get("error_description", ""),
    )


def _call(request: HttpRequest, fields: dict[str, str]) -> WSGIRequest:
    body = json.dumps(fields).encode()
    return WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": reverse("login-wechat-mini-program"),
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": request.META["REMOTE_ADDR"],
            "SERVER_NAME": request.META.get("SERVER_NAME", ""),
            "SERVER_PORT": request.META.get("SERVER_PORT", ""),
            "wsgi.url_scheme": request.scheme,
            "wsgi.input": io.BytesIO(body),
        }
    )


def _sid_of(answer: dict[str, Any]) -> UUID | None:
    token = answer.get("access_token")
    return UUID(trace.claims_of(token)["sid"]) if token else None


def event_of(application: Application, *, sid: UUID | None, since: datetime) -> LoginEvent | None:
    """Return the event of this request's attempt; ``sid`` is of the session that came of it."""
    # By the session where there is one: callers name their requests, and may do so alike.
    mine = {"sid": sid} if sid else {"outcome": _REFUSED}
    events = LoginEvent.objects.select_related("application__pool", "identity_source", "user")
    return (
        events.filter(
            pool=application.pool_id,
            application=application,
            door=LoginEvent.Door.EXPERIENCE,
            request_id=request_id.get(),
            occurred_at__gte=since,
            **mine,
        )
        .order_by("-pk")
        .first()
    )
