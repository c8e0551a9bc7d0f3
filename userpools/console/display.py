"""Formatting that several pages of the console use."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _


def ago(moment: datetime) -> str:
    """Return how long ago it was; the exact time shows on hovering."""
    is_new = timezone.now() - moment < timedelta(minutes=1)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        date_format(moment, "DATETIME_FORMAT"),
        _("just now") if is_new else _("%(time)s ago") % {"time": timesince(moment, depth=1)},
    )
