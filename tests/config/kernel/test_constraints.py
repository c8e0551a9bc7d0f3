"""SamePool: the database itself refuses a row that names something of another pool."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import LinkedAccount, RefreshToken, Session
from applications.models import LoginMethod
from config.kernel.constraints import SamePool
from tests.support import builders


def refused(write: Callable[[], Any]) -> None:
    """Expect the database to refuse what was written, at the end of the transaction."""

    def transact() -> None:
        with transaction.atomic():
            write()
            connection.check_constraints()

    with pytest.raises(IntegrityError):
        transact()


def write_login_method(pool, application, source):
    return LoginMethod.objects.create(
        pool=pool, application=application, identity_source=source, way="mini_program"
    )


def write_session(pool, user, application, source):
    return Session.objects.create(
        pool=pool,
        user=user,
        application=application,
        identity_source=source,
        way="mini_program",
        auth_time=timezone.now(),
    )


def write_refresh_token(pool, session):
    now = timezone.now()
    return RefreshToken.objects.create(
        pool=pool,
        session=session,
        token_hash=b"h" * 32,
        scope="openid",
        created_at=now,
        expires_at=now,
        family_expires_at=now,
    )


def write_linked_account(pool, user):
    return LinkedAccount.objects.create(
        pool=pool,
        user=user,
        kind="openid",
        app_id="wx",
        openid="o",
        first_seen_at=timezone.now(),
        last_seen_at=timezone.now(),
    )


@pytest.mark.parametrize("foreign", ["pool", "application", "source"])
def test_a_login_method_is_of_one_pool(acme, globex, foreign):
    acme.method.delete()
    row = {"pool": acme.pool, "application": acme.application, "source": acme.source}

    refused(lambda: write_login_method(**row | {foreign: getattr(globex, foreign)}))

    write_login_method(**row)
    connection.check_constraints()


@pytest.mark.parametrize("foreign", ["pool", "user", "application", "source"])
def test_a_session_is_of_one_pool(acme, globex, foreign):
    row = {
        "pool": acme.pool,
        "user": builders.make_user(acme.pool),
        "application": acme.application,
        "source": acme.source,
    }
    others = {
        "pool": globex.pool,
        "user": builders.make_user(globex.pool),
        "application": globex.application,
        "source": globex.source,
    }

    refused(lambda: write_session(**row | {foreign: others[foreign]}))

    write_session(**row)
    connection.check_constraints()


def test_a_linked_account_is_of_its_users_pool(acme, globex):
    user = builders.make_user(acme.pool)

    refused(lambda: write_linked_account(globex.pool, user))

    write_linked_account(acme.pool, user)
    connection.check_constraints()


def test_a_refresh_token_is_of_its_sessions_pool(acme, globex):
    session = write_session(acme.pool, builders.make_user(acme.pool), acme.application, acme.source)

    refused(lambda: write_refresh_token(globex.pool, session))

    write_refresh_token(acme.pool, session)
    connection.check_constraints()


def test_a_row_cant_be_moved_to_another_pool_later(acme, globex):
    refused(lambda: LoginMethod.objects.filter(pk=acme.method.pk).update(pool=globex.pool))
    refused(lambda: type(acme.source).objects.filter(pk=acme.source.pk).update(pool=globex.pool))


@pytest.mark.django_db(transaction=True)
def test_the_refusal_comes_with_the_commit(acme, globex):
    with pytest.raises(IntegrityError), transaction.atomic():
        write_login_method(acme.pool, acme.application, globex.source)

    assert not LoginMethod.objects.filter(identity_source=globex.source, pool=acme.pool).exists()


def test_every_constraint_has_its_name_in_the_database(db):
    names = {constraint.name for constraint in LoginMethod._meta.constraints}
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'applications_loginmethod'")
            found = cursor.fetchone()[0]
        else:
            cursor.execute(
                "SELECT string_agg(conname, ' ') FROM pg_constraint "
                "WHERE conrelid = 'applications_loginmethod'::regclass"
            )
            found = cursor.fetchone()[0]

    assert {name for name in names if name in found} == names


def test_the_migrations_describe_the_models(db):
    # Exits with 1 where a model, or a constraint after its round trip, differs from a migration.
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_a_constraint_survives_its_round_trip_through_a_migration():
    constraint = SamePool(name="a", field="user")

    path, args, kwargs = constraint.deconstruct()

    assert (path, args) == ("config.kernel.constraints.SamePool", ())
    assert SamePool(**kwargs) == constraint
    assert hash(SamePool(**kwargs)) == hash(constraint)
    assert constraint.clone() == constraint


@pytest.mark.parametrize("change", [{"name": "b"}, {"field": "owner"}])
def test_a_changed_constraint_is_another(change):
    fields = {"name": "a", "field": "user"}

    assert SamePool(**fields) != SamePool(**fields | change)
    assert SamePool(**fields) != "a"


@pytest.mark.parametrize("method", ["constraint_sql", "create_sql", "remove_sql"])
def test_a_constraint_without_a_model_is_a_mistake(method):
    with pytest.raises(ValueError, match=r"^A constraint is made on a model"):
        getattr(SamePool(name="a", field="user"), method)(None, None)


def test_a_constraint_over_a_plain_column_is_a_mistake():
    constraint = SamePool(name="a", field="way")
    editor = connection.SchemaEditorClass(connection, collect_sql=True)

    with pytest.raises(TypeError, match=r"^applications.LoginMethod.way and .pool must be foreign"):
        constraint.create_sql(LoginMethod, editor)


@pytest.mark.django_db(transaction=True)
def test_a_constraint_can_be_removed_and_made_again(acme, globex):
    constraint = next(
        one
        for one in LoginMethod._meta.constraints
        if one.name == "applications_loginmethod_source_pool"
    )
    with connection.schema_editor() as editor:
        editor.remove_constraint(LoginMethod, constraint)
    with connection.schema_editor() as editor:
        editor.add_constraint(LoginMethod, constraint)

    refused(lambda: write_login_method(acme.pool, acme.application, globex.source))
