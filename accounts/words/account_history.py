"""The history of an account in words: events, authors, and the names of contact details."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import AccountEvent

Kind = AccountEvent.Kind

_DETAILS = {
    "nickname": gettext_lazy("nickname"),
    "avatar_url": gettext_lazy("avatar"),
    "phone_number": gettext_lazy("phone number"),
    "email": gettext_lazy("e-mail address"),
    "password": gettext_lazy("password"),
}


def author_of(event: AccountEvent) -> str:
    """Return the author of an event."""
    if event.operator:
        return event.operator.get_username()
    if event.application:
        return _("the person, in %(application)s") % {"application": event.application.name}
    if event.identity_source:
        return _("WeChat, for %(source)s") % {"source": event.identity_source.display_name}
    return _("a login") if event.kind == Kind.MERGED else _("a rule of Unionpass")


def facts_of(event: AccountEvent) -> str:
    """Return the other facts of an event; facts of a newer version are shown as they are."""
    other = event.facts.get("other", "")
    if event.kind == Kind.MERGE_UNDONE:
        return _("%(other)s and this user are two again.") % {"other": other}
    if event.kind == Kind.MERGED and event.facts.get("survivor") == event.user.sub:
        return _("%(other)s was merged into this user.") % {"other": other}
    if event.kind == Kind.MERGED:
        return _("This user was merged into %(other)s.") % {"other": other}
    if event.facts.get("suspended") is True:
        return _("It was suspended at the time, and stays refused.")
    if "fields" in event.facts:
        return details_in_words(event.facts["fields"])
    return listed(f"{name}: {fact}" for name, fact in event.facts.items())


def details_in_words(columns: Iterable[str]) -> str:
    """Return the names of contact details for columns; an unknown column is shown as it is."""
    return listed(str(_DETAILS.get(column, column)) for column in columns)


def listed(things: Iterable[str]) -> str:
    """Join things with the separator of the active language."""
    return pgettext("between the items of a list", ", ").join(things)
