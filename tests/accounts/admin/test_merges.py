"""Merging by hand and undoing: whoever is meant is named in full, and looked at first."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from accounts.merging.merge import merge_by_hand
from accounts.merging.undo import undo
from accounts.models import LinkedAccount, Merge, User
from tests.support import builders
from tests.support.pages import Page, fill_in, see
from tests.support.people import make_pair, make_person
from userpools.models import Operator

LIST = "/console/acme/users/"


def page_of(user):
    return f"{LIST}{user.pk}/change/"


def choice(user, pool="acme"):
    return f"/console/{pool}/users/{user.pk}/merge/"


def preview(user, other, pool="acme"):
    return f"/console/{pool}/users/{user.pk}/merge/{other.pk}/"


def undo_address(user, merge, pool="acme"):
    return f"/console/{pool}/users/{user.pk}/merges/{merge.pk}/undo/"


def shown_after(client, answer):
    return Page(client.get(answer["Location"]))


@pytest.fixture
def pair(acme):
    return make_pair(acme)


@pytest.fixture
def merge(acme, pair):
    bea = builders.make_operator("bea", acme.pool)
    return merge_by_hand(*pair, operator=bea, now=timezone.now())


# Who may


def test_only_an_administrator_of_the_pool_merges(
    globex, pair, client, viewer_client, stranger_client, superuser_client
):
    addresses = [choice(pair[0]), preview(*pair)]
    for address in addresses:
        for method in ("get", "post"):
            assert getattr(client, method)(address).status_code == 302
            assert getattr(viewer_client, method)(address).status_code == 403
            assert getattr(stranger_client, method)(address).status_code == 404
            elsewhere = address.replace("acme", "globex")
            assert getattr(superuser_client, method)(elsewhere).status_code == 404

    assert not Merge.objects.exists()


def test_nobody_is_merged_with_a_user_of_another_pool(pair, globex, superuser_client):
    theirs = builders.make_user(globex.pool)

    assert superuser_client.get(preview(pair[0], theirs)).status_code == 404
    assert superuser_client.post(preview(pair[0], theirs)).status_code == 404
    assert not Merge.objects.exists()


def test_only_an_administrator_of_the_pool_undoes(
    globex, merge, pair, client, viewer_client, stranger_client, superuser_client
):
    assert client.post(undo_address(pair[0], merge)).status_code == 302
    assert viewer_client.post(undo_address(pair[0], merge)).status_code == 403
    assert stranger_client.post(undo_address(pair[0], merge)).status_code == 404
    assert superuser_client.post(undo_address(pair[0], merge, "globex")).status_code == 404
    assert superuser_client.get(undo_address(pair[0], merge)).status_code == 405

    assert Merge.objects.get().undone_at is None


def test_a_merge_is_undone_from_the_pages_of_its_own_users_alone(acme, merge, admin_client):
    somebody = make_person(acme, 7)

    assert admin_client.post(undo_address(somebody, merge)).status_code == 404
    assert admin_client.post(f"{LIST}{somebody.pk}/merges/{uuid4()}/undo/").status_code == 404
    assert Merge.objects.get().undone_at is None


def test_a_viewer_sees_the_merges_without_a_button(merge, pair, viewer_client):
    page = see(viewer_client, page_of(pair[0]))

    assert "Alice on the web was merged into this user · just now · by bea" in page.text
    assert not [form for form in page.forms if "undo" in form.action]


# Naming the other one


@pytest.mark.parametrize("name", ["", "nobody", "o-of", "Alice on the web", "\x00", "a" * 300])
def test_whoever_isnt_named_in_full_isnt_found(pair, admin_client, name):
    answer = admin_client.post(choice(pair[0]), {"other": name})

    assert answer.status_code == 200
    assert answer.context["form"].errors["other"]


def test_a_user_of_another_pool_is_nobody(pair, globex, admin_client):
    theirs = make_person(globex, 1, sub="their-sub")

    text = Page(admin_client.post(choice(pair[0]), {"other": theirs.sub})).text

    assert "Nobody in this pool has it." in text


def test_nobody_is_merged_with_themselves(pair, admin_client):
    assert (
        "That is this user."
        in Page(admin_client.post(choice(pair[0]), {"other": pair[0].sub})).text
    )
    for method in (admin_client.get, admin_client.post):
        page = shown_after(admin_client, method(preview(pair[0], pair[0])))
        assert "That is this user." in page.text
    assert not Merge.objects.exists()


def test_whoever_was_merged_is_named_by_the_survivor(acme, merge, pair, admin_client):
    somebody = make_person(acme, 7)

    text = Page(admin_client.post(choice(somebody), {"other": pair[1].sub})).text

    assert f"That user was merged into {pair[0].sub} already." in text


def test_an_openid_of_two_users_asks_for_the_sub(acme, pair, admin_client):
    LinkedAccount.objects.filter(openid="o-elsewhere").update(openid="o-of-alice")
    somebody = make_person(acme, 7)

    text = Page(admin_client.post(choice(somebody), {"other": "o-of-alice"})).text

    assert "Several users have this OpenID" in text


@pytest.mark.parametrize("name", ["sub", "u-of-alice", " o-elsewhere ", "+8613800138002"])
def test_the_other_one_is_found_and_both_are_shown_before_anything_happens(
    pair, admin_client, name
):
    User.objects.filter(pk=pair[1].pk).update(
        phone_number="+8613800138002", phone_number_verified_at=timezone.now()
    )
    named = pair[1].sub if name == "sub" else name

    answer = fill_in(admin_client, choice(pair[0]), other=named)

    assert answer["Location"] == preview(*pair)
    page = shown_after(admin_client, answer)
    assert "Alice stays: the older of the two" in page.text
    assert "Merge Alice on the web into Alice" in page.text
    assert not Merge.objects.exists()


# Merging


def test_merging_leads_to_the_survivor_from_whichever_page_it_began(pair, admin_client):
    user, other = pair

    answer = fill_in(admin_client, preview(other, user))

    assert answer["Location"] == page_of(user)
    assert "is part of Alice now" in shown_after(admin_client, answer).text
    made = Merge.objects.get()
    assert (made.survivor, made.operator) == (user, Operator.objects.get(username="ada"))
    told = {entry.object_id: entry.get_change_message() for entry in LogEntry.objects.all()}
    assert told[str(user.pk)] == f"{other.sub} was merged into this user."
    assert told[str(other.pk)] == f"Merged into {user.sub}."


def test_what_forbids_a_merge_is_said(acme, admin_client):
    first, second = make_person(acme, 1), make_person(acme, 2)

    page = see(admin_client, preview(first, second))
    assert "They have two OpenIDs of one AppID" in page.text
    assert "What the merge will do" not in page.text
    answer = admin_client.post(preview(first, second))
    assert "Not merged. They have two OpenIDs" in shown_after(admin_client, answer).text
    assert not Merge.objects.exists()


def test_a_second_press_says_that_they_are_merged(pair, admin_client):
    admin_client.post(preview(*pair))

    answer = admin_client.post(preview(*pair))

    assert "Not merged. One of them is" in shown_after(admin_client, answer).text
    assert Merge.objects.count() == 1


# The page of a merged user


def test_a_merged_user_leads_to_the_survivor(merge, pair, viewer_client):
    page = see(viewer_client, page_of(pair[1]))

    assert "Merged into Alice · just now" in page.text
    assert page_of(pair[0]) in page.links


def test_merged_users_are_hidden_unless_they_are_asked_for(merge, pair, viewer_client):
    def found(**query):
        return list(viewer_client.get(LIST, query).context["cl"].result_list)

    assert found() == [pair[0]]
    assert found(q="Alice") == [pair[0]]
    assert found(q="Alice on the web") == []
    assert found(q=pair[1].sub) == [pair[1]]
    assert found(q=f" {pair[1].sub} ") == [pair[1]]
    assert found(status__exact="merged") == [pair[1]]
    assert found(status__exact="merged", q="Alice") == [pair[1]]
    assert "Merged" in see(viewer_client, f"{LIST}?q={pair[1].sub}").text


def test_a_merged_user_can_be_changed_by_nobody(merge, pair, admin_client):
    page = see(admin_client, page_of(pair[1]))

    assert "_save" not in page.names
    assert not [link for link in page.links if "/merge/" in link]
    assert admin_client.post(page_of(pair[1]), {"nickname": "Eve"}).status_code == 403


# Undoing


@pytest.mark.parametrize("number", [0, 1])
def test_a_merge_is_undone_from_either_page(merge, pair, admin_client, number):
    form = see(admin_client, page_of(pair[number])).form_to("/undo/")

    answer = admin_client.post(form.action, form.fields)

    assert answer["Location"] == page_of(pair[number])
    assert "Undone: they are two users again" in shown_after(admin_client, answer).text
    assert Merge.objects.get().undone_by.username == "ada"
    assert User.objects.filter(status=User.Status.ACTIVE).count() == 2
    told = {entry.object_id: entry.get_change_message() for entry in LogEntry.objects.all()}
    assert told == {
        str(pair[0].pk): f"The merge with {pair[1].sub} was undone.",
        str(pair[1].pk): f"The merge with {pair[0].sub} was undone.",
    }


def test_the_page_says_what_undoing_does(merge, pair, admin_client):
    text = see(admin_client, page_of(pair[0])).text

    assert "Alice on the web is a user again" in text
    assert "Their sessions since the merge end" in text


def test_after_30_days_there_is_no_button(merge, pair, admin_client):
    with time_machine.travel(timezone.now() + timedelta(days=30)):
        client = admin_client
        client.force_login(
            Operator.objects.get(username="ada"),
            backend="django.contrib.auth.backends.ModelBackend",
        )
        page = see(client, page_of(pair[0]))
        assert "Can't be undone: It is more than 30 days ago." in page.text
        assert not [form for form in page.forms if "undo" in form.action]
        answer = client.post(undo_address(pair[0], merge))
        text = shown_after(client, answer).text

    assert "Not undone. It is more than 30 days ago." in text
    assert Merge.objects.get().undone_at is None


def test_whoever_undoes_second_is_told_so(merge, pair, admin_client):
    undo(merge, operator=Operator.objects.get(username="bea"), now=timezone.now())

    text = shown_after(admin_client, admin_client.post(undo_address(pair[0], merge))).text

    assert "Not undone. It was undone." in text
    assert "Undone just now · by bea" in text
    assert not LogEntry.objects.exists()
