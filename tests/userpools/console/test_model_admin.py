"""What all pages of pools' rows have in common, asked of every page that there is."""

import json
import re
import uuid

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import BinaryField

from accounts.models import LoginEvent, User
from applications.models import Application
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.client import GuardedClient, signed_in
from tests.support.pages import fill_in, see
from tests.userpools.console.pages import (
    ADMINS,
    NOT_ONE_ROWS,
    OF_POOLS,
    addresses,
    addresses_of_row,
    addresses_that_change,
    everything,
    name_of,
    page,
    row_of,
    traces,
)
from userpools.console.model_admin import PoolModelAdmin
from userpools.models import Membership, Operator, SigningKey, UserPool

pytestmark = pytest.mark.rsa

each_model = pytest.mark.parametrize("model", OF_POOLS, ids=name_of)
each_model_of_all = pytest.mark.parametrize("model", list(ADMINS), ids=name_of)
METHODS = ("get", "post")


def secrets_of(tenant):
    """What no page may show."""
    keys = SigningKey.objects.filter(pool=tenant.pool)
    return [
        tenant.source.app_secret(),
        *(json.loads(key.private_jwk())["d"] for key in keys),
        *Operator.objects.values_list("password", flat=True),
    ]


def words_of(answer, pool):
    """What an answer says, but for its address and the token against forgery."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode()).replace(
        pool, ""
    )


@each_model
def test_a_model_of_pools_has_pages_of_one_pool(model):
    assert isinstance(ADMINS[model], PoolModelAdmin)


@each_model_of_all
def test_a_pool_isnt_there_for_another_pools_operator(model, stranger_client, acme):
    row = row_of(model, acme) if model in OF_POOLS else Operator.objects.get(username="mallory")
    before = everything()

    for address in addresses(model):
        for method in METHODS:
            answer = getattr(stranger_client, method)(page("acme", model, address, row.pk))
            assert answer.status_code == 404, (method, address)

    assert everything() == before


@each_model_of_all
def test_a_pool_that_isnt_there_answers_a_stranger_alike(model, stranger_client, acme):
    row = row_of(model, acme) if model in OF_POOLS else Operator.objects.get(username="mallory")

    for address in addresses(model):
        there = stranger_client.get(page("acme", model, address, row.pk))
        nowhere = stranger_client.get(page("nowhere", model, address, row.pk))
        assert there.status_code == nowhere.status_code == 404
        assert words_of(there, "acme") == words_of(nowhere, "nowhere")


@each_model
def test_another_pools_row_isnt_there_under_the_own_pool(model, stranger_client, acme):
    row = row_of(model, acme)
    before = everything()

    for address in addresses_of_row(model):
        for method in METHODS:
            request = getattr(stranger_client, method)
            theirs = request(page("globex", model, address, row.pk), {"post": "yes"})
            nobodys = request(page("globex", model, address, uuid.uuid4()), {"post": "yes"})
            assert theirs.status_code == nobodys.status_code, (method, address)
            if address != "<path:object_id>/":  # leads to the page that is 404
                assert theirs.status_code in {404, 405}, (method, address)
            if method == "post" and address in addresses_that_change(model):
                assert theirs.status_code == 404, address

    assert everything() == before


@each_model
def test_a_row_outside_of_any_pool_is_refused(model, admin_client, acme):
    if model is UserPool:
        return  # the choice of a pool
    row = row_of(model, acme)
    before = everything()

    for address in addresses(model):
        for method in METHODS:
            place = page("x", model, address, row.pk).replace("/x/", "/")
            answer = getattr(admin_client, method)(place)
            assert answer.status_code in {403, 404, 405} or address == "<path:object_id>/", address
            # The address itself, which every page repeats, has the row's key.
            told = set(traces(row)) - {str(row.pk)}
            assert not any(trace in answer.content.decode() for trace in told), address

    assert everything() == before


@each_model_of_all
def test_a_viewer_changes_nothing(model, viewer_client, acme):
    row = row_of(model, acme) if model in OF_POOLS else Operator.objects.get(username="vic")
    before = everything()

    for address in addresses(model):
        answer = viewer_client.post(page("acme", model, address, row.pk), {"post": "yes"})
        if address in addresses_that_change(model):
            assert answer.status_code == 403, address

    assert everything() == before


@each_model
def test_a_viewer_sees_rows_without_a_button_to_change_them(model, viewer_client, acme):
    row = row_of(model, acme)

    rows = see(viewer_client, page("acme", model, ""))
    one = see(viewer_client, page("acme", model, "<path:object_id>/change/", row.pk))

    for shown in (rows, one):
        actions = {form.action for form in shown.forms if form.method == "post"}
        # Lists and rows stand in a form of Django's even where it has no button.
        assert actions <= {"", "/console/acme/logout/", "/console/acme/i18n/setlang/"}
        assert not [link for link in shown.links if link.endswith(("/add/", "/delete/"))]
        assert not {"_save", "_continue", "_addanother"} & shown.names


@each_model
def test_a_list_shows_the_rows_of_its_pool_alone(model, admin_client, acme, globex):
    ours, theirs = row_of(model, acme), row_of(model, globex)

    shown = admin_client.get(page("acme", model, "")).content.decode()

    assert any(trace in shown for trace in traces(ours)) or "/console/acme/" in shown
    assert not [trace for trace in traces(theirs) if trace in shown]


@each_model
def test_a_search_finds_nothing_of_another_pool(model, admin_client, acme, globex):
    theirs = row_of(model, globex)

    for trace in traces(theirs):
        found = admin_client.get(page("acme", model, ""), {"q": trace}).content.decode()
        assert not [other for other in traces(theirs) if other != trace and other in found]


@each_model
def test_forms_filters_and_histories_name_nothing_of_another_pool(
    model, superuser_client, acme, globex
):
    ours = row_of(model, acme)
    theirs = [row_of(other, globex) for other in OF_POOLS]
    foreign = [trace for row in theirs for trace in traces(row)]

    for address in addresses(model):
        answer = superuser_client.get(page("acme", model, address, ours.pk), follow=True)
        shown = answer.content.decode()
        assert not [trace for trace in foreign if trace in shown], address


def test_a_history_is_of_the_row_alone(admin_client, acme, globex):
    mallory = builders.make_operator("mallory", globex.pool)
    for tenant, said in ((acme, "Changed at home"), (globex, "Changed elsewhere")):
        LogEntry.objects.create(
            user=mallory,
            content_type=ContentType.objects.get_for_model(Application),
            object_id=str(tenant.application.pk),
            action_flag=CHANGE,
            change_message=said,
        )

    shown = see(
        admin_client, page("acme", Application, addresses(Application)[3], acme.application.pk)
    )

    assert "Changed at home" in shown.text
    assert "Changed elsewhere" not in shown.text


@each_model
def test_no_page_shows_a_secret(model, admin_client, viewer_client, superuser_client, acme):
    row = row_of(model, acme)

    for client in (admin_client, viewer_client, superuser_client):
        for address in addresses(model):
            shown = client.get(page("acme", model, address, row.pk), follow=True).content.decode()
            assert not [secret for secret in secrets_of(acme) if secret in shown], address


def test_an_operators_account_shows_no_hash_of_a_password(superuser_client):
    sue = Operator.objects.get(username="sue")

    for address in addresses(Operator):
        shown = superuser_client.get(page("x", Operator, address, sue.pk).replace("/x/", "/"))
        assert sue.password not in shown.content.decode()
        assert sue.password.rpartition("$")[2] not in shown.content.decode()


def columns_of(model):
    filters = {item[0] if isinstance(item, tuple) else item for item in ADMINS[model].list_filter}
    for field in model._meta.get_fields():
        for comparison in ("startswith", "gte", "isnull"):
            if field.name not in filters or comparison != "isnull":
                yield f"{field.name}__{comparison}"


@each_model
def test_a_list_cant_be_filtered_by_a_column_that_it_doesnt_offer(model, viewer_client, acme):
    for lookup in columns_of(model):
        answer = viewer_client.get(page("acme", model, ""), {lookup: "a"})
        assert answer.status_code == 400, lookup


@pytest.mark.parametrize(
    "lookup",
    [
        "application__pool__memberships__operator__password__startswith",
        "application__client_secrets__secret_hash__gte",
        "application__name__startswith",
        "application__in",
        "identity_source__app_secret_ciphertext__gte",
        "identity_source__pool__signing_keys__private_jwk_ciphertext__gte",
        "user__phone_number__startswith",
        "outcome__regex",
        "pool__identifier",
    ],
)
def test_what_a_filter_leads_to_cant_be_guessed_at(lookup, viewer_client, acme):
    answer = viewer_client.get(page("acme", LoginEvent, ""), {lookup: "m"})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "lookup",
    [
        "password__startswith",
        "password",
        "memberships__operator__password__startswith",
        "logentry__user__password__startswith",
        "groups__user__password__startswith",
    ],
)
def test_a_password_cant_be_guessed_at_in_the_list_of_operators(lookup, superuser_client):
    answer = superuser_client.get("/console/operator-accounts/", {lookup: "m"})

    assert answer.status_code == 400


def test_no_list_shows_bytes(db):
    for model, model_admin in ADMINS.items():
        hidden = {
            field.name for field in model._meta.get_fields() if isinstance(field, BinaryField)
        }
        assert not hidden & set(model_admin.list_display)


@pytest.mark.parametrize(
    ("model", "lookups"),
    [
        (LoginEvent, {"when": "day"}),
        (LoginEvent, {"when": "never"}),
        (LoginEvent, {"outcome__exact": "refused", "when": "hour"}),
        (LoginEvent, {"door__exact": "rest"}),
        (IdentitySource, {"state": "archived"}),
        (User, {"status__exact": "suspended"}),
    ],
)
def test_a_list_is_filtered_by_what_it_offers(model, lookups, viewer_client, acme):
    assert viewer_client.get(page("acme", model, ""), lookups).status_code == 200


@each_model
def test_every_link_of_a_filter_works(model, viewer_client, acme):
    row_of(model, acme)
    address = page("acme", model, "")

    for link in see(viewer_client, address).links:
        if link.startswith("?"):
            assert viewer_client.get(address + link).status_code == 200, link


def test_a_filter_by_another_pools_row_finds_nothing(admin_client, acme, globex):
    theirs = row_of(LoginEvent, globex)

    found = admin_client.get(
        page("acme", LoginEvent, ""), {"application__id__exact": str(globex.application.pk)}
    )

    assert found.status_code == 200
    assert str(theirs.pk) not in found.content.decode()


@each_model
@pytest.mark.parametrize("pk", ["1", "x", "%00", "%2e%2e", "é", "a" * 2000, "../../globex/users"])
def test_what_is_no_id_is_not_found(model, pk, admin_client, acme):
    for address in addresses_of_row(model):
        answer = admin_client.get(page("acme", model, address, pk))
        assert answer.status_code in {302, 404}, address
        if answer.status_code == 302:
            assert admin_client.get(answer["Location"]).status_code == 404


@each_model_of_all
def test_nothing_is_posted_without_the_token_against_forgery(model, acme):
    sue = builders.make_operator("sue", is_superuser=True)
    client = GuardedClient(enforce_csrf_checks=True)
    client.force_login(sue, backend="django.contrib.auth.backends.ModelBackend")
    row = row_of(model, acme) if model in OF_POOLS else sue
    before = everything()

    for address in addresses(model):
        answer = client.post(page("acme", model, address, row.pk), {"post": "yes"})
        assert answer.status_code == 403, address
        assert "without the mark that protects forms" in answer.content.decode()

    assert everything() == before


def test_a_pool_in_the_form_is_no_way_into_another(admin_client, acme, globex):
    answer = fill_in(
        admin_client,
        page("acme", Application, "add/"),
        name="Sneaked in",
        client_id="sneaked-in",
        type="spa",
        pool=str(globex.pool.pk),
        pool_id=str(globex.pool.pk),
    )

    assert answer.status_code == 302
    assert Application.objects.get(client_id="sneaked-in").pool == acme.pool


def test_what_is_set_once_cant_be_posted_again(admin_client, acme):
    place = page("acme", Application, "<path:object_id>/change/", acme.application.pk)

    answer = fill_in(admin_client, place, client_id="another", type="machine", name="Renamed")

    assert answer.status_code == 302
    acme.application.refresh_from_db()
    assert (acme.application.client_id, acme.application.type) == ("acme-shop", "mini_program")
    assert acme.application.name == "Renamed"


def test_no_list_offers_a_way_to_delete_many_rows(admin_client, acme):
    row = row_of(Membership, acme)
    before = everything()

    answer = admin_client.post(
        page("acme", Membership, ""),
        {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"},
    )

    assert answer.status_code in {200, 302, 403}
    assert everything() == before


@pytest.mark.parametrize("model", [Application, IdentitySource, User, LoginEvent], ids=name_of)
def test_an_empty_list_says_what_would_stand_there(model, superuser_client):
    builders.make_pool("umbrella")

    shown = see(superuser_client, page("umbrella", model, "")).text

    assert str(ADMINS[model].invitation) in shown


def test_every_model_has_an_address_and_an_invitation():
    paths = [model_admin.path for model_admin in ADMINS.values()]

    assert len(set(paths)) == len(paths)
    assert all(str(ADMINS[model].invitation) for model in OF_POOLS)
    assert all(
        address in NOT_ONE_ROWS or "<" in address for m in ADMINS for address in addresses(m)
    )


def test_who_becomes_an_administrator_may_change_at_once(acme):
    vic = builders.make_operator("vic", acme.pool, role="viewer")
    client = signed_in(vic)
    place = page("acme", Application, "add/")
    assert client.get(place).status_code == 403

    Membership.objects.filter(operator=vic).update(role="admin")

    assert client.get(place).status_code == 200


def test_a_search_goes_by_its_first_words_however_many_there_are(admin_client, acme):
    """Each word is a condition on each column: some thousands would keep the database for hours."""
    builders.make_user(acme.pool, nickname="one two three four five six seven eight")
    words = "one two three four five six seven eight nine " + "a " * 3000

    answer = admin_client.get("/console/acme/users/", {"q": words})

    assert answer.status_code == 200
    assert answer.context["cl"].result_count == 1


def test_nobody_makes_a_list_count_what_it_leaves_uncounted(admin_client, acme):
    answer = admin_client.get("/console/acme/events/", {"_facets": "True"})

    assert not answer.context["cl"].add_facets


@pytest.mark.parametrize("number", ["\u00b2", "-1", "0", "9" * 30, "x", ""])
def test_an_odd_page_number_within_a_page_is_the_first(admin_client, acme, number):
    user = builders.make_user(acme.pool)

    answer = admin_client.get(f"/console/acme/users/{user.pk}/change/", {"sessions-page": number})

    assert answer.status_code == 200
