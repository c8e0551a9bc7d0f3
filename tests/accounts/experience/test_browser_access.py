"""Who may go to WeChat from an experience page and come back: operators, and guests."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.experience.visitors import LINK_LIVES, share
from accounts.models import LoginEvent
from applications.models import LoginMethod
from identity_sources.models import IdentitySource
from tests.accounts.experience.browsing import (
    CALLBACK,
    PAGE,
    assert_nothing_happened,
    come_back,
    set_out,
    starts,
    try_out,
)
from tests.support import builders
from tests.support.pages import Page, see

pytestmark = pytest.mark.usefixtures("site")


# Who may


def pages_of(method):
    return (f"{PAGE}/wechat/{method.pk}", f"{CALLBACK}?code=a-code&state=a-state")


def test_a_stranger_signs_in_first_and_leaves_no_code_behind(client, method, wechat):
    for page in (PAGE, *pages_of(method)):
        response = client.get(page)

        assert response["Location"] == f"/console/login/?next={PAGE}"
    assert_nothing_happened(wechat)


def test_a_viewer_may_not(viewer_client, method, wechat):
    for page in (PAGE, *pages_of(method)):
        assert viewer_client.get(page).status_code == 403
    assert_nothing_happened(wechat)


def test_an_operator_of_another_pool_finds_nothing(stranger_client, method, wechat):
    for page in (PAGE, *pages_of(method)):
        assert stranger_client.get(page).status_code == 404
    assert_nothing_happened(wechat)


@pytest.mark.parametrize("verb", ["post", "head", "put", "patch", "delete", "options"])
def test_no_other_request_leads_to_wechat_or_back(admin_client, client, method, wechat, verb):
    for page in pages_of(method):
        assert getattr(admin_client, verb)(page).status_code == 405
        assert getattr(client, verb)(page).status_code == 405
    assert_nothing_happened(wechat)


def test_nobody_logs_in_by_a_form(admin_client, wechat):
    response = admin_client.post(PAGE, {"identity_source": "acme-site", "person": "alice"})

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert_nothing_happened(wechat)


def test_a_machine_has_no_page(site, admin_client, client):
    method = builders.offer(site.machine, site.source, way="website_qr")
    page = "/experience/acme-machine"

    for address in (page, f"{page}/callback", f"{page}/wechat/{method.pk}"):
        assert admin_client.get(address).status_code == 404
        assert client.get(f"{address}?share={share(site.machine)}").status_code == 404


def test_a_mini_program_has_no_way_through_a_browser(acme, admin_client, wechat):
    page = "/experience/acme-shop"

    for address in (f"{page}/callback", f"{page}/wechat/{acme.method.pk}"):
        assert admin_client.get(address).status_code == 404
    assert_nothing_happened(wechat)


def test_a_method_of_another_application_leads_nowhere(acme, site, globex, admin_client):
    other = site.spa.login_methods.get()

    for method in (other, acme.method, globex.method):
        assert admin_client.get(f"{PAGE}/wechat/{method.pk}").status_code == 404
    assert admin_client.get(f"{PAGE}/wechat/not-a-method").status_code == 404
    assert LoginEvent.objects.count() == 0


# Guests


def test_a_guest_goes_and_comes_back_as_a_guest(client, shared_site):
    response = try_out(client, page=shared_site)

    assert "Alice Chen is now a user of Acme" in Page(response).text
    assert response.context["visitor"].is_guest
    assert "/console" not in response.content.decode()
    assert "share=" in starts(client, shared_site)[0]


def test_other_operators_with_a_link_are_guests_all_the_way(
    viewer_client, stranger_client, shared_site
):
    for guest in (viewer_client, stranger_client):
        response = try_out(guest, page=shared_site)

        assert response.context["attempt"].succeeded
        assert response.context["visitor"].is_guest


def test_a_guest_without_the_link_on_the_way_back_is_a_stranger(client, shared_site, wechat):
    at_wechat = set_out(client, shared_site)

    response = come_back(client, at_wechat, share=None)

    assert response["Location"] == f"/console/login/?next={PAGE}"
    assert_nothing_happened(wechat)


def test_a_link_ends_on_the_way_as_well(client, shared_site, wechat):
    at_wechat = set_out(client, shared_site)

    with time_machine.travel(timezone.now() + LINK_LIVES + timedelta(seconds=2)):
        assert come_back(client, at_wechat).status_code == 404
    assert_nothing_happened(wechat)


def test_a_guest_cannot_use_a_live_source(site, client, method, live_method, shared_site):
    assert len(starts(client, shared_site)) == 1
    assert "The real site" not in see(client, shared_site).text

    address = f"{PAGE}/wechat/{live_method.pk}?share={share(site.web)}"
    assert client.get(address).status_code == 404
    method.delete()
    assert client.get(shared_site).status_code == 404
    assert LoginEvent.objects.count() == 0


def archive_source(method):
    IdentitySource.objects.filter(pk=method.identity_source_id).update(archived_at=timezone.now())


def switch_method_off(method):
    LoginMethod.objects.filter(pk=method.pk).update(enabled=False)


@pytest.mark.parametrize("switch_off", [switch_method_off, archive_source])
def test_a_link_leads_nowhere_where_no_sandbox_is_offered(
    client, method, shared_site, wechat, switch_off
):
    at_wechat = set_out(client, shared_site)
    start = starts(client, shared_site)[0]
    switch_off(method)

    assert client.get(shared_site).status_code == 404
    assert client.get(start).status_code == 404
    assert come_back(client, at_wechat).status_code == 404
    assert_nothing_happened(wechat)


def test_a_link_is_offered_for_the_sandbox_alone(admin_client, client, method, live_method):
    link = see(admin_client, PAGE).text.partition("?share=")[2].split()[0]
    assert see(client, f"{PAGE}?share={link}").links

    method.delete()

    assert admin_client.get(PAGE).context["share_link"] == ""
