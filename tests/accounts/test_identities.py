"""The rows of an identity, where somebody else is at work on them at the same time."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.exchange import WeChatIdentity
from accounts.identities import find_identities
from accounts.models import LinkedAccount
from tests import builders

IDENTITY = WeChatIdentity(openid="oSANDBOX_alice", unionid="oSANDBOX_alices_union")


@pytest.fixture
def user(acme):
    return builders.make_user(acme.pool)


@pytest.fixture
def found_by_unionid(acme, user):
    """What a login found, that knew the UnionID only, before another one added the OpenID."""
    now = timezone.now()
    shared = {"pool": acme.pool, "user": user, "first_seen_at": now, "last_seen_at": now}
    LinkedAccount.objects.create(kind="unionid", unionid=IDENTITY.unionid, **shared)
    with transaction.atomic():
        found = find_identities(acme.source, IDENTITY)
    LinkedAccount.objects.create(
        kind="openid", app_id=acme.source.app_id, openid=IDENTITY.openid, **shared
    )
    return found


def test_an_openid_that_came_meanwhile_is_not_another_one(found_by_unionid, user):
    assert found_by_unionid.by_openid is None
    assert found_by_unionid.has_another_openid(user) is False


def test_an_openid_that_came_meanwhile_is_met_when_it_is_added(found_by_unionid, user):
    with pytest.raises(IntegrityError), transaction.atomic():
        found_by_unionid.add_missing(user, now=timezone.now())
