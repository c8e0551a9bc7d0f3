"""In which pool a request is, and by which role."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest

from tests.support import builders
from tests.support.client import signed_in
from userpools.console.place import Place, find_place, operator_of, pools_of, role_in
from userpools.models import Membership


def test_nobody_has_no_place_whether_the_pool_exists_or_not(acme):
    assert find_place(AnonymousUser(), "acme") == Place(named="acme")
    assert find_place(AnonymousUser(), "nowhere") == Place(named="nowhere")
    assert find_place(AnonymousUser(), None) == Place()


@pytest.mark.parametrize("named", ["acme", "nowhere"])
def test_a_pool_of_others_is_hidden_as_one_that_doesnt_exist(named, acme, globex):
    mallory = builders.make_operator("mallory", globex.pool)

    place = find_place(mallory, named)

    assert place == Place(named=named)
    assert place.is_hidden
    assert not place.may_change
    with pytest.raises(Http404):
        place.require_pool()


def test_outside_of_pools_nothing_is_hidden_and_nothing_may_change(acme):
    place = find_place(builders.make_operator("sue", is_superuser=True), None)

    assert not place.is_hidden
    assert not place.may_change
    with pytest.raises(Http404):
        place.require_pool()


@pytest.mark.parametrize(("role", "may_change"), [("viewer", False), ("admin", True)])
def test_a_role_says_who_may_change(role, may_change, acme):
    operator = builders.make_operator("olga", acme.pool, role=role)

    place = find_place(operator, "acme")

    assert (place.pool, place.role, place.may_change) == (acme.pool, role, may_change)
    assert place.require_pool() == acme.pool


def test_an_inactive_operator_has_no_role(acme):
    olga = builders.make_operator("olga", acme.pool, is_active=False)
    sue = builders.make_operator("sue", is_superuser=True, is_active=False)

    assert role_in(olga, acme.pool) is None
    assert role_in(sue, acme.pool) is None


def test_an_operator_of_every_pool_changes_each_and_sees_all(acme, globex):
    sue = builders.make_operator("sue", is_superuser=True)

    assert list(pools_of(sue)) == [acme.pool, globex.pool]
    assert role_in(sue, globex.pool) == "admin"


def test_pools_are_by_name_and_those_of_the_operator(acme, globex):
    umbrella = builders.make_pool("umbrella")
    olga = builders.make_operator("olga", umbrella)
    Membership.objects.create(operator=olga, pool=acme.pool)

    assert list(pools_of(olga)) == [acme.pool, umbrella]
    assert list(pools_of(builders.make_operator("nora"))) == []


def test_no_role_counts_in_another_pool(acme, globex):
    ada = builders.make_operator("ada", acme.pool)

    assert role_in(ada, globex.pool) is None


def test_most_operators_cost_two_queries(acme, django_assert_max_num_queries):
    ada = builders.make_operator("ada", acme.pool)

    with django_assert_max_num_queries(2):
        find_place(ada, "acme")


def test_a_page_without_an_operator_is_not_found():
    request = HttpRequest()
    request.user = AnonymousUser()

    with pytest.raises(Http404):
        operator_of(request)


def test_who_is_made_inactive_is_out_at_once(acme):
    olga = builders.make_operator("olga", acme.pool)
    client = signed_in(olga)
    assert client.get("/console/acme/").status_code == 200

    olga.is_active = False
    olga.save()

    assert client.get("/console/acme/")["Location"].startswith("/console/acme/login/")
    assert client.post("/console/acme/applications/add/").status_code == 302


def test_who_has_no_role_any_more_is_out_at_once(acme):
    client = signed_in(builders.make_operator("olga", acme.pool))
    assert client.get("/console/acme/").status_code == 200

    Membership.objects.all().delete()

    assert client.get("/console/acme/").status_code == 404
    assert client.post("/console/acme/applications/add/").status_code == 404
    # The way in doesn't lead there either, although it was the last one.
    assert client.get("/console/")["Location"] == "/console/pools/"


def test_an_administrator_who_becomes_a_viewer_only_looks_at_once(acme):
    client = signed_in(builders.make_operator("olga", acme.pool))
    assert client.get("/console/acme/applications/add/").status_code == 200

    Membership.objects.update(role="viewer")

    assert client.get("/console/acme/applications/").status_code == 200
    assert client.get("/console/acme/applications/add/").status_code == 403
    assert client.post("/console/acme/applications/add/").status_code == 403


def test_an_operator_of_every_pool_who_is_it_no_more_is_out_at_once(acme):
    sue = builders.make_operator("sue", is_superuser=True)
    client = signed_in(sue)
    assert client.get("/console/acme/").status_code == 200

    sue.is_superuser = False
    sue.save()

    assert client.get("/console/acme/").status_code == 404
    assert client.get("/console/operator-accounts/").status_code == 403
    assert client.get("/console/pools/add/").status_code == 403
