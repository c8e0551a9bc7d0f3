"""Take secrets out of text before it reaches a log.

WeChat expects AppSecrets, tokens and codes in query strings, and urllib3 logs every URL at DEBUG.
What is recognised is a named value: `name=value` as in a URL or a form, and `"name": "value"` as in
JSON (also JSON within a string of JSON) or a Python repr, even when cut off within the value. So is
the detail of a database's error, which quotes the row or the key that was refused.
"""

import logging
import re
import traceback

MASK = "***"

_NAMES = (
    "secret|appsecret|client_secret|access_token|refresh_token|id_token"
    "|js_code|code|phone_code|code_verifier|session_key"
    "|openid|unionid|phoneNumber|purePhoneNumber"
)
_IN_QUERY = re.compile(rf"""(?<![\w-])({_NAMES})=(["']?)[^&\s"'<>#]+""", re.IGNORECASE)
_IN_JSON = re.compile(
    rf"""(?<![\w-])((?:{_NAMES})\\*["']\s*:\s*)"""
    r"""(?:(")(?:[^"\\]|\\.)*"?|(')(?:[^'\\]|\\.)*'?|(\\+")[^"]*"?|[\w.+-]+)""",
    re.IGNORECASE | re.DOTALL,
)
# PostgreSQL writes it below its message; the row that it quotes may hold any line. It ends at the
# next field of the error, at the next exception of a chain, or with the text.
# https://www.postgresql.org/docs/current/protocol-error-fields.html
_DATABASE_DETAIL = re.compile(
    r"((?:^|\\n)[ |]*DETAIL:\s*)"
    r".*?(?=(?:\n|\\n)[ |]*(?:HINT|CONTEXT|LINE \d+|STATEMENT):"
    r"|\n[ |\n]*(?:The above exception|During handling)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_LOGGERS_THAT_QUOTE_URLS = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.util.retry",
)


def redact(text: str) -> str:
    """Return the text with the values of secret, personal and single-use parameters masked."""
    without_rows = _DATABASE_DETAIL.sub(rf"\1{MASK}", text)
    return _IN_JSON.sub(_masked_json, _IN_QUERY.sub(rf"\1=\2{MASK}", without_rows))


def _masked_json(found: re.Match[str]) -> str:
    name, *quotes = found.groups(default="")
    quote = "".join(quotes)
    return f"{name}{quote}{MASK}{quote}"


class RedactingFilter(logging.Filter):
    """Redact a record's message and traceback, not its extra fields; filter out no record."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = _message_of(record)
        redacted = redact(message)
        # Unchanged otherwise: formatters may use a dict or the arguments.
        if redacted != message:
            record.msg, record.args = redacted, None
        if record.exc_info and not record.exc_text:
            lines = traceback.format_exception(*record.exc_info)
            # If `exc_text` is set, formatters print it and don't format the traceback again.
            record.exc_text = redact("".join(lines).rstrip("\n"))
        return True


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        # Handlers tolerate a message that doesn't fit its arguments; a filter has to as well.
        return f"{record.msg} {record.args!r}"


_FILTER = RedactingFilter()


def redact_http_logs() -> None:
    """Put the filter on urllib3's loggers that quote URLs. Calling it again changes nothing."""
    for name in _LOGGERS_THAT_QUOTE_URLS:
        logging.getLogger(name).addFilter(_FILTER)
