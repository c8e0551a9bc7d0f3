"""Writing the plan to the database: everything in one transaction, or nothing."""

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from applications.client_secrets import put_in_force
from applications.manifest.entries import Manifest
from applications.manifest.plan import Action, Method, ObjectPlan, Plan, PoolPlan
from applications.manifest.planning import make_plan
from applications.manifest.planning_fields import Row
from applications.manifest.state import (
    Rows,
    Value,
    application_state,
    digest,
    load_rows,
    pool_state,
    source_state,
)
from applications.models import (
    Application,
    LoginMethod,
    PostLogoutRedirectURI,
    RedirectURI,
)
from config.kernel.database import violated_constraint
from identity_sources.models import IdentitySource
from userpools.models import UserPool
from userpools.pools import create_pool

# Two concurrent runs that create the same object meet only at a unique constraint: there is no row
# to lock yet. The second one starts again and finds the row.
_ATTEMPTS = 3
_URIS: dict[str, type[RedirectURI | PostLogoutRedirectURI]] = {
    "redirect_uris": RedirectURI,
    "post_logout_redirect_uris": PostLogoutRedirectURI,
}


class ApplyInterrupted(Exception):
    """Other runs keep changing the same rows."""


def preview(manifest: Manifest, *, overwrite: bool) -> Plan:
    """Return what `apply_manifest` would do now; nothing is written.

    Raises:
        ManifestRefused: the file can't be applied.

    """
    rows = load_rows(manifest, lock=False)
    return make_plan(manifest, rows, overwrite=overwrite, now=timezone.now())


def apply_manifest(manifest: Manifest, *, overwrite: bool) -> Plan:
    """Change the database to match the file, in one transaction, and return what was done.

    Raises:
        ManifestRefused: the file can't be applied; nothing was written.
        ApplyInterrupted: others changed the same objects at each attempt.

    """
    for _attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                return _apply_once(manifest, overwrite=overwrite)
        except (IntegrityError, ValidationError) as error:
            # Another run created the same object meanwhile; any other violation is a bug.
            if isinstance(error, IntegrityError) and not violated_constraint(error):
                raise
            last = error
    raise ApplyInterrupted from last


def _apply_once(manifest: Manifest, *, overwrite: bool) -> Plan:
    now = timezone.now()
    rows = load_rows(manifest, lock=True)
    plan = make_plan(manifest, rows, overwrite=overwrite, now=now)
    # In the order of the locks, not that of the file: two runs that create the same pools wait
    # for each other without a deadlock.
    for pool_plan in sorted(plan.pools, key=lambda part: part.pool.identifier):
        _PoolWriter(rows, now).write(pool_plan)
    return plan


class _PoolWriter:
    def __init__(self, rows: Rows, now: datetime) -> None:
        self.rows = rows
        self.now = now

    def write(self, plan: PoolPlan) -> None:
        pool = self._pool(plan.pool)
        sources = {row.identifier: row for row in self.rows.sources_in(pool.identifier)}
        for part in plan.sources:
            sources[part.identifier] = self._source(part, pool, sources.get(part.identifier))
        for part in plan.applications:
            self._application(part, pool, sources)

    def _pool(self, plan: ObjectPlan) -> UserPool:
        row = self.rows.pools.get(plan.identifier)
        if row is None:
            row = create_pool(identifier=plan.identifier, **plan.intent.values)
            _remember(row, pool_state(row))
        else:
            _set(row, plan)
            if plan.action is not Action.LEAVE:
                row.save()
            _remember(row, plan.intent.values)
        return row

    def _source(
        self, plan: ObjectPlan, pool: UserPool, row: IdentitySource | None
    ) -> IdentitySource:
        is_new = row is None
        row = row or IdentitySource(pool=pool, identifier=plan.identifier)
        _set(row, plan, "app_secret")
        app_secret = plan.intent.values.get("app_secret")
        if "app_secret" in plan.changed and isinstance(app_secret, str):
            row.set_app_secret(app_secret, now=self.now)
        row.archived_at = None
        if is_new or plan.action is not Action.LEAVE:
            row.save(force_insert=is_new)
        _remember(row, source_state(row) if is_new else plan.intent.values)
        return row

    def _application(
        self, plan: ObjectPlan, pool: UserPool, sources: Mapping[str, IdentitySource]
    ) -> None:
        row = self.rows.applications.get(plan.identifier)
        is_new = row is None
        row = row or Application(pool=pool, client_id=plan.identifier)
        _set(row, plan, "client_secret", *_URIS, "login_methods")
        if is_new or plan.action is not Action.LEAVE:
            row.save(force_insert=is_new)
        before = application_state(row, live_sources=()) if is_new else {}
        if "client_secret" in plan.changed:
            secret_hash = bytes.fromhex(str(plan.intent.values["client_secret"]))
            put_in_force(row, secret_hash, now=self.now)
        for name in plan.changed.intersection(_URIS):
            _set_redirect_uris(_URIS[name], row, plan.intent.values[name])
        if "login_methods" in plan.changed:
            _set_login_methods(row, plan.intent.methods, sources)
        _remember(row, {**before, **plan.intent.values})


def _set(row: Row, plan: ObjectPlan, *apart: str) -> None:
    for name in plan.changed.difference(apart):
        setattr(row, name, plan.intent.values[name])


def _remember(row: Row, values: Mapping[str, Value]) -> None:
    applied = {name: digest(row.pk, name, value) for name, value in values.items()}
    if row.applied != {**row.applied, **applied}:
        row.applied = {**row.applied, **applied}
        row.save(update_fields=["applied"])


def _set_redirect_uris(
    model: type[RedirectURI | PostLogoutRedirectURI], application: Application, uris: Value
) -> None:
    wanted = uris if isinstance(uris, list) else []
    registered = model._default_manager.filter(application=application)
    registered.exclude(uri__in=wanted).delete()
    for position, uri in enumerate(wanted):
        registered.update_or_create(
            application=application, uri=uri, defaults={"position": position}
        )


def _set_login_methods(
    application: Application,
    methods: tuple[Method, ...],
    sources: Mapping[str, IdentitySource],
) -> None:
    """Set the listed methods; switch off the others, whose rows sessions may still refer to."""
    offered = LoginMethod.objects.filter(application=application)
    listed = []
    for position, method in enumerate(methods):
        row, _created = offered.update_or_create(
            application=application,
            identity_source=sources[method.source],
            way=method.way,
            defaults={"enabled": method.enabled, "position": position},
            create_defaults={
                "pool_id": application.pool_id,
                "enabled": method.enabled,
                "position": position,
            },
        )
        listed.append(row.pk)
    offered.exclude(pk__in=listed).update(enabled=False)
