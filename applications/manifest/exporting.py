"""The database as a manifest: the keys in the order of the documentation, secrets as references."""

import re
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from applications.manifest.state import APPLICATION_DEFAULTS, application_state
from applications.models import Application, LoginMethod
from applications.rules import ways_in
from identity_sources.models import IdentitySource
from userpools.models import UserPool

# Long names and URIs stay on one line, so that searches and comparisons find them.
_LINE_WIDTH = 4096


class UnknownPool(Exception):
    """No user pool has this identifier."""


def export_manifest(identifier: str | None = None) -> str:
    """Return the YAML of one pool, or of all, without archived sources.

    Raises:
        UnknownPool: no pool has this identifier.

    """
    pools = UserPool.objects.order_by("created_at", "pk")
    if identifier is not None:
        pools = pools.filter(identifier=identifier)
        if not pools.exists():
            raise UnknownPool(identifier)
    names = _SecretNames()
    return _dump({"user_pools": [_pool(pool, names) for pool in pools]})


class _SecretNames:
    """Gives every secret of an export its own environment variable."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def reference(self, *words: str) -> CommentedMap:
        base = re.sub(r"[^A-Z0-9]", "_", "_".join((*words, "secret")).upper())
        base = f"_{base}" if base[0].isdigit() else base
        name, number = base, 1
        while name in self.taken:
            number += 1
            name = f"{base}_{number}"
        self.taken.add(name)
        reference = CommentedMap(env=name)
        reference.fa.set_flow_style()
        return reference


def _pool(pool: UserPool, names: _SecretNames) -> dict[str, Any]:
    sources = pool.identity_sources.filter(archived_at=None).order_by("created_at", "pk")
    applications = pool.applications.order_by("created_at", "pk")
    return {
        "identifier": pool.identifier,
        "name": _text(pool.name),
        "merge": pool.merge,
        "genauth_compatible": pool.genauth_compatible,
        "identity_sources": [_source(pool, source, names) for source in sources],
        "applications": [_application(pool, application, names) for application in applications],
    }


def _source(pool: UserPool, source: IdentitySource, names: _SecretNames) -> dict[str, Any]:
    return {
        "identifier": source.identifier,
        "type": source.type,
        "display_name": _text(source.display_name),
        "app_id": source.app_id,
        "app_secret": names.reference(pool.identifier, source.identifier),
        "mode": source.mode,
        "registration": source.registration,
        "association": source.association,
        "enabled": source.enabled,
    }


def _application(pool: UserPool, application: Application, names: _SecretNames) -> dict[str, Any]:
    exported: dict[str, Any] = {
        "client_id": application.client_id,
        "name": _text(application.name),
        "type": application.type,
        "enabled": application.enabled,
    }
    if application.client_authentication == Application.ClientAuthentication.CLIENT_SECRET:
        exported["client_secret"] = names.reference(pool.identifier, application.client_id)
    elif application.client_authentication != Application.ClientAuthentication.NONE:
        exported["client_authentication"] = application.client_authentication
    state = application_state(application, live_sources=())
    unusual = {
        name: state[name] for name, usual in APPLICATION_DEFAULTS.items() if state[name] != usual
    }
    methods = application.login_methods.filter(identity_source__archived_at=None)
    return exported | {
        "redirect_uris": state["redirect_uris"],
        **unusual,
        "login_methods": [
            _login_method(application, method)
            for method in methods.select_related("identity_source").order_by("position", "pk")
        ],
    }


def _login_method(application: Application, method: LoginMethod) -> str | CommentedMap:
    """Return the short form if it is equivalent."""
    source = method.identity_source
    if method.enabled and method.way in ways_in(source.type, application.type)[:1]:
        return source.identifier
    long = CommentedMap(source=source.identifier, way=method.way)
    if not method.enabled:
        long["enabled"] = False
    long.fa.set_flow_style()
    return long


def _text(name: str) -> str:
    """Return a name such that rare line breaks (NEL, U+2028) are escaped: else they are lost."""
    return name if name.isprintable() else DoubleQuotedScalarString(name)


def _dump(manifest: dict[str, Any]) -> str:
    yaml = YAML(typ="rt", pure=True)
    yaml.width = _LINE_WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(manifest, stream)
    return f"{stream.getvalue().rstrip()}\n"
