"""WeChat's side of message push: the sandbox signs and encrypts, and pushes to Acme."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import User
from identity_sources.models import IdentitySource
from identity_sources.push_keys import make_push_key
from identity_sources.sandbox.pushed_events import PushedEvent
from identity_sources.sandbox.pushes import Endpoint, push_request
from identity_sources.wechat.push import PushKey
from tests.accounts.wechat_events.addresses import URL
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.tenants import Tenant


@pytest.fixture
def push_key(acme: Tenant) -> PushKey:
    """The values in WeChat's console."""
    return make_push_key(acme.source, now=timezone.now())


@pytest.fixture
def push(push_key: PushKey) -> Callable[..., HttpResponse]:
    """Push an event about Alice, as WeChat does; each field can be changed."""

    def send(event: str, *, url: str = URL, sent_at: float | None = None, **fields: Any):
        key = fields.pop("key", push_key)
        odd_keys = fields.pop("has_odd_keys", False)
        endpoint = Endpoint(
            token=key.token,
            aes_key=key.aes_key,
            mode=fields.pop("mode", "safe"),
            format=fields.pop("format", "xml"),
        )
        told = PushedEvent(
            **{
                "app_id": builders.MINI_APP_ID,
                "person": "alice",
                "event": event,
                "created_at": 1_700_000_000,
            }
            | fields
        )
        request = push_request(told, endpoint, sent_at or time.time(), has_odd_keys=odd_keys)
        return GuardedClient().post(
            f"{url}?{request.query}", request.body, content_type=request.content_type
        )

    return send


@pytest.fixture
def alice(acme: Tenant, log_in: Callable[..., HttpResponse]) -> User:
    """Alice, who has logged in, with a nickname, an avatar and a phone number."""
    sub = log_in().json()["user"]["sub"]
    User.objects.filter(sub=sub).update(
        nickname="Alice",
        avatar_url="https://cdn.example.com/alice.png",
        phone_number="+8613800138001",
        phone_number_verified_at=timezone.now(),
    )
    return User.objects.get(sub=sub)


@pytest.fixture
def second_source(acme: Tenant) -> IdentitySource:
    """Another mini program of the same Open Platform account."""
    source = builders.make_source(
        acme.pool, identifier="acme-second", app_id=builders.SECOND_MINI_APP_ID
    )
    builders.offer(acme.application, source, position=1)
    return source
