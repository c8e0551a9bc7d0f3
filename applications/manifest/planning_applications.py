"""File against database: applications, with their redirect URIs, login methods and secrets."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from applications.manifest.entries import ApplicationEntry, Entry
from applications.manifest.plan import Action, FieldChange, Intent, Method, ObjectPlan
from applications.manifest.planning_fields import (
    Planning,
    action_of,
    field_change,
    first_values,
)
from applications.manifest.schema import suggestion
from applications.manifest.state import Value, application_state, digest, secret_hash_of
from applications.models import Application
from applications.redirect_uris import validate_redirect_uri
from applications.rules import is_confidential, ways_in
from config.kernel.encryption import token_hash

_Authentication = Application.ClientAuthentication

# The fields that the model checks together.
_SETTINGS = ("client_authentication", "jwks", "pkce", "allows_device_flow")
_PLAIN_KEYS = (
    "name",
    "enabled",
    "client_authentication",
    "jwks",
    "signing_algorithm",
    "pkce",
    "requires_consent",
    "allows_device_flow",
    "refresh_leeway",
    "backchannel_logout_uri",
)


@dataclass(frozen=True)
class SourceTypes:
    """The sources of a pool that are there after this apply, with their types."""

    types: Mapping[str, str | None]
    """identifier → type, None if the file has no valid one"""
    complete: bool
    """False when the file has sources whose identifiers can't be read"""


def plan_application(
    planning: Planning, pool: str, entry: ApplicationEntry, sources: SourceTypes
) -> ObjectPlan:
    """Return the changes to one application; errors are noted in ``planning``."""
    client_id = entry.values["client_id"]
    row = planning.rows.applications.get(client_id)
    if row is not None and row.pool.identifier != pool:
        planning.refuse((*entry.path, "client_id"), "belongs to another user pool.")
        return ObjectPlan("application", pool, client_id, Action.LEAVE, (), Intent({}))
    application_type = row.type if row else entry.values.get("type")
    methods = _methods(planning, entry, application_type, sources)
    wanted = _wanted(entry, methods)
    _check_redirect_uris(planning, entry.redirect_uris, application_type)
    _check_redirect_uris(planning, entry.post_logout_redirect_uris, application_type)
    if row is not None or _is_complete(planning, entry):
        _check_settings(planning, entry, row, wanted)
    if row is None:
        if "type" in entry.values:
            wanted = {"type": entry.values["type"], **wanted}
        action, changes = Action.CREATE, first_values(wanted)
    else:
        planning.check_immutable(entry, row, ["type"])
        changes = _compare(planning, entry, row, wanted, sources)
        action = action_of(changes)
    return ObjectPlan("application", pool, client_id, action, changes, Intent(wanted, methods))


def _is_complete(planning: Planning, entry: ApplicationEntry) -> bool:
    """Refuse a new application with missing keys; tell whether it is complete."""
    complete = planning.require(entry, ("name", "type"))
    authentication = entry.values.get("client_authentication")
    if authentication == _Authentication.PRIVATE_KEY_JWT:
        return complete
    if authentication == _Authentication.CLIENT_SECRET or is_confidential(
        str(entry.values.get("type"))
    ):
        why = ": a confidential application needs a secret"
        return planning.require(entry, ["client_secret"], why) and complete
    return complete


def _check_settings(
    planning: Planning,
    entry: ApplicationEntry,
    row: Application | None,
    wanted: Mapping[str, Value],
) -> None:
    """Refuse combinations of settings that the model refuses."""
    if "client_secret" in entry.values and not _proves_by_secret(wanted):
        planning.refuse(
            (*entry.path, "client_authentication"),
            f"must be {_Authentication.CLIENT_SECRET} where a client_secret is given.",
        )
    elif entry.refused.isdisjoint(_SETTINGS) and not wanted.keys().isdisjoint(_SETTINGS):
        present = {name: getattr(row, name) for name in _SETTINGS} if row else {}
        settings = present | {name: wanted[name] for name in wanted.keys() & set(_SETTINGS)}
        application_type = row.type if row else entry.values["type"]
        try:
            Application(type=application_type, **settings).refuse_contradictions()
        except ValidationError as error:
            for key, reasons in error.message_dict.items():
                planning.refuse((*entry.path, key), " ".join(reasons))


def _proves_by_secret(wanted: Mapping[str, Value]) -> bool:
    return wanted["client_authentication"] == _Authentication.CLIENT_SECRET


def _wanted(entry: ApplicationEntry, methods: tuple[Method, ...]) -> dict[str, Value]:
    wanted: dict[str, Value] = {
        key: entry.values[key] for key in _PLAIN_KEYS if key in entry.values
    }
    if "client_secret" in entry.values:
        wanted.setdefault("client_authentication", str(_Authentication.CLIENT_SECRET))
        wanted["client_secret"] = token_hash(entry.values["client_secret"].value).hex()
    for key, uris in (
        ("redirect_uris", entry.redirect_uris),
        ("post_logout_redirect_uris", entry.post_logout_redirect_uris),
    ):
        if _is_whole(entry, key, uris):
            wanted[key] = [uri.values["uri"] for uri in uris]
    if _is_whole(entry, "login_methods", methods):
        wanted["login_methods"] = [str(method) for method in methods if method.enabled]
    return wanted


def _is_whole(entry: ApplicationEntry, key: str, items: Sized) -> bool:
    """Tell whether the list is there with all its items.

    A list with a refused item isn't compared: that would only repeat the refusal.
    """
    return key in entry.values and len(items) == len(entry.values[key])


def _compare(
    planning: Planning,
    entry: ApplicationEntry,
    row: Application,
    wanted: Mapping[str, Value],
    sources: SourceTypes,
) -> tuple[FieldChange, ...]:
    current = application_state(row, live_sources=sources.types)
    wanted = dict(wanted)
    client_secret = wanted.get("client_secret")
    if isinstance(client_secret, str):
        if _is_current_secret(planning, row, client_secret):
            del wanted["client_secret"]
        elif _was_rotated_away(row, client_secret):
            return _rotated_away(planning, entry, row, current, wanted)
    return planning.compare(entry, row, current, wanted)


def _is_current_secret(planning: Planning, row: Application, secret_hash: str) -> bool:
    """Tell whether the file's secret works and, if it expires, the console began its rotation.

    If `apply` itself rotated it away, a file that returns to it must not count as up to date: the
    application would be locked out at the end of the overlap.
    """
    return any(
        secret_hash_of(secret) == secret_hash
        and secret.is_usable(planning.now)
        and (secret.expires_at is None or _was_applied_last(row, secret_hash))
        for secret in row.client_secrets.all()
    )


def _was_rotated_away(row: Application, secret_hash: str) -> bool:
    return _was_applied_last(row, secret_hash) or any(
        secret_hash_of(secret) == secret_hash for secret in row.client_secrets.all()
    )


def _was_applied_last(row: Application, secret_hash: str) -> bool:
    return bool(row.applied.get("client_secret") == digest(row.pk, "client_secret", secret_hash))


def _rotated_away(
    planning: Planning,
    entry: ApplicationEntry,
    row: Application,
    current: Mapping[str, Value],
    wanted: Mapping[str, Value],
) -> tuple[FieldChange, ...]:
    if not planning.overwrite:
        planning.refuse(
            (*entry.path, "client_secret"),
            "is a secret that was rotated away: if it leaked, it must not come back. Give the "
            "application's present secret, or run again with --overwrite.",
        )
    rest = {name: value for name, value in wanted.items() if name != "client_secret"}
    change = field_change("client_secret", current["client_secret"], wanted["client_secret"])
    return (*planning.compare(entry, row, current, rest), change)


def _check_redirect_uris(
    planning: Planning, uris: tuple[Entry, ...], application_type: str | None
) -> None:
    first: dict[str, Entry] = {}
    for uri in uris:
        text = uri.values["uri"]
        if text in first:
            planning.refuse(uri.path, "stands in the list twice.")
        first[text] = uri
        if application_type is None:
            continue  # what is allowed depends on it
        try:
            validate_redirect_uri(text, application_type)
        except ValidationError as error:
            planning.refuse(uri.path, " ".join(error.messages))


def _methods(
    planning: Planning,
    entry: ApplicationEntry,
    application_type: str | None,
    sources: SourceTypes,
) -> tuple[Method, ...]:
    methods: list[Method] = []
    for item in entry.login_methods:
        way = _way(planning, item, application_type, sources)
        if way is None:
            continue
        method = Method(item.values["source"], way, item.values.get("enabled", True))
        if any((method.source, method.way) == (other.source, other.way) for other in methods):
            planning.refuse(item.path, f"stands in the list twice ({method}).")
        methods.append(method)
    return tuple(methods)


def _way(
    planning: Planning, item: Entry, application_type: str | None, sources: SourceTypes
) -> str | None:
    """Return the item's way in, None if it can't be determined or is refused."""
    identifier = item.values["source"]
    if identifier not in sources.types:
        if sources.complete:
            close = suggestion(identifier, list(sources.types))
            planning.refuse(item.path, f"the pool has no identity source of this name.{close}")
        return None
    source_type = sources.types[identifier]
    if source_type is None or application_type is None:
        return None
    ways = [str(way) for way in ways_in(source_type, application_type)]
    if not ways:
        reason = f"an application of type {application_type} can't use a {source_type}."
        planning.refuse(item.path, reason)
        return None
    way = item.values.get("way", ways[0])
    if way not in ways:
        reason = f"this application can use this source by {' or '.join(ways)} only."
        planning.refuse((*item.path, "way"), reason)
        return None
    return str(way)
