"""Which application may use which source, by which way in: one table for endpoints and forms."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from identity_sources.models import IdentitySource

LONGEST_REFRESH_LEEWAY = 60
"""seconds in which a used refresh token may be sent again"""


class ApplicationType(models.TextChoices):
    """What kind of program the application is."""

    MINI_PROGRAM = "mini_program", _("Mini program")
    WEB = "web", _("Web application")
    SPA = "spa", _("Single-page application")
    NATIVE = "native", _("Native application")
    MACHINE = "machine", _("Machine")


class Way(models.TextChoices):
    """How a login method lets people in from a source."""

    MINI_PROGRAM = "mini_program", _("In the mini program")
    MINI_PROGRAM_SCAN = "mini_program_scan", _("PC scan with the mini program")
    WEBSITE_QR = "website_qr", _("WeChat QR code")
    OFFICIAL_ACCOUNT_H5 = "official_account_h5", _("Inside WeChat")
    OFFICIAL_ACCOUNT_FOLLOW = "official_account_follow", _("Follow the official account")
    MOBILE_APP = "mobile_app", _("WeChat on the phone")


_Source = IdentitySource.Type

_WAYS: dict[tuple[str, str], tuple[Way, ...]] = {
    (_Source.WECHAT_MINI_PROGRAM, ApplicationType.MINI_PROGRAM): (Way.MINI_PROGRAM,),
    (_Source.WECHAT_MINI_PROGRAM, ApplicationType.WEB): (Way.MINI_PROGRAM_SCAN,),
    (_Source.WECHAT_MINI_PROGRAM, ApplicationType.SPA): (Way.MINI_PROGRAM_SCAN,),
    (_Source.WECHAT_WEBSITE, ApplicationType.WEB): (Way.WEBSITE_QR,),
    (_Source.WECHAT_WEBSITE, ApplicationType.SPA): (Way.WEBSITE_QR,),
    (_Source.WECHAT_OFFICIAL_ACCOUNT, ApplicationType.WEB): (
        Way.OFFICIAL_ACCOUNT_H5,
        Way.OFFICIAL_ACCOUNT_FOLLOW,
    ),
    (_Source.WECHAT_OFFICIAL_ACCOUNT, ApplicationType.SPA): (
        Way.OFFICIAL_ACCOUNT_H5,
        Way.OFFICIAL_ACCOUNT_FOLLOW,
    ),
    # In the system's browser (RFC 8252), where a QR code is scanned with a phone.
    (_Source.WECHAT_WEBSITE, ApplicationType.NATIVE): (Way.WEBSITE_QR,),
    (_Source.WECHAT_MOBILE_APP, ApplicationType.NATIVE): (Way.MOBILE_APP,),
}

# They can keep a secret (RFC 6749 §2.1), so they must have one.
_CONFIDENTIAL = frozenset({ApplicationType.WEB, ApplicationType.MACHINE})

# Their people are redirected to our pages, and back to a redirect URI.
_REDIRECTED = frozenset({ApplicationType.WEB, ApplicationType.SPA, ApplicationType.NATIVE})


def ways_in(source_type: str, application_type: str) -> tuple[Way, ...]:
    """Return the ways in from this type of source to this type of application, the usual first."""
    return _WAYS.get((source_type, application_type), ())


def is_confidential(application_type: str) -> bool:
    """Tell whether an application of this type must authenticate.

    Only such an application may use a private key (RFC 8252 §8.5): a key in an app or a web page is
    known to everybody. (A mini program's own server may have a secret.)
    """
    return application_type in _CONFIDENTIAL


def is_redirected(application_type: str) -> bool:
    """Tell whether people log in to such an application by a browser that is redirected."""
    return application_type in _REDIRECTED


def has_people(application_type: str) -> bool:
    """Tell whether people log in to such an application at all: to a machine they don't."""
    return application_type != ApplicationType.MACHINE
