"""What the contact details of a person are called, and several things in one sentence."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy, pgettext

_DETAILS = {
    "nickname": gettext_lazy("nickname"),
    "avatar_url": gettext_lazy("avatar"),
    "phone_number": gettext_lazy("phone number"),
    "email": gettext_lazy("e-mail address"),
    "password": gettext_lazy("password"),
}


def details_in_words(columns: Iterable[str]) -> str:
    """Name contact details by their columns; one that isn't known as it is."""
    return listed(str(_DETAILS.get(column, column)) for column in columns)


def listed(things: Iterable[str]) -> str:
    """Put things one after the other, as the language does."""
    return pgettext("between the items of a list", ", ").join(things)
