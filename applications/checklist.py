"""The steps that are missing before somebody can log in to an application."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from applications.models import Application
from applications.offers import is_usable
from applications.rules import ApplicationType, is_redirected
from identity_sources.models import IdentitySource


@dataclass(frozen=True, kw_only=True)
class Item:
    """One step; ``done`` is None if only WeChat's console shows it."""

    done: bool | None
    sentence: str
    source: IdentitySource | None = None
    """whose page has the details"""


def checklist(application: Application, *, now: datetime) -> list[Item]:
    """Return the steps for this type of application, in order."""
    items = [Item(done=application.enabled, sentence=_("The application is switched on."))]
    if application.type == ApplicationType.MACHINE:
        return [*items, *_proof(application, now)]
    methods = list(application.login_methods.offered().select_related("identity_source"))
    items += [
        Item(done=bool(methods), sentence=_("A login method is offered (login control).")),
        *_sources([method.identity_source for method in methods]),
        *_proof(application, now),
    ]
    if is_redirected(application.type):
        is_there = application.redirect_uris.exists()
        items.append(Item(done=is_there, sentence=_("A redirect URI is registered.")))
    return items


def _sources(sources: list[IdentitySource]) -> list[Item]:
    items = []
    if sources:
        usable = any(is_usable(source) for source in sources)
        items.append(Item(done=usable, sentence=_("An offered identity source is switched on.")))
    items += [
        Item(
            done=False,
            sentence=_("WeChat accepts the settings of “%(source)s”.") % {"source": source},
            source=source,
        )
        for source in {source.pk: source for source in sources}.values()
        if source.failing_since
    ]
    if any(
        source.mode == IdentitySource.Mode.LIVE
        and source.type == IdentitySource.Type.WECHAT_MINI_PROGRAM
        for source in sources
    ):
        items.append(_domain())
    return items


def _domain() -> Item:
    if not settings.PUBLIC_URL.startswith("https://"):
        return Item(
            done=False,
            sentence=_(
                "Mini programs on phones call https only: set PUBLIC_URL to an https address."
            ),
        )
    return Item(
        done=None,
        sentence=_("In WeChat's console, %(url)s stands among the request 合法域名.")
        % {"url": settings.PUBLIC_URL},
    )


def _proof(application: Application, now: datetime) -> list[Item]:
    match application.client_authentication:
        case Application.ClientAuthentication.NONE:
            return []
        case Application.ClientAuthentication.PRIVATE_KEY_JWT:
            sentence = _("The application's public keys are registered.")
            return [Item(done=bool(application.jwks), sentence=sentence)]
    usable = application.client_secrets.usable(now).exists()
    return [Item(done=usable, sentence=_("The application has a client secret."))]
