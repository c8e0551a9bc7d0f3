"""Show a call to WeChat and its answer without secrets and personal data.

By allow-lists: of a parameter or field that isn't known to be harmless only the name is shown.
WeChat's answers are untrusted, so names, texts and their number are limited as well.
"""

import json
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from urllib.parse import urlencode

from config.kernel.redaction import MASK, redact

LONGEST_REQUEST = 500
LONGEST_ERRMSG = 300
MOST_FIELDS = 20

_SHOWN_PARAMETERS = frozenset({"appid", "grant_type", "force_refresh"})
_SHOWN_NUMBERS = frozenset({"errcode", "expires_in"})
_SHOWN_FIELDS = _SHOWN_NUMBERS | {"errmsg"}
_NUMBER = re.compile(r"-?[0-9]{1,9}")
# Without digits, which nearly every code, token and OpenID has, and every phone number.
_PLAIN_NAME = re.compile(r"[A-Za-z_]{1,40}")
# A shorter value might occur in WeChat's text by chance.
_SHORTEST_SECRET = 8
_MOST_VALUES = 100
# Control and format characters, half surrogates, line and paragraph separators: each of them can
# break a log line, a terminal or a UTF-8 encoder.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

Values = Mapping[str, str | bool]


def shown_request(method: str, url: str, query: Values, body: Values | None) -> str:
    """Return one line: method, URL with parameters, and the JSON body if there is one."""
    shown = f"{method} {url}"
    if query:
        shown += f"?{urlencode(_shown_parameters(query), safe=MASK)}"
    if body is not None:
        shown += f" {json.dumps(_shown_parameters(body), ensure_ascii=False)}"
    return shown[:LONGEST_REQUEST]


def shown_answer(answer: Mapping[str, object], secrets: Iterable[str]) -> dict[str, str | int]:
    """Return errcode, errmsg and expires_in as they are, and `***` for every other field.

    `secrets` are the values that the call sent. A name that may be a value is masked, too.
    """
    hidden = {*secrets, *_values_of(answer)}
    errmsg = cleaned(errmsg_without(answer, secrets))
    return {
        _shown_name(name, hidden): errmsg if name == "errmsg" else _shown_value(name, value)
        for name, value in islice(answer.items(), MOST_FIELDS)
    }


def errmsg_without(answer: Mapping[str, object], secrets: Iterable[str]) -> str:
    """Return WeChat's error text without the call's secrets and the answer's other values."""
    text = answer.get("errmsg")
    # First, so that no invisible character hides a value from the search.
    errmsg = _visible(text) if isinstance(text, str) else ""
    # The longest first: a shorter one may be a part of it.
    for value in sorted({*secrets, *_values_of(answer)}, key=len, reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            errmsg = errmsg.replace(value, MASK)
    return errmsg


def cleaned(errmsg: str) -> str:
    """Return the text without unsafe characters and secret values, cut to `LONGEST_ERRMSG`."""
    return redact(_visible(errmsg))[:LONGEST_ERRMSG]


def _visible(errmsg: str) -> str:
    return "".join(char for char in errmsg if unicodedata.category(char) not in _UNSAFE_CATEGORIES)


def _shown_parameters(values: Values) -> dict[str, str | bool]:
    return {name: value if name in _SHOWN_PARAMETERS else MASK for name, value in values.items()}


def _shown_name(name: str, hidden: set[str]) -> str:
    return name if _PLAIN_NAME.fullmatch(name) and name not in hidden else MASK


def _shown_value(name: str, value: object) -> str | int:
    if name in _SHOWN_NUMBERS and isinstance(value, str | int) and _NUMBER.fullmatch(str(value)):
        return value
    return MASK


def _values_of(answer: Mapping[str, object]) -> Iterator[str]:
    """Yield the texts and numbers in an answer that aren't shown, nested ones too."""
    waiting = deque(value for name, value in answer.items() if name not in _SHOWN_FIELDS)
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        value = waiting.popleft()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str | int):
            yield str(value)
