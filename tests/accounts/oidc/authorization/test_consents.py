"""What people agreed to is remembered for each application, and grows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Consent
from accounts.oidc.authorization.consents import has_consented, record_consent
from tests.support import builders


@pytest.fixture
def alice(acme):
    return builders.make_user(acme.pool)


@pytest.fixture
def other(acme):
    return builders.make_application(acme.pool, client_id="acme-other")


def agree(user, application, *scope, now=None):
    record_consent(user, application, scope, now=now or timezone.now())


def test_nobody_has_agreed_who_was_never_asked(alice, acme):
    assert not has_consented(alice, acme.application, ("openid",))
    assert not has_consented(alice, acme.application, ())


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [
        ((), True),
        (("openid",), True),
        (("profile",), True),
        (("openid", "profile"), True),
        (("openid", "phone"), False),
        (("profile", "offline_access"), False),
    ],
)
def test_less_than_was_agreed_to_needs_no_question(alice, acme, asked, agreed):
    agree(alice, acme.application, "profile")

    assert has_consented(alice, acme.application, asked) is agreed


def test_it_is_for_one_application_and_one_person(alice, acme, other):
    agree(alice, acme.application, "profile")

    assert not has_consented(alice, other, ("profile",))
    assert not has_consented(builders.make_user(acme.pool), acme.application, ("profile",))


def test_what_was_agreed_to_before_stays(alice, acme):
    long_ago = timezone.now() - timedelta(days=100)
    agree(alice, acme.application, "openid", "phone", now=long_ago)
    now = timezone.now()

    agree(alice, acme.application, "openid", "profile", now=now)

    consent = Consent.objects.get()
    assert (consent.scope, consent.given_at) == ("openid profile phone", now)


def test_agreeing_again_to_the_same_changes_nothing(alice, acme):
    long_ago = timezone.now() - timedelta(days=100)
    agree(alice, acme.application, "openid", "phone", now=long_ago)

    agree(alice, acme.application, "phone")

    assert (Consent.objects.get().scope, Consent.objects.get().given_at) == (
        "openid phone",
        long_ago,
    )
