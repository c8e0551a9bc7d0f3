"""REST wiring: parsing of bodies, and the answer to every error."""

import json
import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import IO, Any, NoReturn

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import logs
from config.kernel.database import AWAY
from config.kernel.errors import DomainError, InvalidClient, InvalidRequest, ServiceUnavailable
from config.kernel.fields import invalid_request

logger = logging.getLogger(__name__)

_SENTENCES: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (RequestDataTooBig, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large."),
    (SuspiciousOperation, HTTPStatus.BAD_REQUEST, "The request is malformed."),
    (Http404, HTTPStatus.NOT_FOUND, "There is nothing at this address."),
    (exceptions.NotFound, HTTPStatus.NOT_FOUND, "There is nothing at this address."),
    (PermissionDenied, HTTPStatus.FORBIDDEN, "This is not allowed."),
    (
        exceptions.UnsupportedMediaType,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "/api takes application/json, /oidc application/x-www-form-urlencoded.",
    ),
    (
        exceptions.MethodNotAllowed,
        HTTPStatus.METHOD_NOT_ALLOWED,
        "This address doesn't take this method. See the Allow header.",
    ),
)


class StrictJSONParser(BaseParser):
    """JSON in UTF-8, at most ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes, an object, no name twice."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        except RequestDataTooBig:
            _refuse_size()
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            _refuse_size()
        try:
            body = json.loads(
                raw.decode(), object_pairs_hook=_no_name_twice, parse_constant=_no_constant
            )
        except RecursionError:
            raise InvalidRequest("The body is nested too deeply.") from None
        except ValueError:
            raise InvalidRequest("The body is not JSON in UTF-8, or names a field twice.") from None
        if not isinstance(body, dict):
            raise InvalidRequest("The body must be a JSON object.")
        return body


class OneRenderer(DefaultContentNegotiation):
    """Use the view's renderer, whatever the Accept header says."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


def error_answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer any exception of a view: ``error``, ``error_description`` and ``request_id``."""
    domain_error = as_domain_error(error)
    if domain_error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(
        error, DomainError
    ):
        logger.error("An unexpected error was answered %s.", domain_error.status, exc_info=error)
    response = Response(error_body(domain_error), status=domain_error.status)
    for name, value in error_headers(domain_error).items():
        response[name] = value
    if isinstance(error, InvalidClient) and not _tried_basic(context["request"]):
        # A browser would ask its user for a password.
        del response["WWW-Authenticate"]
    if isinstance(error, exceptions.MethodNotAllowed):
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


def _tried_basic(request: Request) -> bool:
    return str(request.headers.get("Authorization", "")).lower().startswith("basic ")


def error_body(error: DomainError) -> dict[str, Any]:
    """Return the JSON body of an error."""
    return {
        "error": error.code,
        "error_description": error.description,
        "request_id": logs.request_id.get(),
        **error.extra,
    }


def error_headers(error: DomainError) -> dict[str, str]:
    """Return an error's headers: it is never cached; Retry-After and WWW-Authenticate if any."""
    headers = {"Cache-Control": "no-store"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.challenge:
        headers["WWW-Authenticate"] = error.challenge
    return headers


def as_domain_error(error: Exception) -> DomainError:
    """Translate Django's, DRF's, the database's and the cache's exceptions into ours."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, AWAY):
        return ServiceUnavailable()
    if isinstance(error, exceptions.ValidationError):
        return invalid_request(error.detail)
    for kind, status, sentence in _SENTENCES:
        if isinstance(error, kind):
            return InvalidRequest(sentence, status=status)
    if isinstance(error, exceptions.APIException):
        return InvalidRequest(
            "The request can't be understood.", status=HTTPStatus(error.status_code)
        )
    return DomainError()


@csrf_exempt
def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Answer an unknown path below /api and /oidc like every other error there."""
    error = as_domain_error(Http404())
    return JsonResponse(error_body(error), status=error.status, headers=error_headers(error))


def _refuse_size() -> NoReturn:
    raise InvalidRequest(
        f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes.",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("A name stands twice.")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")
