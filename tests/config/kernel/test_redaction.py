"""Secrets taken out of text and log records."""

import logging
import sys

import pytest

from config.kernel.redaction import RedactingFilter, redact, redact_http_logs

NAMES = ["secret", "access_token", "js_code", "code", "session_key", "openid", "refresh_token"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("template", "redacted"),
    [
        ("/p?x=1&{}=S3cr-t_%2F==&y=2 HTTP/1.1", "/p?x=1&{}=***&y=2 HTTP/1.1"),
        ("https://h/p?{}=S3cr-t_", "https://h/p?{}=***"),
        ("'/p?{}=S3cr-t_'", "'/p?{}=***'"),
        ("Session({}='S3cr-t_', y=2)", "Session({}='***', y=2)"),
        ('{{"{}":"S3cr-t_","y":2}}', '{{"{}":"***","y":2}}'),
        ('{{"{}": "S3\\"cr-t_", "y": 2}}', '{{"{}": "***", "y": 2}}'),
        ('{{"{}":"S3cr-t_', '{{"{}":"***"'),
        ('{{"{}":"S3cr-t_\\', '{{"{}":"***"\\'),
        ("{{'{}': 'S3cr-t_', 'y': 2}}", "{{'{}': '***', 'y': 2}}"),
        ('"{{\\"{}\\":\\"S3cr-t_\\",\\"y\\":2}}"', '"{{\\"{}\\":\\"***\\",\\"y\\":2}}"'),
        ('{{"{}": 123456}}', '{{"{}": ***}}'),
    ],
)
def test_a_secrets_value_is_masked(name, template, redacted):
    assert redact(template.format(name)) == redacted.format(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"errcode":40029,"errmsg":"invalid code"}',
        "errcode=40029 status_code=200 appid=wx0123456789abcdef",
        "the code is a mock one",
    ],
)
def test_text_without_secrets_stays(text):
    assert redact(text) == text


def _record(message, *args, exc_info=None):
    return logging.LogRecord("name", logging.DEBUG, "path", 1, message, args, exc_info)


def test_a_records_arguments_are_redacted():
    record = _record('"%s %s"', "GET", "/p?secret=S3cret&y=2")

    assert RedactingFilter().filter(record)
    assert record.getMessage() == '"GET /p?secret=***&y=2"'


def test_a_record_without_secrets_keeps_its_arguments():
    record = _record("%s took %d ms", "jscode2session", 12)

    assert RedactingFilter().filter(record)
    assert (record.msg, record.args) == ("%s took %d ms", ("jscode2session", 12))


def test_a_records_traceback_is_redacted():
    try:
        raise ValueError("https://h/p?secret=S3cret")  # noqa: TRY301
    except ValueError:
        record = _record("failed", exc_info=sys.exc_info())

    RedactingFilter().filter(record)

    text = logging.Formatter().format(record)
    assert "https://h/p?secret=***" in text
    assert "S3cret" not in text


def test_a_record_whose_arguments_do_not_fit_is_redacted_all_the_same():
    record = _record("%s %s", "secret=S3cret")

    assert RedactingFilter().filter(record)
    assert record.getMessage() == "%s %s ('secret=***',)"


def test_the_filter_is_put_on_a_logger_only_once():
    redact_http_logs()
    redact_http_logs()

    filters = logging.getLogger("urllib3.connectionpool").filters
    assert [type(each) for each in filters].count(RedactingFilter) == 1


DETAIL = "Failing row contains (1, +8613800138000, Ann\n\nO'Neil)."


@pytest.mark.parametrize(
    ("template", "redacted"),
    [
        ("null value\nDETAIL:  {}", "null value\nDETAIL:  ***"),
        ("null value\nDETAIL:  {}\nHINT:  Try.", "null value\nDETAIL:  ***\nHINT:  Try."),
        ("null value\nDETAIL:  {}\nCONTEXT:  f()", "null value\nDETAIL:  ***\nCONTEXT:  f()"),
        (
            "null\nDETAIL:  {}\n\nThe above exception was the cause:\n\nIt",
            "null\nDETAIL:  ***\n\nThe above exception was the cause:\n\nIt",
        ),
        ("  | null value\n  | DETAIL:  {}", "  | null value\n  | DETAIL:  ***"),
        (
            "NotNullViolation('null value\\nDETAIL:  {}",
            "NotNullViolation('null value\\nDETAIL:  ***",
        ),
    ],
)
def test_the_row_that_a_database_quotes_is_masked(template, redacted):
    assert redact(template.format(DETAIL)) == redacted
