"""Log lines in JSON, with the id of the current request."""

import copy
import logging
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Add the request's id to each record, so that a response can be matched with its lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class RedactedJsonFormatter(JsonFormatter):
    """JSON without what the redacting filter removed, and without objects that it can't redact."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Django adds the request, whose text has its URL: it may contain a token.
        super().__init__(*args, reserved_attrs=[*RESERVED_ATTRS, "request"], **kwargs)

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_text:
            # The library would format the traceback again, unredacted.
            record = copy.copy(record)
            record.exc_info = None
        return super().format(record)


CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "config.kernel.logs.RequestIdFilter"},
        "redact": {"()": "config.kernel.redaction.RedactingFilter"},
    },
    "formatters": {
        "json": {
            "()": "config.kernel.logs.RedactedJsonFormatter",
            "fmt": "{asctime}{levelname}{name}{message}{request_id}",
            "style": "{",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["request_id", "redact"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # At DEBUG urllib3 writes every URL, and WeChat's URLs carry secrets.
        "urllib3": {"level": "WARNING"},
        # Without this Django's own handlers would print a second, unredacted line.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        # Four redundant lines at INFO for every sign-in.
        "axes": {"level": "WARNING"},
    },
}
