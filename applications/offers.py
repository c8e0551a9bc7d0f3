"""What every request needs of an application: pool, login methods, secrets, redirect URIs.

They are read from memory. An `Offer` has the login methods of one way in, and knows which of them a
request means.
"""

from dataclasses import dataclass, field
from uuid import UUID

from applications.models import Application, ClientSecret, LoginMethod
from applications.rules import Way, ways_in
from config.kernel.errors import InvalidClient, InvalidRequest, LoginRefused
from config.kernel.memory import Memory
from identity_sources.gateway import is_reachable
from identity_sources.models import IdentitySource


class ApplicationDisabled(LoginRefused):
    """An operator disabled the application."""

    is_callers_doing = False
    code = "application_disabled"
    description = "This application is switched off. An operator can switch it on."


class IdentitySourceDisabled(LoginRefused):
    """An operator disabled the source, or it is a sandbox source without the sandbox."""

    is_callers_doing = False
    code = "identity_source_disabled"
    description = "This identity source is switched off. An operator can switch it on."


class LoginMethodDisabled(LoginRefused):
    """The application doesn't offer this source by this way, whether the source exists or not."""

    is_callers_doing = False
    code = "login_method_disabled"
    description = (
        "This application doesn't offer this way of logging in. An operator can switch it on."
    )


@dataclass(frozen=True)
class Offer:
    """An application and its enabled login methods of one way in, in the operator's order."""

    application: Application
    methods: list[LoginMethod]

    def choose(self, identifier: str | None) -> LoginMethod:
        """Return the login method that a request means; a source must be named only among several.

        Raises:
            ApplicationDisabled, LoginMethodDisabled, IdentitySourceDisabled: as they say.
            InvalidRequest: several sources are offered and none was named.

        """
        refuse_disabled(self.application)
        named = [
            method
            for method in self.methods
            if identifier is None or method.identity_source.identifier == identifier
        ]
        if not named:
            raise LoginMethodDisabled
        usable = [method for method in named if is_usable(method.identity_source)]
        if not usable:
            raise IdentitySourceDisabled
        if len(usable) > 1:
            raise InvalidRequest(
                "identity_source: this application offers several; name one of them.",
                field="identity_source",
            )
        return usable[0]


def refuse_disabled(application: Application) -> None:
    """Refuse a disabled application.

    Raises:
        ApplicationDisabled: it is.

    """
    if not application.enabled:
        raise ApplicationDisabled


def is_usable(source: IdentitySource) -> bool:
    """Tell whether people may log in from this source now."""
    return source.enabled and is_reachable(source)


@dataclass(frozen=True)
class KnownApplication:
    """An application with its pool; requests share it, so it must not be changed."""

    application: Application
    methods: list[LoginMethod]
    """the enabled login methods whose source isn't archived, in the operator's order"""
    secrets: list[ClientSecret] = field(repr=False)
    redirect_uris: frozenset[str]


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
        redirect_uris=frozenset(application.redirect_uris.values_list("uri", flat=True)),
    )


def load_offer(unverified_client_id: str, way: Way) -> Offer:
    """Return what the application offers by this way in, at most 2 seconds old.

    Raises:
        InvalidClient: no application has this client_id.

    """
    known = known_application(unverified_client_id)
    return Offer(known.application, [method for method in known.methods if method.way == way])


def still_offers(application: Application, source_id: UUID, way: str) -> bool:
    """Tell whether the application still offers this source by this way."""
    return any(
        method.identity_source_id == source_id
        and method.way == way
        and is_usable(method.identity_source)
        for method in known_application(application.client_id).methods
    )


def _client_secrets(application: Application) -> list[ClientSecret]:
    if application.client_authentication != Application.ClientAuthentication.CLIENT_SECRET:
        return []
    return list(application.client_secrets.all())


def _offered_methods(application: Application) -> list[LoginMethod]:
    offered = application.login_methods.offered().select_related("identity_source")
    methods = list(offered.order_by("position", "pk"))
    for method in methods:
        method.identity_source.pool = application.pool
    # The table is applied everywhere, even to a row that no form has checked.
    return [
        method
        for method in methods
        if method.way in ways_in(method.identity_source.type, application.type)
    ]
