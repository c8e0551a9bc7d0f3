"""What a row refers to exists, in its pool, and the database checks it once."""

import os
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from accounts.models import (
    AuthorizationRequest,
    BindingTicket,
    BrowserSession,
    Conflict,
    DeviceAuthorization,
    LinkedAccount,
    Merge,
    Session,
    User,
)
from applications.models import Application, LoginMethod
from config.kernel.constraints import SamePool
from config.kernel.primary_keys import new_id
from identity_sources.models import IdentitySource
from tests.support import builders
from userpools.models import UserPool

MODELS = [
    model
    for model in apps.get_models()
    if model._meta.app_label in {"accounts", "applications"}
    and any(isinstance(field, models.ForeignKey) for field in model._meta.local_fields)
]


def foreign_keys(model: type[models.Model]) -> list[models.ForeignKey]:
    return [field for field in model._meta.local_fields if isinstance(field, models.ForeignKey)]


REFERENCES = [
    pytest.param(model, field, id=f"{model.__name__}-{field.name}")
    for model in MODELS
    for field in foreign_keys(model)
]


def covered(model: type[models.Model]) -> list[models.ForeignKey]:
    """Return the foreign keys that a constraint over two columns checks."""
    names = {one.field for one in model._meta.constraints if isinstance(one, SamePool)}
    return [field for field in foreign_keys(model) if field.name in names]


# What a check of the table asks for.
FITTING: dict[type[models.Model], dict[str, Any]] = {
    LinkedAccount: {"kind": "openid", "app_id": "wx1", "openid": "o1"},
    User: {"phone_number": "", "email": ""},
}


@pytest.fixture
def targets(acme):
    """A row of each model that others refer to."""
    rows: dict[type[models.Model], models.Model] = {
        UserPool: acme.pool,
        Application: acme.application,
        IdentitySource: acme.source,
        LoginMethod: acme.method,
        User: builders.make_user(acme.pool),
    }
    # In this order: each refers to those before.
    for model in (
        BrowserSession,
        Session,
        DeviceAuthorization,
        AuthorizationRequest,
        BindingTicket,
    ):
        rows[model] = insert(row_of(model, rows))
    return rows


def row_of(model: type[models.Model], targets: dict[type[models.Model], models.Model]) -> Any:
    """Return an unsaved row that may be saved, with nothing in what may be empty."""
    row = model(**FITTING.get(model, {}))
    for field in model._meta.local_fields:
        if field.null or field.primary_key or field.name in FITTING.get(model, {}):
            continue
        if isinstance(field, models.ForeignKey):
            setattr(row, field.attname, targets[field.related_model].pk)
        elif not field.has_default():
            setattr(row, field.attname, _value(field))
    if model is Merge:
        row.merged_id = builders.make_user(targets[UserPool]).pk
    if model is LoginMethod:
        row.way = "mobile_app"
    return row


def _value(field: models.Field) -> Any:
    if isinstance(field, models.BinaryField):
        return os.urandom(32)
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.UUIDField):
        return new_id()
    if isinstance(field, models.IntegerField):
        return 1
    return field.choices[0][0] if field.choices else new_id().hex[-16:]


def insert(row: Any) -> Any:
    """Insert a row as it is and check it, as a COMMIT would."""
    with transaction.atomic():
        type(row)._default_manager.bulk_create([row])
        connection.check_constraints()
    return row


def fill(row: Any, field: models.ForeignKey, key: object) -> None:
    setattr(row, field.attname, key)
    if (type(row), field.name) == (User, "merged_into"):
        row.status = User.Status.MERGED


@pytest.mark.parametrize(("model", "field"), REFERENCES)
def test_what_a_row_refers_to_exists(targets, model, field):
    """Everything else that may be empty is, so no other reference stands in for this one."""
    row = row_of(model, targets)
    fill(row, field, new_id())

    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        insert(row)


@pytest.mark.parametrize("model", MODELS)
def test_a_row_with_all_its_references_is_taken(targets, model):
    row = row_of(model, targets)
    for field in foreign_keys(model):
        if field.null and field.related_model in targets:
            fill(row, field, targets[field.related_model].pk)
    if model is Conflict:
        row.other_id = builders.make_user(targets[UserPool]).pk

    insert(row)


@pytest.mark.parametrize("model", [model for model in MODELS if covered(model)])
def test_a_reference_is_checked_once(model):
    """The pool is checked by any reference that is never empty; the row there has a pool."""
    by_others = any(not field.null for field in covered(model))
    twice = [field.name for field in covered(model) if field.db_constraint]
    if by_others and model._meta.get_field("pool").db_constraint:
        twice.append("pool")

    assert twice == []


@pytest.mark.parametrize("model", [model for model in MODELS if covered(model)])
def test_the_pool_is_checked_where_every_reference_may_be_empty(model):
    by_others = any(not field.null for field in covered(model))

    assert by_others or model._meta.get_field("pool").db_constraint


@pytest.mark.parametrize("model", [*apps.get_app_config("accounts").get_models()])
def test_no_index_is_the_beginning_of_another(model):
    complete = [list(index.fields) for index in model._meta.indexes if not index.condition]
    complete += [
        list(constraint.fields)
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
        and constraint.fields
        and not constraint.condition
    ]
    beginnings = {fields[0].removeprefix("-") for fields in complete}

    assert [
        one.name for one in foreign_keys(model) if one.db_index and one.name in beginnings
    ] == []


@pytest.mark.postgresql
def test_a_code_is_found_by_its_key_alone(db):
    """The table has the codes of minutes, so that expired ones are found without an index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'accounts_codeexchange' ORDER BY 1"
        )
        names = [name for (name,) in cursor.fetchall()]

    assert names == ["accounts_codeexchange_pkey"]


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("table", "filled"),
    [
        ("accounts_authorizationrequest", "80"),
        ("accounts_linkedaccount", "90"),
        ("accounts_refreshtoken", "90"),
    ],
)
def test_pages_leave_room_for_what_is_updated(db, table, filled):
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE oid = %s::regclass", [table])
        assert cursor.fetchone() == ([f"fillfactor={filled}"],)
