"""What every app may import; imports no app and none of the wiring.

::

    identifiers.py       validators of identifiers in URLs, YAML files and tokens
    primary_keys.py      primary keys: UUIDs, version 7
    immutable.py         fields that are set once
    constraints.py       foreign keys over several columns
    schema.py            what migrations say to PostgreSQL alone
    encryption.py        encryption at rest, keyed hashes, derived keys
    memory.py            configuration in memory, at most 2 seconds old
    rows.py              INSERTs and rows by hand, several statements in one round trip
    postgresql/          the database backend: its pool checks only idle connections
    database.py          releases a connection, names violated constraints, knows an outage
    errors.py            the errors that API clients get
    fields.py            strict serializer fields
    headers.py           headers of several endpoints
    addresses.py         the address that limits count by
    http.py              HTTP calls to other servers: their session, and the reasons of failures
    deadline_adapter.py  one time-out for a whole HTTP request
    logs.py              log lines in JSON
    redaction.py         takes secrets out of text before it reaches a log
"""
