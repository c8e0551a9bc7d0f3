"""The form of an explanation, and the mark that lets its words be translated elsewhere."""

from dataclasses import dataclass


def gettext_noop(message: str) -> str:
    """Mark a text for `makemessages`, which looks for this name, and return it as it is.

    The console translates at display time; this package knows no language but English.
    """
    return message


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an errcode means and what an operator can do, in English as source for translation."""

    meaning: str
    remedy: str
