"""Which application may use which source, by which way in: one table for every door and form."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from identity_sources.models import IdentitySource


class ApplicationType(models.TextChoices):
    """What kind of program the application is."""

    MINI_PROGRAM = "mini_program", _("Mini program")
    WEB = "web", _("Web application")
    SPA = "spa", _("Single-page application")
    NATIVE = "native", _("Native application")
    MACHINE = "machine", _("Machine")


class Way(models.TextChoices):
    """By which way a person comes in from a source."""

    MINI_PROGRAM = "mini_program", _("In the mini program")
    MINI_PROGRAM_SCAN = "mini_program_scan", _("PC scan with the mini program")
    WEBSITE_QR = "website_qr", _("WeChat QR code")
    OFFICIAL_ACCOUNT_H5 = "official_account_h5", _("Inside WeChat")
    OFFICIAL_ACCOUNT_FOLLOW = "official_account_follow", _("Follow the official account")
    MOBILE_APP = "mobile_app", _("WeChat on the phone")


_SourceType = IdentitySource.Type
_WEB_TYPES = (ApplicationType.WEB, ApplicationType.SPA)

_WAYS: dict[tuple[str, str], tuple[Way, ...]] = {
    (_SourceType.WECHAT_MINI_PROGRAM, ApplicationType.MINI_PROGRAM): (Way.MINI_PROGRAM,),
    (_SourceType.WECHAT_MOBILE_APP, ApplicationType.NATIVE): (Way.MOBILE_APP,),
} | {
    (source, application): ways
    for application in _WEB_TYPES
    for source, ways in (
        (_SourceType.WECHAT_MINI_PROGRAM, (Way.MINI_PROGRAM_SCAN,)),
        (_SourceType.WECHAT_WEBSITE, (Way.WEBSITE_QR,)),
        (
            _SourceType.WECHAT_OFFICIAL_ACCOUNT,
            (Way.OFFICIAL_ACCOUNT_H5, Way.OFFICIAL_ACCOUNT_FOLLOW),
        ),
    )
}


def ways_in(source_type: str, application_type: str) -> tuple[Way, ...]:
    """Return the ways by which such a source can serve such an application; the first is usual."""
    return _WAYS.get((source_type, application_type), ())
