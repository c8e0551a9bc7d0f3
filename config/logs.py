"""Log lines: one of JSON each, with the id of the request at work."""

import copy
import logging
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Write the request's id on each record, so that an answer leads to its lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class RedactedJsonFormatter(JsonFormatter):
    """JSON without what the redacting filter took out, and without what it can't look into."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Django adds the request, whose text is its URL: it may hold a token.
        super().__init__(*args, reserved_attrs=[*RESERVED_ATTRS, "request"], **kwargs)

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_text:
            # The library would format the traceback again, unredacted.
            record = copy.copy(record)
            record.exc_info = None
        return super().format(record)
