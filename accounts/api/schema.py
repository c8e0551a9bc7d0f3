"""The OpenAPI description of each REST endpoint."""

from typing import Any

from accounts.api.answers import (
    ErrorAnswer,
    LinkedAccountsAnswer,
    LoginAnswer,
    PhoneChangeAnswer,
    UserAnswer,
)
from accounts.api.inputs import (
    BindInput,
    EmailCodeInput,
    LinkInput,
    LogoutInput,
    MiniProgramLoginInput,
    PhoneInput,
    ProfileInput,
)

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
ME_PUT = ME_PATCH | {"operation_id": "me_change_by_put"}
ME_POST = ME_PATCH | {"operation_id": "me_change_by_post"}
BIND: dict[str, Any] = {
    "operation_id": "login_bind",
    "summary": "Redeem a binding ticket: a new account, or one of the person's after a proof",
    "request": BindInput,
    "responses": {200: LoginAnswer}
    | _errors(400, 401, 403, 405, 409, 413, 415, 429, 500, 502, 503),
    "auth": [],
    "tags": ["login"],
}
EMAIL_CODE: dict[str, Any] = {
    "operation_id": "login_bind_email_code",
    "summary": "Send a one-time code by e-mail, as a proof for a binding ticket",
    "request": EmailCodeInput,
    "responses": {202: None} | _errors(400, 401, 405, 413, 415, 429, 503),
    "auth": [],
    "tags": ["login"],
}
ME_DELETE: dict[str, Any] = {
    "operation_id": "me_close",
    "summary": "Close the person's account",
    "description": "Needs the scope account and a login within the last 5 minutes.",
    "request": None,
    "responses": {204: None} | _errors(401, 403, 503),
    "auth": _BEARER,
    "tags": ["me"],
}
ME_PHONE: dict[str, Any] = {
    "operation_id": "me_phone",
    "summary": "Set the person's phone number",
    "description": "Needs the scope account.",
    "request": PhoneInput,
    "responses": {200: PhoneChangeAnswer} | _errors(400, 401, 403, 409, 413, 415, 429, 503),
    "auth": _BEARER,
    "tags": ["me"],
}
LINKED_ACCOUNTS_GET: dict[str, Any] = {
    "operation_id": "linked_accounts_list",
    "summary": "List the person's WeChat identities",
    "responses": {200: LinkedAccountsAnswer} | _errors(401, 403, 503),
    "auth": _BEARER,
    "tags": ["me"],
}
LINKED_ACCOUNTS_POST: dict[str, Any] = {
    "operation_id": "linked_accounts_link",
    "summary": "Link another WeChat account by its code",
    "description": "Needs the scope account and a login within the last 5 minutes.",
    "request": LinkInput,
    "responses": {200: LinkedAccountsAnswer}
    | _errors(400, 401, 403, 409, 413, 415, 429, 500, 502, 503),
    "auth": _BEARER,
    "tags": ["me"],
}
LINKED_ACCOUNTS_DELETE: dict[str, Any] = {
    "operation_id": "linked_accounts_unlink",
    "summary": "Unlink a WeChat identity, and end the sessions that it began",
    "description": "Needs the scope account and a login within the last 5 minutes.",
    "request": None,
    "responses": {204: None} | _errors(401, 403, 404, 409, 503),
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
