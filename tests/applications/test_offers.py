"""What an application offers at a door, and which source a request means."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from applications.models import LoginMethod
from applications.offers import (
    ApplicationDisabled,
    IdentitySourceDisabled,
    LoginMethodDisabled,
    load_offer,
)
from applications.rules import Way
from config.kernel.errors import InvalidClient, InvalidRequest
from tests.support import builders

MINI = Way.MINI_PROGRAM


@pytest.fixture
def second(acme):
    """Acme's second mini program, offered after the first."""
    source = builders.make_source(
        acme.pool, identifier="acme-second", app_id=builders.SECOND_MINI_APP_ID
    )
    return builders.offer(acme.application, source, position=1)


def offered(client_id="acme-shop", way=MINI):
    return [method.identity_source.identifier for method in load_offer(client_id, way).methods]


def choose(identifier=None, client_id="acme-shop"):
    return load_offer(client_id, MINI).choose(identifier)


def switch_off(source):
    source.enabled = False
    source.save()


# Loading


def test_an_unknown_application_offers_nothing_to_anybody(acme):
    with pytest.raises(InvalidClient):
        load_offer("nobody", MINI)


@pytest.mark.parametrize("client_id", ["ACME-SHOP", "acme-shop ", "", "acme"])
def test_a_client_id_has_to_fit_exactly(acme, client_id):
    with pytest.raises(InvalidClient):
        load_offer(client_id, MINI)


def test_an_offer_is_loaded_by_three_queries(acme, django_assert_num_queries):
    with django_assert_num_queries(3):
        offer = load_offer("acme-shop", MINI)
        assert offer.application.pool == acme.pool
        assert offer.choose(None).identity_source.app_secret_ciphertext


def test_an_application_that_offers_nothing_is_known_all_the_same(acme):
    acme.method.delete()

    offer = load_offer("acme-shop", MINI)

    assert (offer.application, offer.methods) == (acme.application, [])
    with pytest.raises(LoginMethodDisabled):
        offer.choose(None)


def test_methods_come_in_the_operators_order(acme, second):
    assert offered() == ["acme-mini", "acme-second"]

    LoginMethod.objects.filter(pk=acme.method.pk).update(position=2)

    assert offered() == ["acme-second", "acme-mini"]


def test_a_method_that_is_switched_off_is_not_offered(acme, second):
    LoginMethod.objects.filter(pk=acme.method.pk).update(enabled=False)

    assert offered() == ["acme-second"]


def test_an_archived_source_is_not_offered(acme, second):
    acme.source.archived_at = timezone.now()
    acme.source.save()

    assert offered() == ["acme-second"]


def test_the_methods_of_another_application_are_not_offered(acme):
    builders.make_application(acme.pool, client_id="acme-other")

    assert offered("acme-other") == []


def test_the_methods_of_another_pool_are_not_offered(acme, globex):
    assert offered("acme-shop") == ["acme-mini"]
    assert offered("globex-shop") == ["globex-mini"]


@pytest.mark.parametrize("way", sorted(set(Way) - {MINI}))
def test_another_way_in_is_another_offer(acme, way):
    assert offered(way=way) == []


@pytest.mark.parametrize("kind", ["web", "spa", "native", "machine"])
def test_a_row_that_the_table_forbids_is_not_offered(acme, kind):
    other = builders.make_application(acme.pool, client_id="acme-other", type=kind)
    builders.offer(other, acme.source, way=MINI)

    assert offered("acme-other") == []


def test_a_source_of_another_type_is_not_offered_by_this_way(acme):
    website = builders.make_source(
        acme.pool, identifier="acme-site", type="wechat_website", app_id="wxsandbox00000000a"
    )
    builders.offer(acme.application, website, way=MINI)

    assert offered() == ["acme-mini"]


# Choosing


def test_the_only_source_need_not_be_named(acme):
    assert choose() == choose("acme-mini") == acme.method


def test_among_several_each_is_chosen_by_its_name(acme, second):
    assert (choose("acme-mini"), choose("acme-second")) == (acme.method, second)


def test_among_several_none_is_guessed(acme, second):
    with pytest.raises(InvalidRequest) as refusal:
        choose()

    assert refusal.value.field == "identity_source"


def test_the_only_usable_source_need_not_be_named(acme, second):
    switch_off(acme.source)

    assert choose() == second


def test_a_source_that_is_named_though_switched_off_is_refused(acme, second):
    switch_off(acme.source)

    with pytest.raises(IdentitySourceDisabled):
        choose("acme-mini")


def test_sources_that_are_all_switched_off_are_refused(acme, second):
    switch_off(acme.source)
    switch_off(second.identity_source)

    with pytest.raises(IdentitySourceDisabled):
        choose()


def test_a_sandbox_source_without_a_sandbox_is_as_good_as_switched_off(acme, settings):
    source = builders.make_source(
        acme.pool, identifier="acme-live", app_id=builders.LIVE_APP_ID, mode="live"
    )
    live = builders.offer(acme.application, source)
    settings.WECHAT_SANDBOX = False

    assert choose() == live
    with pytest.raises(IdentitySourceDisabled):
        choose("acme-mini")


@pytest.mark.parametrize("named", ["globex-mini", "nothing", "ACME-MINI", "", "acme-unoffered"])
def test_what_is_not_offered_is_refused_whether_it_exists_or_not(acme, globex, named):
    builders.make_source(acme.pool, identifier="acme-unoffered", app_id=builders.SECOND_MINI_APP_ID)

    with pytest.raises(LoginMethodDisabled):
        choose(named)


@pytest.mark.parametrize("named", [None, "acme-mini", "nothing"])
def test_a_disabled_application_is_refused_before_anything_is_said_of_its_sources(acme, named):
    acme.application.enabled = False
    acme.application.save()

    with pytest.raises(ApplicationDisabled):
        choose(named)


# Across pools


def make_method(pool, application, source):
    with transaction.atomic():
        LoginMethod.objects.create(
            pool=pool, application=application, identity_source=source, way=MINI
        )
        connection.check_constraints()


def test_the_database_refuses_a_method_that_joins_two_pools(acme, globex):
    with pytest.raises(IntegrityError):
        make_method(acme.pool, acme.application, globex.source)


def test_the_database_refuses_a_method_of_another_pools_application(acme, globex):
    with pytest.raises(IntegrityError):
        make_method(globex.pool, acme.application, globex.source)
