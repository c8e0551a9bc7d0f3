"""Putting a client secret in force: the others go on working for a day, and no longer."""

from datetime import UTC, datetime, timedelta

import pytest

from applications.client_authentication import ClientCredentials, authenticate_client
from applications.client_secrets import (
    CLIENT_SECRET_OVERLAP,
    issue_client_secret,
    put_in_force,
)
from applications.models import ClientSecret
from config.kernel.encryption import token_hash
from config.kernel.errors import InvalidClient
from tests.support import builders

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIRST = builders.CLIENT_SECRET
SECOND = "a second client secret of more than 32 characters"
HOUR = timedelta(hours=1)


@pytest.fixture
def web(acme):
    return builders.make_application(
        acme.pool, client_id="acme-web", type="web", client_secret=FIRST
    )


def ends_of(application):
    """Return when each secret ends, by its hash."""
    return {bytes(row.secret_hash): row.expires_at for row in application.client_secrets.all()}


def test_another_applications_secrets_are_left_alone(acme, web):
    other = builders.make_application(
        acme.pool, client_id="acme-admin", type="web", client_secret=FIRST
    )

    issue_client_secret(web, now=NOW)

    assert ends_of(other) == {token_hash(FIRST): None}


def test_an_end_that_comes_sooner_is_not_put_off(web):
    web.client_secrets.update(expires_at=NOW + HOUR)

    issue_client_secret(web, now=NOW)

    assert ends_of(web)[token_hash(FIRST)] == NOW + HOUR


def test_an_expired_secret_does_not_come_back(web):
    web.client_secrets.update(expires_at=NOW - HOUR)

    issue_client_secret(web, now=NOW)

    with pytest.raises(InvalidClient):
        authenticate_client(web, ClientCredentials(web.client_id, FIRST), now=NOW)


def test_an_end_that_comes_later_is_brought_forward(web):
    web.client_secrets.update(expires_at=NOW + timedelta(days=30))

    issue_client_secret(web, now=NOW)

    assert ends_of(web)[token_hash(FIRST)] == NOW + CLIENT_SECRET_OVERLAP


def test_a_new_secret_lasts_and_the_one_before_works_for_a_day(web):
    secret = issue_client_secret(web, now=NOW)

    assert ends_of(web) == {
        token_hash(secret): None,
        token_hash(FIRST): NOW + timedelta(hours=24),
    }


def test_each_issue_is_another_secret_and_is_stored_as_its_hash_alone(web):
    issued = {issue_client_secret(web, now=NOW) for _ in range(5)}

    assert len(issued) == 5
    stored = str(list(ClientSecret.objects.values()))
    assert not [secret for secret in issued if secret in stored]


def test_two_issues_in_a_day_leave_the_first_end_as_it_was(web):
    issue_client_secret(web, now=NOW)
    second = issue_client_secret(web, now=NOW + HOUR)

    ends = ends_of(web)
    assert ends[token_hash(FIRST)] == NOW + CLIENT_SECRET_OVERLAP
    assert ends[token_hash(second)] is None
    assert sorted(end for end in ends.values() if end) == [
        NOW + CLIENT_SECRET_OVERLAP,
        NOW + HOUR + CLIENT_SECRET_OVERLAP,
    ]


def test_a_secret_that_is_put_in_force_again_lasts_again(web):
    put_in_force(web, token_hash(SECOND), now=NOW)
    put_in_force(web, token_hash(FIRST), now=NOW + HOUR)

    assert ends_of(web) == {
        token_hash(FIRST): None,
        token_hash(SECOND): NOW + HOUR + CLIENT_SECRET_OVERLAP,
    }


def test_putting_the_present_one_in_force_changes_nothing(web):
    put_in_force(web, token_hash(FIRST), now=NOW)

    assert ends_of(web) == {token_hash(FIRST): None}


def test_of_two_that_are_issued_at_the_same_moment_one_lasts(threaded_database, together, web):
    together(lambda _: issue_client_secret(web, now=NOW), list(range(6)))

    assert sum(end is None for end in ends_of(web).values()) == 1
