"""Who may enter the console, and where its front door leads."""

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support import builders
from tests.support.client import signed_in
from tests.support.pages import see
from tests.userpools.console.pages import ADMINS, OF_POOLS, addresses, name_of, page, row_of
from userpools.models import Membership, Operator


def sign_in_page_of(answer):
    """Where an answer leads for signing in, and where from there, but for the pool's name."""
    assert answer.status_code == 302
    target = urlsplit(answer["Location"])
    return target.path, parse_qs(target.query)["next"]


@pytest.mark.parametrize("model", list(ADMINS), ids=name_of)
@pytest.mark.parametrize("method", ["get", "post"])
def test_whoever_isnt_signed_in_is_sent_to_sign_in_and_learns_nothing(model, method, client, acme):
    row = row_of(model, acme) if model in OF_POOLS else builders.make_operator("olga")

    for address in addresses(model):
        for pool in ("acme", "nowhere"):
            for pk in (row.pk, uuid.uuid4()):
                place = page(pool, model, address, pk)
                target = sign_in_page_of(getattr(client, method)(place))
                assert target == (f"/console/{pool}/login/", [place])


@pytest.mark.parametrize("address", ["", "password/", "password/done/"])
def test_the_frames_pages_are_behind_the_door_too(address, client, acme):
    for pool in ("acme/", "nowhere/", ""):
        place = f"/console/{pool}{address}"
        assert sign_in_page_of(client.get(place)) == (f"/console/{pool}login/", [place])


def test_the_page_to_sign_in_tells_nothing_of_a_pool(client, acme):
    acme.pool.name = "A name that nobody guesses"
    acme.pool.save()

    shown = see(client, "/console/acme/login/")

    assert acme.pool.name not in shown.text
    assert shown.text == see(client, "/console/nowhere/login/").text


def test_what_was_asked_for_is_reached_after_signing_in(client, acme):
    builders.make_operator("ada", acme.pool)
    place = "/console/acme/events/?outcome__exact=refused&when=day"

    answer = client.post(
        client.get(place)["Location"],
        {"username": "ada", "password": builders.OPERATOR_PASSWORD},
    )

    assert answer["Location"] == place


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example.com/",
        "///evil.example.com/",
        "https://evil.example.com/",
        "http:evil.example.com",
        "http:///evil.example.com/",
        "\\\\evil.example.com\\",
        "/\\evil.example.com",
        "\t//evil.example.com",
        "javascript:alert(1)",
        "https://testserver@evil.example.com/",
        "https://testserver.evil.example.com/",
        "data:text/html,x",
    ],
)
def test_signing_in_never_leads_to_another_server(target, client, acme):
    builders.make_operator("ada", acme.pool)
    fields = {"username": "ada", "password": builders.OPERATOR_PASSWORD}

    in_the_address = client.post(f"/console/login/?next={target}", fields)
    client.post("/console/logout/")
    in_the_form = client.post("/console/login/", fields | {"next": target})

    assert in_the_address["Location"] == "/console/"
    assert in_the_form["Location"] == "/console/"


def test_who_is_signed_in_needs_no_second_time(admin_client):
    assert admin_client.get("/console/login/")["Location"] == "/console/"


def test_the_front_door_leads_to_the_only_pool(admin_client):
    assert admin_client.get("/console/")["Location"] == "/console/acme/"


def test_the_front_door_leads_to_the_choice_among_several(superuser_client, acme, globex):
    assert superuser_client.get("/console/")["Location"] == "/console/pools/"

    shown = see(superuser_client, "/console/pools/")

    assert {"/console/acme/", "/console/globex/"} <= set(shown.links)


def test_the_front_door_leads_to_the_pool_of_the_last_time(superuser_client, acme, globex):
    superuser_client.get("/console/globex/")

    assert superuser_client.get("/console/")["Location"] == "/console/globex/"


def test_a_last_pool_that_isnt_the_operators_any_more_is_forgotten(acme, globex):
    olga = builders.make_operator("olga", acme.pool)
    Membership.objects.create(operator=olga, pool=globex.pool)
    client = signed_in(olga)
    client.get("/console/globex/")

    Membership.objects.filter(pool=globex.pool).delete()

    assert client.get("/console/")["Location"] == "/console/acme/"


def test_an_operator_without_a_pool_is_told_what_to_do(acme):
    nora = signed_in(builders.make_operator("nora"))

    assert nora.get("/console/")["Location"] == "/console/pools/"
    shown = see(nora, "/console/pools/")

    assert "You have no role in any user pool yet" in shown.text
    assert "acme" not in shown.text.lower()
    assert "/console/pools/add/" not in shown.links


def test_an_operator_of_every_pool_makes_the_first_one(superuser_client):
    shown = see(superuser_client, "/console/pools/")

    assert "/console/pools/add/" in shown.links


def test_a_superuser_sees_every_pool(superuser_client, acme, globex):
    for pool in ("acme", "globex"):
        assert superuser_client.get(f"/console/{pool}/").status_code == 200


def test_signing_out_is_a_post(admin_client):
    assert admin_client.get("/console/acme/logout/").status_code == 405
    assert admin_client.get("/console/acme/").status_code == 200

    answer = admin_client.post("/console/acme/logout/")

    assert answer.status_code in {200, 302}
    assert admin_client.get("/console/acme/").status_code == 302


def test_the_page_after_signing_out_tells_nothing_of_the_pool(admin_client, acme):
    answer = admin_client.post("/console/acme/logout/", follow=True)

    assert answer.status_code == 200
    assert "/console/acme/users/" not in answer.content.decode()


def test_a_session_ends_on_the_server(admin_client):
    stolen = admin_client.cookies["unionpass_operator"].value
    admin_client.post("/console/acme/logout/")

    admin_client.cookies["unionpass_operator"] = stolen

    assert admin_client.get("/console/acme/").status_code == 302


def test_an_operator_needs_no_staff_flag(admin_client):
    assert not Operator.objects.get(username="ada").is_staff
    assert admin_client.get("/console/acme/").status_code == 200
