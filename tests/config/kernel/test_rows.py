"""Rows by hand are the ORM's: what is stored, what is read, and what goes wrong."""

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import MultipleObjectsReturned
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.utils import timezone
from psycopg import errors

from accounts.models import (
    AuthorizationCode,
    AuthorizationRequest,
    BrowserSession,
    CodeExchange,
    LinkedAccount,
    LoginEvent,
    RefreshToken,
    Session,
    User,
    WeChatState,
)
from config.kernel.database import violated_constraint
from config.kernel.primary_keys import new_id
from config.kernel.rows import (
    Columns,
    Joined,
    Statement,
    insertion,
    one_round_trip,
    send,
    use_up,
    uuid_parameter,
)
from tests.support import builders
from tests.support.statements import round_trips
from userpools.models import UserPool

NOW = timezone.now()
LOGGED = [
    User,
    LinkedAccount,
    Session,
    RefreshToken,
    LoginEvent,
    CodeExchange,
    AuthorizationRequest,
    WeChatState,
    BrowserSession,
    AuthorizationCode,
]


@pytest.fixture
def session(acme):
    """A stored session of a stored user, which the rows of the models refer to."""
    stored = a_session(acme, builders.make_user(acme.pool))
    stored.save()
    return stored


def a_session(acme, user, **fields):
    usual = {
        "pool": acme.pool,
        "user": user,
        "identity_source": acme.source,
        "application": acme.application,
        "way": "mini_program",
        "auth_time": NOW,
    }
    return Session(**usual | fields)


def a_token(session, **fields):
    usual = {
        "pool": session.pool,
        "session": session,
        "family": new_id(),
        "token_hash": uuid.uuid4().bytes,
        "scope": "openid offline_access",
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=1),
        "family_expires_at": NOW + timedelta(days=2),
    }
    return RefreshToken(**usual | fields)


def few_fields(model, acme, session):
    """Return a row with as few values as possible; the others are defaults."""
    usual = {"pool": acme.pool}
    return {
        User: lambda: User(**usual),
        LinkedAccount: lambda: LinkedAccount(
            **usual,
            user=session.user,
            kind="openid",
            app_id="wx1",
            openid="o",
            first_seen_at=NOW,
            last_seen_at=NOW,
        ),
        Session: lambda: a_session(acme, session.user),
        RefreshToken: lambda: a_token(session),
        LoginEvent: lambda: LoginEvent(**usual, application=acme.application, occurred_at=NOW),
        CodeExchange: lambda: CodeExchange(key="k", expires_at=NOW),
        AuthorizationRequest: lambda: a_request(acme),
        WeChatState: lambda: a_state(acme),
        BrowserSession: lambda: BrowserSession(
            **usual,
            user=session.user,
            identity_source=acme.source,
            way="website_qr",
            secret_hash=b"s" * 32,
            auth_time=NOW,
            expires_at=NOW,
        ),
        AuthorizationCode: lambda: AuthorizationCode(
            **usual,
            session=session,
            code_hash=b"c" * 32,
            redirect_uri="https://shop.example.com/",
            scope="openid",
            expires_at=NOW,
        ),
    }[model]()


def a_request(acme, **fields):
    usual = {
        "pool": acme.pool,
        "application": acme.application,
        "handle_hash": uuid.uuid4().bytes,
        "browser_hash": b"b" * 32,
        "expires_at": NOW,
    }
    return AuthorizationRequest(**usual | fields)


def a_state(acme):
    request = a_request(acme)
    request.save()
    return WeChatState(
        request=request, login_method=acme.method, state_hash=b"s" * 32, expires_at=NOW
    )


def many_fields(model, acme, session):
    """Return a row whose values are hard to write: JSON, bytes, other alphabets, quotes."""
    text = "爱丽 'Alice' \"%s\" \\ 🌸"
    row = few_fields(model, acme, session)
    more = {
        User: {"nickname": text, "phone_number": "+861", "phone_number_verified_at": NOW},
        LinkedAccount: {"openid": text, "unionid": "u", "wechat_identity": new_id()},
        Session: {"ended_at": NOW},
        RefreshToken: {"used_at": NOW, "scope": text},
        LoginEvent: {
            "identity_source": acme.source,
            "user": session.user,
            "sid": session.pk,
            "door": "rest",
            "wechat_errcode": -1,
            "wechat_milliseconds": 0,
            "unionid_added": True,
            "steps": [{"step": text, "ms": 1, "facts": {"a": None, "b": [True, 1.5, ""]}}],
        },
        CodeExchange: {"key": text, "answer_ciphertext": bytes(range(256))},
        AuthorizationRequest: {"session": session, "parameters": {"a": text}, "answered_at": NOW},
        WeChatState: {"used_at": NOW},
        BrowserSession: {"ended_at": NOW},
        AuthorizationCode: {"nonce": text, "code_challenge": "c" * 43, "used_at": NOW},
    }[model]
    for name, value in more.items():
        setattr(row, name, value)
    return row


def stored_values(model, key):
    """Return what is in the table's columns, as the database gives it."""
    table, primary = model._meta.db_table, model._meta.pk
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT {columns} FROM "{table}" WHERE "{primary.column}" = %s',  # noqa: S608 - names of the models
            [primary.get_db_prep_value(key, connection)],
        )
        return [
            bytes(value) if isinstance(value, memoryview) else value for value in cursor.fetchone()
        ]


def fields_of(row):
    """Return the value of each field, with its type."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: (type(value), value) for name, value in values.items()}


def state_of(row):
    return row._state  # noqa: SLF001 - documented by Django


@pytest.fixture(params=[few_fields, many_fields], ids=["few", "many"])
def make(request, acme, session):
    return lambda model: request.param(model, acme, session)


# INSERTs


@pytest.mark.parametrize("model", LOGGED)
def test_an_insertion_stores_what_save_stores(time_machine, make, model):
    time_machine.move_to(NOW, tick=False)
    row = make(model)

    row.save(force_insert=True)
    by_the_orm = stored_values(model, row.pk)
    model.objects.filter(pk=row.pk).delete()
    state_of(row).adding = True
    with transaction.atomic():
        send(insertion(row))

    assert stored_values(model, row.pk) == by_the_orm
    # The same values; a default that is a constant of an enumeration is read as its text.
    for name, (_, value) in fields_of(model.objects.get(pk=row.pk)).items():
        assert getattr(row, name) == value


@pytest.mark.parametrize("model", LOGGED)
def test_an_inserted_row_counts_as_stored(make, model):
    row = make(model)
    with transaction.atomic():
        send(insertion(row))

    assert (state_of(row).adding, state_of(row).db) == (False, "default")
    row.save()
    assert model.objects.filter(pk=row.pk).count() == 1


@pytest.mark.parametrize("model", LOGGED)
def test_every_column_is_written_by_name(make, model):
    sql = insertion(make(model)).sql

    assert sql.startswith(f'INSERT INTO "{model._meta.db_table}" (')
    for field in model._meta.concrete_fields:
        assert f'"{field.column}"' in sql
    assert sql.count("%s") == len(model._meta.concrete_fields)


@pytest.mark.parametrize("model", LOGGED)
def test_no_model_of_a_login_does_more_when_it_is_saved(model):
    """An INSERT by hand calls neither `save` nor signals."""
    assert model.save is models.Model.save
    for signal in (models.signals.pre_save, models.signals.post_save):
        assert not signal.has_listeners(model)


def test_parameters_are_not_shown():
    assert "secret" not in repr(Statement("INSERT", ["secret"]))


def test_on_conflict_the_clause_decides(acme, session):
    clause = 'ON CONFLICT ("key") DO UPDATE SET "answer_ciphertext" = EXCLUDED."answer_ciphertext"'
    first = CodeExchange(key="k", expires_at=NOW, answer_ciphertext=b"1")
    second = CodeExchange(key="k", expires_at=NOW + timedelta(1), answer_ciphertext=b"2")

    with transaction.atomic():
        send(insertion(first))
        send(insertion(second, clause))

    row = CodeExchange.objects.get()
    assert (bytes(row.answer_ciphertext), row.expires_at) == (b"2", NOW)


# SELECTs


@pytest.mark.parametrize("model", LOGGED)
def test_a_row_from_columns_is_the_orms(make, model):
    make(model).save(force_insert=True)
    columns = Columns(model, "t")

    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {columns.sql} FROM "{model._meta.db_table}" t')  # noqa: S608 - names of the models
        found = [columns.row(values) for values in cursor.fetchall()]

    stored = {row.pk: row for row in model.objects.all()}
    assert {row.pk for row in found} == stored.keys()
    for row in found:
        assert fields_of(row) == fields_of(stored[row.pk])
        assert (state_of(row).adding, state_of(row).db) == (False, "default")
        assert row.get_deferred_fields() == set()


def test_columns_have_the_alias_and_a_count():
    columns = Columns(CodeExchange, "found")

    assert columns.sql == 'found."key", found."answer_ciphertext", found."expires_at"'
    assert columns.count == 3


def test_a_uuid_is_a_parameter_that_finds_its_row(acme):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT identifier FROM userpools_userpool WHERE id = %s",
            [uuid_parameter(acme.pool.pk)],
        )
        assert cursor.fetchall() == [("acme",)]


# Rows of several models


_BOTH = Joined(request=AuthorizationRequest, session=Session)
_FIND = (
    f"SELECT {_BOTH.sql} FROM accounts_authorizationrequest request"  # noqa: S608 - names of columns
    " LEFT JOIN accounts_session session ON session.id = request.session_id"
    " WHERE request.browser_hash = %s"
)


def test_one_look_up_gives_a_row_of_each_model(acme, session):
    stored = a_request(acme, session=session)
    stored.save()

    request, its_session = _BOTH.one(_FIND, [b"b" * 32])

    assert fields_of(request) == fields_of(AuthorizationRequest.objects.get())
    assert fields_of(its_session) == fields_of(Session.objects.get())


def test_a_row_that_an_outer_join_does_not_find_is_none(acme):
    a_request(acme).save()

    request, its_session = _BOTH.one(_FIND, [b"b" * 32])

    assert (request, its_session) == (AuthorizationRequest.objects.get(), None)


def test_a_look_up_without_a_result_is_none(acme):
    assert _BOTH.one(_FIND, [b"b" * 32]) is None


def test_a_look_up_that_is_not_unique_is_an_error(acme):
    for _ in range(2):
        a_request(acme).save()

    with pytest.raises(MultipleObjectsReturned):
        _BOTH.one(_FIND, [b"b" * 32])


# Rows that are used up


def test_a_row_is_used_up_once(acme):
    row = a_request(acme)
    row.save()

    assert use_up(row, "answered_at", NOW) is True
    assert use_up(row, "answered_at", NOW + timedelta(1)) is False
    assert AuthorizationRequest.objects.get().answered_at == NOW


def test_other_columns_change_with_it_and_other_rows_stay(acme, session):
    row, other = a_request(acme), a_request(acme)
    for one in (row, other):
        one.save()

    assert use_up(row, "answered_at", NOW, session=session.pk)
    assert not use_up(row, "answered_at", NOW, session=None)

    stored = AuthorizationRequest.objects.get(pk=row.pk)
    assert (stored.answered_at, stored.session) == (NOW, session)
    assert AuthorizationRequest.objects.get(pk=other.pk).answered_at is None


def test_a_row_that_is_gone_cannot_be_used_up(acme):
    assert use_up(a_request(acme), "answered_at", NOW) is False


# One round trip


@pytest.mark.postgresql
@pytest.mark.parametrize("times", [1, 2, 6])
def test_several_statements_are_one_round_trip(acme, times):
    rows = [CodeExchange(key=f"k{number}", expires_at=NOW) for number in range(times)]
    with transaction.atomic():
        with round_trips() as alone:
            CodeExchange.objects.count()
        with round_trips() as together:
            send(*map(insertion, rows))

    assert together == alone == ["statement"]
    assert CodeExchange.objects.count() == times


@pytest.mark.postgresql
def test_results_of_several_statements_are_there_afterwards(acme):
    with connection.cursor() as first, connection.cursor() as second:
        with round_trips() as made, one_round_trip():
            first.execute("SELECT identifier FROM userpools_userpool")
            second.execute("SELECT 1 + %s", [1])
        assert made == ["together"]
        assert first.fetchall() == [("acme",)]
        assert second.fetchall() == [(2,)]


def test_without_a_connection_there_is_one(transactional_db):
    connection.close()

    with one_round_trip(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert connection.connection is not None


def test_nothing_to_send_is_nothing(db):
    with transaction.atomic():
        send()


# What goes wrong


def key_of(number):
    return CodeExchange(key=f"k{number}", expires_at=NOW)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_violated_constraint_has_its_name_wherever_it_is(acme, place):
    key_of("taken").save(force_insert=True)
    rows = [key_of(number) for number in range(2)]
    rows.insert(place, key_of("taken"))

    with pytest.raises(IntegrityError) as violated, transaction.atomic():
        send(*map(insertion, rows))

    assert type(violated.value) is IntegrityError
    assert violated_constraint(violated.value) == "accounts_codeexchange_pkey"
    assert [row.key for row in CodeExchange.objects.all()] == ["ktaken"]


@pytest.mark.postgresql
def test_the_cause_of_a_violation_is_psycopgs(acme):
    with pytest.raises(IntegrityError) as violated, transaction.atomic():
        send(insertion(key_of(1)), insertion(key_of(1)))

    assert type(violated.value.__cause__) is errors.UniqueViolation


def test_what_comes_after_a_failed_statement_does_not_happen(transactional_db):
    """Not even where the statements before it stay: without a transaction."""
    with pytest.raises(IntegrityError):
        send(insertion(key_of(1)), insertion(key_of(1)), insertion(key_of(2)))

    assert "k2" not in CodeExchange.objects.values_list("key", flat=True)


def test_a_faulty_statement_is_djangos_error(db):
    with pytest.raises(DatabaseError), transaction.atomic():
        send(Statement("SELECT nonsense FROM nowhere", []))


def test_the_connection_serves_on_after_a_failure(acme):
    for _ in range(2):
        with pytest.raises(IntegrityError), transaction.atomic():
            send(insertion(key_of(1)), insertion(key_of(1)))

    with transaction.atomic():
        send(insertion(key_of(1)))
    assert CodeExchange.objects.count() == 1
    assert UserPool.objects.count() == 1


def test_an_error_of_ours_passes_through(db):
    def fail():
        with one_round_trip(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
