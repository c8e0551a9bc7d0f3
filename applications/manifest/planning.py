"""File against database: the changes to pools and identity sources, and what is refused."""

from collections.abc import Mapping
from datetime import datetime

from applications.manifest.entries import Entry, Manifest, PoolEntry
from applications.manifest.plan import Action, Intent, ObjectPlan, Plan, PoolPlan
from applications.manifest.planning_applications import SourceTypes, plan_application
from applications.manifest.planning_fields import Planning, action_of, first_values
from applications.manifest.problems import ManifestRefused
from applications.manifest.schema import Secret
from applications.manifest.state import Rows, Value, pool_state, source_state
from identity_sources.models import IdentitySource
from userpools.models import UserPool

_POOL_FIELDS = ("name", "merge", "genauth_compatible")
_SOURCE_CONSTANTS = ("type", "app_id", "mode")
_SOURCE_FIELDS = ("display_name", "app_secret", "registration", "association", "enabled")
_SOURCE_KEYS = (
    "type",
    "display_name",
    "app_id",
    "app_secret",
    "mode",
    "registration",
    "association",
    "enabled",
)
_SOURCE_REQUIRED = ("type", "display_name", "app_id", "app_secret")


def make_plan(manifest: Manifest, rows: Rows, *, overwrite: bool, now: datetime) -> Plan:
    """Compare the file with the database and return the plan; nothing is written.

    Raises:
        ManifestRefused: with all errors, from the file's form to changes made in the console
            (which ``overwrite`` allows).

    """
    planning = Planning(manifest, rows, overwrite, now)
    plan = Plan(tuple(_plan_pool(planning, entry) for entry in manifest.pools))
    problems = [*manifest.problems, *planning.problems]
    if problems:
        raise ManifestRefused(problems)
    return plan


def _plan_pool(planning: Planning, entry: PoolEntry) -> PoolPlan:
    identifier = entry.values["identifier"]
    row = planning.rows.pools.get(identifier)
    wanted = _chosen(entry, _POOL_FIELDS)
    if row is None:
        planning.require(entry, ["name"])
        planning.check_new(entry, UserPool(identifier=identifier, **wanted), exclude=())
        action, changes = Action.CREATE, first_values(wanted)
    else:
        changes = planning.compare(entry, row, pool_state(row), wanted)
        action = action_of(changes)
    plan = ObjectPlan("user pool", identifier, identifier, action, changes, Intent(wanted))
    sources = tuple(_plan_source(planning, identifier, source) for source in entry.sources)
    types = _source_types(planning, entry)
    applications = tuple(
        plan_application(planning, identifier, application, types)
        for application in entry.applications
    )
    return PoolPlan(plan, sources, applications)


def _plan_source(planning: Planning, pool: str, entry: Entry) -> ObjectPlan:
    identifier = entry.values["identifier"]
    row = planning.rows.sources.get((pool, identifier))
    wanted = _chosen(entry, _SOURCE_KEYS if row is None else _SOURCE_FIELDS)
    if row is None:
        _check_new_source(planning, pool, entry)
        action, changes = Action.CREATE, first_values(wanted)
    else:
        planning.check_immutable(entry, row, _SOURCE_CONSTANTS)
        changes = planning.compare(entry, row, source_state(row), wanted)
        action = action_of(changes)
        if row.archived_at is not None:
            planning.require(entry, ("type", "app_id"), " to take an archived source up again")
            action = Action.TAKE_UP
    _refuse_numbers_that_nobody_gives(planning, entry, row)
    if action in {Action.CREATE, Action.TAKE_UP}:
        _refuse_second_app_id(planning, pool, entry)
    return ObjectPlan("identity source", pool, identifier, action, changes, Intent(wanted))


def _check_new_source(planning: Planning, pool: str, entry: Entry) -> None:
    planning.require(entry, _SOURCE_REQUIRED)
    if "mode" in entry.refused:
        return  # the form of an AppID depends on it
    constants = _chosen(entry, ("identifier", "display_name", *_SOURCE_CONSTANTS))
    row = IdentitySource(pool=UserPool(identifier=pool), **constants)
    planning.check_new(entry, row, exclude=("pool", "app_secret_ciphertext", "app_secret_set_at"))


def _refuse_numbers_that_nobody_gives(
    planning: Planning, entry: Entry, row: IdentitySource | None
) -> None:
    source = row or IdentitySource(type=str(entry.values.get("type", "")))
    by_phone = entry.values.get("association") == IdentitySource.Association.FIELD
    if by_phone and source.type and not source.gives_phone_numbers:
        planning.refuse(
            (*entry.path, "association"), "only a mini program gives phone numbers to match by."
        )


def _refuse_second_app_id(planning: Planning, pool: str, entry: Entry) -> None:
    for other in planning.rows.sources_in(pool):
        if (
            other.archived_at is None
            and other.app_id == entry.values.get("app_id")
            and other.identifier != entry.values["identifier"]
        ):
            planning.refuse(
                (*entry.path, "app_id"), f"is that of the pool's source {other.identifier}."
            )


def _source_types(planning: Planning, entry: PoolEntry) -> SourceTypes:
    """Return the sources that applications may name, those in the database and in the file."""
    rows = planning.rows.sources_in(entry.values["identifier"])
    archived = {row.identifier: row.type for row in rows if row.archived_at is not None}
    types: dict[str, str | None] = {
        row.identifier: row.type for row in rows if row.archived_at is None
    }
    for source in entry.sources:
        identifier = source.values["identifier"]
        known = types.get(identifier) or archived.get(identifier)
        types[identifier] = known or source.values.get("type")
    complete = "identity_sources" not in entry.refused
    return SourceTypes(types, complete=complete)


def _chosen(entry: Entry, keys: tuple[str, ...]) -> dict[str, Value]:
    """Return those of the keys that the file has, in this order, secrets in plain text."""
    values: Mapping[str, object] = entry.values
    chosen: dict[str, Value] = {}
    for key in keys:
        value = values.get(key)
        if isinstance(value, Secret):
            chosen[key] = value.value
        elif isinstance(value, str | bool):
            chosen[key] = value
    return chosen
