"""An account's history in words: what happened, by whom, and what is known of it."""

from django.utils.translation import gettext as _

from accounts.models import AccountEvent
from accounts.words.details import details_in_words, listed

Kind = AccountEvent.Kind


def author_of(event: AccountEvent) -> str:
    """Say by whom it happened."""
    if event.operator:
        return event.operator.get_username()
    if event.application:
        return _("the person, in %(application)s") % {"application": event.application.name}
    if event.identity_source:
        return _("WeChat, for %(source)s") % {"source": event.identity_source.display_name}
    return _("a login") if event.kind == Kind.MERGED else _("a rule of Unionpass")


def facts_of(event: AccountEvent) -> str:
    """Say what is known of it besides; facts of a newer version are shown as they are."""
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
