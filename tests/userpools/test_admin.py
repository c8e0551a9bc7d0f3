"""The console's pages of pools and operators."""

import pytest
from django.contrib.admin.models import LogEntry

from tests.support import builders
from tests.support.client import GuardedClient, signed_in
from tests.support.pages import fill_in, see, send
from userpools.models import (
    RESERVED_POOL_IDENTIFIERS,
    Membership,
    Operator,
    SigningKey,
    UserPool,
)

pytestmark = pytest.mark.rsa

NEW_POOL = "/console/pools/add/"
ACCOUNTS = "/console/operator-accounts/"
OPERATORS = "/console/acme/operators/"
PASSWORD = "a password that nobody guesses"


def errors_of(answer):
    assert answer.status_code == 200
    return answer.context["adminform"].form.errors


def pool_page(tenant):
    return f"/console/{tenant.pool.identifier}/pools/{tenant.pool.pk}/change/"


@pytest.fixture
def olga(db):
    return builders.make_operator("olga")


@pytest.mark.parametrize("place", [NEW_POOL, "/console/acme/pools/add/"])
@pytest.mark.parametrize("client_name", ["admin_client", "viewer_client"])
def test_only_operators_of_every_pool_make_pools(place, client_name, request, acme):
    client = request.getfixturevalue(client_name)

    assert client.get(place).status_code == 403
    assert client.post(place, {"name": "New", "identifier": "umbrella"}).status_code == 403
    assert UserPool.objects.count() == 1


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "acme",
        "ACME",
        "Acme",
        "acme_2",
        "-acme",
        "acme-",
        "a--b",
        "a b",
        "../x",
        "登录",
        "a" * 65,
        "a\0b",
        "users",
        "pools",
        "operator-accounts",
        "i18n",
        "login",
    ],
)
def test_an_identifier_that_cant_be_is_an_error_at_the_field(identifier, superuser_client, acme):
    answer = superuser_client.post(NEW_POOL, {"name": "New", "identifier": identifier})

    assert list(errors_of(answer)) == ["identifier"]
    assert UserPool.objects.count() == 1


def test_every_reserved_word_is_refused(superuser_client):
    for word in sorted(RESERVED_POOL_IDENTIFIERS):
        answer = superuser_client.post(NEW_POOL, {"name": "New", "identifier": word})
        assert list(errors_of(answer)) == ["identifier"], word
    assert not UserPool.objects.exists()


def test_a_pool_has_a_name(superuser_client):
    answer = superuser_client.post(NEW_POOL, {"name": " ", "identifier": "umbrella"})

    assert list(errors_of(answer)) == ["name"]


def test_a_new_pool_can_sign_and_opens_at_once(superuser_client):
    answer = fill_in(superuser_client, NEW_POOL, name="Umbrella", identifier="umbrella")

    assert answer["Location"] == "/console/umbrella/"
    assert superuser_client.get("/console/umbrella/").status_code == 200
    keys = SigningKey.objects.filter(pool__identifier="umbrella")
    assert set(keys.values_list("algorithm", "state")) == {
        ("ES256", "active"),
        ("RS256", "active"),
    }


def test_what_a_pool_is_called_inside_cant_be_posted(superuser_client):
    send(
        superuser_client,
        NEW_POOL,
        {
            "name": "Umbrella",
            "identifier": "umbrella",
            "merge": "review",
            "genauth_compatible": "on",
            "signing_keys_version": "7",
            "applied": "{}",
        },
    )

    pool = UserPool.objects.get()
    assert (pool.merge, pool.genauth_compatible, pool.signing_keys_version) == (
        "automatic",
        False,
        1,
    )


def test_a_pool_made_twice_at_once_is_made_once(threaded_database, together):
    sue = builders.make_operator("sue", is_superuser=True)
    clients = [signed_in(sue) for _ in range(4)]

    answers = together(
        lambda client: client.post(NEW_POOL, {"name": "Umbrella", "identifier": "umbrella"}),
        clients,
    )

    # Whoever was slower has an error at the field, or the page anew with a sentence on top.
    assert {answer.status_code for answer in answers} <= {200, 302}
    made = [answer for answer in answers if answer.get("Location") == "/console/umbrella/"]
    assert len(made) == 1
    assert UserPool.objects.count() == 1
    assert SigningKey.objects.count() == 2


def test_an_administrator_renames_their_pool(admin_client, acme):
    answer = fill_in(admin_client, pool_page(acme), name="Acme, renamed")

    assert answer.status_code == 302
    acme.pool.refresh_from_db()
    assert acme.pool.name == "Acme, renamed"


def test_an_identifier_never_changes(admin_client, superuser_client, acme):
    for client in (admin_client, superuser_client):
        assert "identifier" not in see(client, pool_page(acme)).names
        fill_in(client, pool_page(acme), identifier="umbrella")
        acme.pool.refresh_from_db()
        assert acme.pool.identifier == "acme"


def test_an_administrator_renames_no_other_pool(admin_client, acme, globex):
    pk = globex.pool.pk

    for place in (f"/console/acme/pools/{pk}/change/", f"/console/globex/pools/{pk}/change/"):
        assert admin_client.post(place, {"name": "Mine"}).status_code == 404
    assert admin_client.post(f"/console/pools/{pk}/change/", {"name": "Mine"}).status_code in {
        403,
        404,
    }
    globex.pool.refresh_from_db()
    assert globex.pool.name == "Globex"


def test_a_pool_isnt_changed_outside_of_it(admin_client, acme):
    answer = admin_client.post(f"/console/pools/{acme.pool.pk}/change/", {"name": "Elsewhere"})

    assert answer.status_code == 403


@pytest.mark.parametrize("client_name", ["admin_client", "superuser_client"])
def test_no_pool_is_deleted(client_name, request, acme):
    client = request.getfixturevalue(client_name)
    place = f"/console/acme/pools/{acme.pool.pk}/delete/"

    assert client.get(place).status_code == 403
    assert client.post(place, {"post": "yes"}).status_code == 403
    assert UserPool.objects.exists()


def test_the_choice_of_a_pool_names_those_of_the_operator(admin_client, globex):
    shown = see(admin_client, "/console/pools/")

    assert "/console/acme/" in shown.links
    assert "globex" not in shown.text.lower()


@pytest.mark.parametrize(
    "username", ["", " ", "nobody", "olg", "OLGA", "olga@example.com", "a\0b", "o" * 500, "%", "*"]
)
def test_a_name_that_isnt_an_operators_is_an_error_at_the_field(username, admin_client, olga):
    answer = admin_client.post(f"{OPERATORS}add/", {"username": username, "role": "viewer"})

    assert list(errors_of(answer)) == ["username"]
    assert not Membership.objects.filter(operator=olga).exists()


def test_a_role_that_doesnt_exist_is_an_error_at_the_field(admin_client, olga):
    answer = admin_client.post(f"{OPERATORS}add/", {"username": "olga", "role": "owner"})

    assert list(errors_of(answer)) == ["role"]


def test_an_operator_who_has_a_role_already_is_an_error_at_the_field(admin_client, acme):
    builders.make_operator("olga", acme.pool, role="viewer")

    answer = admin_client.post(f"{OPERATORS}add/", {"username": "olga", "role": "admin"})

    assert errors_of(answer) == {"username": ["This operator has a role in this pool already."]}
    assert Membership.objects.get(operator__username="olga").role == "viewer"


def test_an_operator_gets_a_role_by_their_whole_name(admin_client, olga, acme):
    answer = fill_in(admin_client, f"{OPERATORS}add/", username="olga", role="admin")

    assert answer["Location"] == OPERATORS
    assert Membership.objects.get(operator=olga).role == "admin"
    assert signed_in(olga).get("/console/acme/applications/add/").status_code == 200


def test_a_role_in_another_pool_is_no_hindrance(admin_client, acme, globex):
    mallory = builders.make_operator("mallory", globex.pool)

    fill_in(admin_client, f"{OPERATORS}add/", username="mallory", role="viewer")

    roles = mallory.memberships.order_by("pool__identifier").values_list("role", flat=True)
    assert list(roles) == ["viewer", "admin"]


def test_operators_who_work_elsewhere_are_listed_nowhere(admin_client, acme, globex):
    builders.make_operator("mallory", globex.pool)
    own = Membership.objects.get(operator__username="ada")

    for page in ("", "?q=mallory", "add/", f"{own.pk}/change/", f"{own.pk}/history/"):
        shown = see(admin_client, OPERATORS + page)
        assert "mallory" not in shown.text
        assert "operator" not in shown.names


def test_a_role_given_twice_at_once_is_given_once(threaded_database, together, acme):
    builders.make_operator("olga")
    ada = builders.make_operator("ada", acme.pool)
    clients = [signed_in(ada) for _ in range(4)]
    fields = {"username": "olga", "role": "viewer"}

    answers = together(lambda client: client.post(f"{OPERATORS}add/", fields), clients)

    assert {answer.status_code for answer in answers} <= {200, 302}
    assert Membership.objects.filter(operator__username="olga").count() == 1
    slower = [
        client
        for client, answer in zip(clients, answers, strict=True)
        if answer.get("Location", "").endswith("/add/")
    ]
    for client in slower:
        assert "Somebody else has just saved the same" in see(client, f"{OPERATORS}add/").text


def test_a_role_changes_and_its_operator_doesnt(admin_client, acme, olga):
    other = builders.make_operator("other")
    membership = Membership.objects.create(pool=acme.pool, operator=olga)

    fill_in(
        admin_client,
        f"{OPERATORS}{membership.pk}/change/",
        role="admin",
        operator=str(other.pk),
        username="other",
    )

    membership.refresh_from_db()
    assert (membership.role, membership.operator, membership.pool) == ("admin", olga, acme.pool)


def test_a_role_is_taken_away(admin_client, acme, olga):
    membership = Membership.objects.create(pool=acme.pool, operator=olga)
    client = signed_in(olga)
    assert client.get("/console/acme/").status_code == 200

    answer = admin_client.post(f"{OPERATORS}{membership.pk}/delete/", {"post": "yes"})

    assert answer["Location"] == OPERATORS
    assert client.get("/console/acme/").status_code == 404
    assert Operator.objects.filter(username="olga").exists()


def test_nobody_becomes_more_by_posting_more(admin_client, acme):
    membership = Membership.objects.get(operator__username="ada")
    more = {"is_superuser": "on", "is_staff": "on", "operator-is_superuser": "on"}

    fill_in(admin_client, f"{OPERATORS}{membership.pk}/change/", **more)
    fill_in(admin_client, pool_page(acme), **more)
    admin_client.post("/console/acme/password/", more)

    ada = Operator.objects.get(username="ada")
    assert (ada.is_superuser, ada.is_staff) == (False, False)


@pytest.mark.parametrize("client_name", ["admin_client", "viewer_client"])
@pytest.mark.parametrize("prefix", ["/console/", "/console/acme/"])
@pytest.mark.parametrize("page", ["", "add/", "{pk}/change/", "{pk}/password/", "{pk}/history/"])
def test_operators_accounts_are_for_operators_of_every_pool(
    client_name, prefix, page, request, acme
):
    client = request.getfixturevalue(client_name)
    target = builders.make_operator("sue", is_superuser=True)
    before = list(Operator.objects.order_by("pk").values())
    place = f"{prefix}operator-accounts/{page.format(pk=target.pk)}"
    fields = {
        "username": "eve",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "is_active": "on",
        "is_superuser": "on",
        "usable_password": "true",
    }

    assert client.get(place).status_code == 403
    assert client.post(place, fields).status_code == 403
    assert list(Operator.objects.order_by("pk").values()) == before


def test_nobody_changes_their_own_account_into_one_for_every_pool(admin_client):
    ada = Operator.objects.get(username="ada")

    answer = admin_client.post(f"{ACCOUNTS}{ada.pk}/change/", {"is_superuser": "on"})

    assert answer.status_code == 403
    ada.refresh_from_db()
    assert not ada.is_superuser


def test_no_account_is_deleted(superuser_client, olga):
    place = f"{ACCOUNTS}{olga.pk}/delete/"

    assert superuser_client.get(place).status_code == 403
    assert superuser_client.post(place, {"post": "yes"}).status_code == 403
    assert Operator.objects.filter(username="olga").exists()


def test_an_account_is_made_and_signs_in(superuser_client, client):
    answer = fill_in(
        superuser_client, f"{ACCOUNTS}add/", username="nora", password1=PASSWORD, password2=PASSWORD
    )

    nora = Operator.objects.get(username="nora")
    assert answer["Location"] == f"{ACCOUNTS}{nora.pk}/change/"
    assert (nora.is_active, nora.is_superuser, nora.is_staff) == (True, False, False)
    assert client.post("/console/login/", {"username": "nora", "password": PASSWORD})["Location"]


@pytest.mark.parametrize("password", ["", "short", "password", "12345678901"])
def test_an_account_with_a_weak_password_isnt_made(password, superuser_client):
    answer = fill_in(
        superuser_client, f"{ACCOUNTS}add/", username="nora", password1=password, password2=password
    )

    assert answer.status_code == 200
    assert not Operator.objects.filter(username="nora").exists()


def test_an_operator_becomes_one_of_every_pool(superuser_client, olga, acme):
    fill_in(superuser_client, f"{ACCOUNTS}{olga.pk}/change/", is_superuser="on")

    assert signed_in(olga).get("/console/acme/").status_code == 200


def test_an_account_is_switched_off_and_out(superuser_client, olga, acme):
    Membership.objects.create(pool=acme.pool, operator=olga)
    client = signed_in(olga)
    assert client.get("/console/acme/").status_code == 200

    fill_in(superuser_client, f"{ACCOUNTS}{olga.pk}/change/", is_active=None)

    assert client.get("/console/acme/").status_code == 302


def test_a_password_set_for_somebody_ends_their_sessions(superuser_client, olga, acme):
    Membership.objects.create(pool=acme.pool, operator=olga)
    client = signed_in(olga)
    place = f"{ACCOUNTS}{olga.pk}/password/"

    answer = send(
        superuser_client,
        place,
        {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"},
    )

    assert answer.status_code == 302
    olga.refresh_from_db()
    assert olga.check_password(PASSWORD)
    assert client.get("/console/acme/").status_code == 302


def test_what_was_done_is_noted_without_values(superuser_client, olga):
    fill_in(superuser_client, f"{ACCOUNTS}{olga.pk}/change/", email="olga@example.com")
    send(
        superuser_client,
        f"{ACCOUNTS}{olga.pk}/password/",
        {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"},
    )

    notes = " ".join(entry.change_message for entry in LogEntry.objects.all())
    assert "Email" in notes or "email" in notes
    assert "olga@example.com" not in notes
    assert PASSWORD not in notes


def test_there_are_no_groups(superuser_client):
    assert superuser_client.get("/console/groups/").status_code == 404
    assert superuser_client.get("/console/auth/group/").status_code == 404


def test_an_anonymous_post_makes_nothing(db):
    answer = GuardedClient().post(NEW_POOL, {"name": "New", "identifier": "umbrella"})

    assert answer["Location"].startswith("/console/login/")
    assert not UserPool.objects.exists()
