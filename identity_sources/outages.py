"""Why WeChat gave no usable answer, in words for an operator."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from identity_sources.wechat.errors import Reason

_WORDS: dict[Reason, Any] = {
    "connect_failed": _("no connection"),
    "proxy_failed": _("the proxy failed"),
    "tls_failed": _("the certificate wasn't accepted"),
    "timed_out": _("no answer in time"),
    "broken_connection": _("the connection broke"),
    "bad_status": _("an HTTP error"),
    "empty_answer": _("an empty answer"),
    "too_large": _("an answer that is too large"),
    "unreadable": _("an answer that can't be read"),
}


def outage_in_words(reason: str) -> str:
    """Return what a reason of `WeChatUnavailable` means; a word that isn't known as it is."""
    return next((str(words) for known, words in _WORDS.items() if known == reason), reason)
