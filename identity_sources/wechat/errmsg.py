"""Take what is useful from `errmsg`, WeChat's free error text.

The text isn't stable, so nothing is decided by it. It ends with a request id that WeChat's support
and `POST /cgi-bin/openapi/rid/get` can look up for seven days, except for calls under `/sns/`.
"""

import re
import unicodedata

from config.kernel.redaction import redact

LONGEST_ERRMSG = 300

_RID = re.compile(r"\brid:\s*([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})(?![0-9a-f])")
_OLDER_HINT = re.compile(r"\bhints?:\s*\[\s*(?:req_id:\s*)?([!-Z\\^-~]{1,64})\s*\]")
# Control and format characters, half surrogates, line and paragraph separators: each of them can
# break a log line, a terminal or a UTF-8 encoder.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def rid_of(errmsg: str) -> str | None:
    """Return the request id: today's `rid: 8hex-8hex-8hex`, else that of an older `hints: [ ]`."""
    found = _RID.search(errmsg) or _OLDER_HINT.search(errmsg)
    return found.group(1) if found else None


def visible(errmsg: str) -> str:
    """Return the text without unsafe characters."""
    return "".join(char for char in errmsg if unicodedata.category(char) not in _UNSAFE_CATEGORIES)


def cleaned(errmsg: str) -> str:
    """Return the text without unsafe characters and secret values, cut to `LONGEST_ERRMSG`."""
    return redact(visible(errmsg))[:LONGEST_ERRMSG]
