"""An application as every request needs it: its pool, what it offers and its client secrets."""

from dataclasses import dataclass, field

from applications.models import Application, ClientSecret, LoginMethod
from applications.rules import ways_in
from config.kernel.errors import InvalidClient
from config.kernel.memory import Memory


@dataclass(frozen=True)
class KnownApplication:
    """An application with its pool; requests share it, so it must not be changed."""

    application: Application
    methods: list[LoginMethod]
    """the enabled login methods whose source isn't archived, in the operator's order"""
    secrets: list[ClientSecret] = field(repr=False)


@Memory
def known_application(unverified_client_id: str) -> KnownApplication:
    """Return the application, at most 2 seconds old.

    Raises:
        InvalidClient: no application has this client_id.

    """
    named = Application.objects.select_related("pool")
    try:
        application = named.get(client_id=unverified_client_id)
    except Application.DoesNotExist:
        raise InvalidClient from None
    return KnownApplication(
        application,
        methods=_offered_methods(application),
        secrets=_client_secrets(application),
    )


def _client_secrets(application: Application) -> list[ClientSecret]:
    if application.client_authentication != Application.ClientAuthentication.CLIENT_SECRET:
        return []
    return list(application.client_secrets.all())


def _offered_methods(application: Application) -> list[LoginMethod]:
    methods = application.login_methods.offered().select_related("identity_source")
    # The table is applied everywhere, even to a row that no form has checked.
    return [
        method
        for method in methods.order_by("position", "pk")
        if method.way in ways_in(method.identity_source.type, application.type)
    ]
