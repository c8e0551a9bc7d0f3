"""Redeeming a binding ticket as an application's server does, and being refused."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.binding.proofs import PasswordProof
from accounts.binding.redeeming import BindRequest, bind
from accounts.models import LinkedAccount, Session
from applications.client_authentication import ClientCredentials
from tests.support import builders

RIGHT = PasswordProof(email="ann@example.com", password=builders.MEMBERS_PASSWORD)


def redeem(word, proof=None, *, client_id="acme-shop", secret=None, after=timedelta(), **fields):
    client = ClientCredentials(client_id, secret)
    request = BindRequest(client=client, ticket=word, proof=proof, **fields)
    return bind(request, now=timezone.now() + after)


def refused(refusal_class, *arguments, **fields):
    """Assert that redeeming is refused and gives nobody an identity; return the refusal."""
    before = LinkedAccount.objects.count(), Session.objects.count()
    with pytest.raises(refusal_class) as caught:
        redeem(*arguments, **fields)
    assert type(caught.value) is refusal_class
    assert (LinkedAccount.objects.count(), Session.objects.count()) == before
    return caught.value
