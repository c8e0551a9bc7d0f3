"""The integration tab: what a developer copies into the application."""

from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.datasets import BaseDataset

from applications.models import Application
from applications.rules import ApplicationType
from userpools.console.place import place_of


class IntegrationTab(BaseDataset):
    """A tab beside the forms that holds the snippet, with the application's own values."""

    tab = True
    # unfold looks up by it whose rows an action was posted for; here are no rows and no actions.
    id = None
    title = _("Integration")
    model: ClassVar[type[Model]] = Application

    def __init__(self, request: HttpRequest, extra_context: dict[str, Any] | None) -> None:
        """Keep the request and which application it is; unfold would make a list of rows."""
        self.request = request
        self.application_id = str((extra_context or {})["object"])

    @property
    def contents(self) -> str:
        """The tab as HTML."""
        pool = place_of(self.request).require_pool()
        application = Application.objects.filter(pool=pool, pk=self.application_id).first()
        if application is None:
            return ""
        return render_to_string("console/integration.html", integration(application), self.request)


def integration(application: Application) -> dict[str, Any]:
    """Return what the snippets are made of."""
    offered = application.login_methods.offered().select_related("identity_source")
    sources = [method.identity_source.identifier for method in offered.order_by("position", "pk")]
    return {
        "application": application,
        "is_mini_program": application.type == ApplicationType.MINI_PROGRAM,
        "issuer": application.pool.issuer,
        "public_url": settings.PUBLIC_URL,
        # Named in the snippet only where WeChat's code alone doesn't say which source is meant.
        "identity_source": sources[0] if len(sources) > 1 else None,
    }
