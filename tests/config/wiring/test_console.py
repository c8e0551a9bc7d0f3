"""The console's frame: sidebar, picker, marks."""

import pytest

from tests.support import builders
from tests.support.pages import see
from userpools.models import Membership, Operator

OF_POOL = [
    "",
    "applications/",
    "sources/",
    "users/",
    "events/",
    "review/",
    "keys/",
    "operators/",
]
INSTALLATION = {"/console/pools/", "/console/operator-accounts/"}


def test_outside_of_a_pool_an_operator_sees_no_page_of_one(admin_client, acme):
    shown = see(admin_client, "/console/pools/")

    assert "No user pool chosen" in shown.text
    assert "/console/users/" not in shown.links
    assert "/console/acme/users/" not in shown.links


def test_whoever_isnt_of_every_pool_sees_nothing_of_the_installation(admin_client):
    shown = see(admin_client, "/console/acme/")

    assert not INSTALLATION & set(shown.links)
    assert "/console/pools/add/" not in shown.links
    assert "Installation" not in shown.text


@pytest.mark.parametrize("client_name", ["admin_client", "viewer_client", "superuser_client"])
def test_the_sidebar_is_of_the_pool_and_all_of_it_opens(client_name, request, acme):
    client = request.getfixturevalue(client_name)
    shown = see(client, "/console/acme/users/")

    expected = {f"/console/acme/{page}" for page in OF_POOL}
    expected.add(f"/console/acme/pools/{acme.pool.pk}/change/")
    assert expected <= set(shown.links)
    for link in set(shown.links):
        if link.startswith("/"):
            assert client.get(link).status_code in {200, 302}, link


def test_an_operator_of_every_pool_finds_the_installation_from_everywhere(superuser_client, acme):
    for address in ("/console/acme/", "/console/pools/"):
        assert set(see(superuser_client, address).links) >= INSTALLATION


def test_the_picker_lists_the_operators_pools(admin_client, acme, globex):
    umbrella = builders.make_pool("umbrella")
    Membership.objects.create(operator=Operator.objects.get(username="ada"), pool=umbrella)

    shown = see(admin_client, "/console/acme/")

    assert {"/console/acme/", "/console/umbrella/"} <= set(shown.links)
    assert "/console/globex/" not in shown.links
    assert "Globex" not in shown.text


def test_the_sidebar_is_headed_by_the_pool(viewer_client, acme):
    acme.pool.name = "<b>Acme & Sons</b>"
    acme.pool.save()

    shown = see(viewer_client, "/console/acme/users/")

    assert "<b>Acme & Sons</b> acme" in shown.text


@pytest.mark.parametrize(("is_on", "is_marked"), [(True, True), (False, False)])
def test_made_up_people_are_marked_as_such(is_on, is_marked, viewer_client, settings):
    settings.WECHAT_SANDBOX = is_on

    assert ("Sandbox" in see(viewer_client, "/console/acme/users/").text) is is_marked


@pytest.mark.parametrize(
    "page", ["", "users/", "applications/", "applications/add/", "pools/", "operators/add/"]
)
def test_a_page_is_in_the_readers_language(page, admin_client):
    for accepted, language in (("zh-CN,zh;q=0.9", "zh-hans"), ("fr", "en")):
        answer = admin_client.get(f"/console/acme/{page}", headers={"Accept-Language": accepted})
        assert f'lang="{language}"' in answer.content.decode()


def test_the_sidebar_speaks_chinese(admin_client):
    shown = see(admin_client, "/console/acme/", **{"Accept-Language": "zh-hans"})

    assert "Overview" not in shown.text
    assert "Identity sources" not in shown.text


def test_the_page_to_sign_in_speaks_chinese(client, db):
    answer = client.get("/console/login/", headers={"Accept-Language": "zh-hans"})

    assert 'lang="zh-hans"' in answer.content.decode()


def test_the_overview_leads_to_lists_that_open(superuser_client, acme):
    builders.make_pool("umbrella")

    for pool in ("acme", "umbrella"):
        for link in see(superuser_client, f"/console/{pool}/").links:
            if link.startswith(f"/console/{pool}/"):
                assert superuser_client.get(link).status_code == 200, link
