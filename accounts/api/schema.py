"""The OpenAPI description of each REST door."""

from typing import Any

from accounts.api.answers import ErrorAnswer, LoginAnswer, UserAnswer
from accounts.api.inputs import LogoutInput, MiniProgramLoginInput, ProfileInput

_BEARER: list[dict[str, list[str]]] = [{"accessToken": []}]


def _errors(*statuses: int) -> dict[int, type[ErrorAnswer]]:
    return dict.fromkeys(statuses, ErrorAnswer)


MINI_PROGRAM_LOGIN: dict[str, Any] = {
    "operation_id": "login_wechat_mini_program",
    "summary": "Log in with a mini program's code",
    "request": MiniProgramLoginInput,
    "responses": {200: LoginAnswer}
    | _errors(400, 401, 403, 405, 409, 413, 415, 429, 500, 502, 503),
    "auth": [],
    "tags": ["login"],
}
ME_GET: dict[str, Any] = {
    "operation_id": "me_read",
    "summary": "Read the person's profile",
    "responses": {200: UserAnswer} | _errors(401, 503),
    "auth": _BEARER,
    "tags": ["me"],
}
ME_PATCH: dict[str, Any] = {
    "operation_id": "me_change",
    "summary": "Change the person's nickname",
    "request": ProfileInput,
    "responses": {200: UserAnswer} | _errors(400, 401, 403, 413, 415, 503),
    "auth": _BEARER,
    "tags": ["me"],
}
LOGOUT: dict[str, Any] = {
    "operation_id": "logout",
    "summary": "Revoke a refresh token's family and end its session",
    "request": LogoutInput,
    "responses": {204: None} | _errors(400, 401, 413, 415, 503),
    "auth": [],
    "tags": ["login"],
}
