"""Log lines: JSON, with the request's id, and without what nobody may read."""

import contextvars
import json
import logging
from typing import Any

from django.test import Client

from config.kernel import logs


def printed(record: logging.LogRecord) -> dict[str, Any]:
    """Return a record as the configured handler prints it."""
    stderr = next(one for one in logging.getLogger().handlers if one.name == "stderr")
    assert stderr.filter(record)
    return json.loads(stderr.format(record))


def record(message: str, *args: object, exc_info: Any = None) -> logging.LogRecord:
    return logging.LogRecord("acme.test", logging.INFO, __file__, 1, message, args, exc_info)


def test_a_line_carries_the_id_of_its_request():
    token = logs.request_id.set("request-1")

    line = printed(record("Something %s.", "happened"))

    logs.request_id.reset(token)
    assert line == {
        "time": line["time"],
        "level": "INFO",
        "logger": "acme.test",
        "message": "Something happened.",
        "request_id": "request-1",
    }


def test_a_line_outside_a_request_says_so():
    line = contextvars.Context().run(printed, record("Something happened."))

    assert line["request_id"] == "-"


def test_a_secret_in_a_message_is_masked():
    line = printed(record("GET /sns/jscode2session?appid=wx1&secret=%s&js_code=abc", "hunter2"))

    assert line["message"] == "GET /sns/jscode2session?appid=wx1&secret=***&js_code=***"


def test_a_secret_in_a_traceback_is_masked():
    try:
        raise ValueError("https://api.example/?access_token=hunter2")  # noqa: TRY301
    except ValueError as error:
        line = printed(record("Failed.", exc_info=(type(error), error, error.__traceback__)))

    assert "hunter2" not in json.dumps(line)
    assert "access_token=***" in line["exc_info"]


def test_a_token_in_the_address_of_a_refused_request_is_not_printed(db, caplog):
    Client().get("/api/v1/me?access_token=hunter2")

    [refusal] = [one for one in caplog.records if one.name == "django.request"]
    assert "hunter2" in repr(refusal.request)
    assert printed(refusal) == {
        "time": refusal.asctime,
        "level": "WARNING",
        "logger": "django.request",
        "message": "Unauthorized: /api/v1/me",
        "request_id": refusal.request_id,
        "status_code": 401,
    }


def test_the_http_library_writes_no_urls():
    assert logging.getLogger("urllib3").getEffectiveLevel() == logging.WARNING


def test_a_refusal_is_printed_once():
    assert logging.getLogger("django").handlers == []
    assert logging.getLogger("django.server").handlers == []
