"""What an operator types in about a person, and what is refused before it is written."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import check_password
from django.utils import timezone

from accounts.models import User
from tests.support import builders
from tests.support.pages import Page, fill_in, see, send
from tests.support.people import make_person

LIST = "/console/acme/users/"
ADD = f"{LIST}add/"
PASSWORD = "a long and unusual password"


def page_of(user):
    return f"{LIST}{user.pk}/change/"


def errors(response):
    assert response.status_code == 200
    return response.context["adminform"].form.errors


@pytest.fixture
def alice(acme):
    now = timezone.now() - timedelta(days=9)
    return make_person(acme, 1, nickname="Alice", email="alice@example.com", email_verified_at=now)


# Who may


def test_only_an_administrator_of_the_pool_adds_and_changes(
    alice, client, viewer_client, stranger_client
):
    fields = {"nickname": "Eve", "email": "eve@example.com"}
    for address in (ADD, page_of(alice)):
        assert client.post(address, fields).status_code == 302
        assert viewer_client.post(address, fields).status_code == 403
        assert stranger_client.post(address, fields).status_code == 404

    assert User.objects.get().nickname == "Alice"


def test_a_viewer_reads_and_has_no_fields(alice, viewer_client):
    page = see(viewer_client, page_of(alice))

    assert "alice@example.com" in page.text
    assert not {"nickname", "email", "new_password", "remove_password"} & page.names
    assert viewer_client.get(ADD).status_code == 403


@pytest.mark.parametrize("erased", [True, False])
def test_a_closed_account_is_read_only(alice, admin_client, erased):
    User.objects.update(
        status="closed", closed_at=timezone.now(), erased_at=timezone.now() if erased else None
    )

    assert "_save" not in see(admin_client, page_of(alice)).names
    assert admin_client.post(page_of(alice), {"nickname": "Eve"}).status_code == 403


# What is refused


@pytest.mark.parametrize(
    "email",
    ["nonsense", "a@b", "ä@example.com", "a@exämple.com", "a b@example.com", "a" * 250 + "@b.com"],
)
def test_what_is_no_address_is_refused(alice, admin_client, email):
    assert "email" in errors(fill_in(admin_client, ADD, email=email))
    assert "email" in errors(fill_in(admin_client, page_of(alice), email=email))
    assert User.objects.get().email == "alice@example.com"


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@example.com"])
def test_an_address_that_another_user_has_is_refused_beside_the_field(
    acme, alice, admin_client, email
):
    bob = make_person(acme, 2, nickname="Bob")

    for answer in (
        fill_in(admin_client, ADD, email=email),
        fill_in(admin_client, page_of(bob), email=email),
    ):
        assert errors(answer)["email"] == ["Another user of the pool has this e-mail address."]
        assert "Another user of the pool has this e-mail address." in Page(answer).text


def test_a_new_user_needs_an_address(acme, admin_client):
    assert "email" in errors(fill_in(admin_client, ADD, nickname="Alice"))


@pytest.mark.parametrize("nickname", ["\x14", "\u202eecila", "\u200b", "\u3164", "a" * 65])
def test_a_nickname_that_the_api_refuses_is_refused_here(alice, admin_client, nickname):
    assert "nickname" in errors(fill_in(admin_client, page_of(alice), nickname=nickname))


@pytest.mark.parametrize(
    "password", ["short", "12345678901234", "password", "alice@example.com", "a" * 257]
)
def test_a_weak_password_is_refused(alice, admin_client, password):
    answer = fill_in(admin_client, page_of(alice), new_password=password)

    assert "new_password" in errors(answer)
    assert User.objects.get().password == ""


def test_a_password_needs_an_address(alice, admin_client):
    answer = fill_in(admin_client, page_of(alice), email="", new_password=PASSWORD)
    assert errors(answer)["email"] == ["A password needs an e-mail address to go with it."]

    fill_in(admin_client, page_of(alice), new_password=PASSWORD)
    assert "email" in errors(fill_in(admin_client, page_of(alice), email=""))
    assert User.objects.get().email == "alice@example.com"


def test_a_password_is_removed_or_set_and_not_both(alice, admin_client):
    fill_in(admin_client, page_of(alice), new_password=PASSWORD)

    answer = fill_in(
        admin_client, page_of(alice), new_password=PASSWORD + "2", remove_password="on"
    )

    assert "remove_password" in errors(answer)
    assert check_password(PASSWORD, User.objects.get().password)


@pytest.mark.parametrize("name", ["phone_number", "phone_number_verified_at", "status", "sub"])
def test_what_isnt_typed_in_has_no_field(alice, admin_client, name):
    assert name not in see(admin_client, page_of(alice)).names


def test_a_user_who_is_closed_meanwhile_stays_as_they_are(alice, admin_client, monkeypatch):
    fields = see(admin_client, page_of(alice)).form.fields
    check = User.full_clean

    def closed_meanwhile(user, *args, **kwargs):
        User.objects.update(status="closed", closed_at=timezone.now())
        return check(user, *args, **kwargs)

    monkeypatch.setattr(User, "full_clean", closed_meanwhile)
    answer = send(admin_client, page_of(alice), fields | {"nickname": "Eve"})
    monkeypatch.undo()

    text = Page(admin_client.get(answer["Location"])).text
    assert "Somebody else has changed this user meanwhile." in text
    assert User.objects.get().nickname == "Alice"
    assert not LogEntry.objects.exists()


# What is written


def test_a_user_is_added_with_a_verified_address(acme, globex, admin_client):
    builders.make_user(globex.pool, email="alice@example.com", email_verified_at=timezone.now())

    answer = fill_in(
        admin_client, ADD, nickname="爱丽", email="Alice@example.com", new_password=PASSWORD
    )

    assert answer.status_code == 302
    user = User.objects.get(pool=acme.pool)
    assert (user.nickname, user.email, user.status) == ("爱丽", "Alice@example.com", "active")
    assert timezone.now() - user.email_verified_at < timedelta(minutes=1)
    assert check_password(PASSWORD, user.password)
    assert LogEntry.objects.get().object_id == str(user.pk)
    assert see(admin_client, page_of(user)).text.count("Alice@example.com") == 0  # in its field
    assert f"{LIST}{user.pk}/change/" in see(admin_client, LIST).links


def test_the_page_says_what_entering_an_address_means(admin_client):
    text = see(admin_client, ADD).text

    assert "You vouch for it: whoever reads this mailbox can bind their WeChat" in text


def test_only_what_was_changed_is_written(alice, admin_client):
    before = User.objects.get()

    fill_in(admin_client, page_of(alice), nickname="Alicia")

    after = User.objects.get()
    assert (after.nickname, after.email) == ("Alicia", "alice@example.com")
    assert (after.email_verified_at, after.password) == (before.email_verified_at, "")


def test_a_changed_address_is_verified_now_and_can_be_cleared(alice, admin_client):
    before = User.objects.get()
    fill_in(admin_client, page_of(alice), email="new@example.com")
    assert User.objects.get().email_verified_at > before.email_verified_at

    fill_in(admin_client, page_of(alice), email="")

    assert (User.objects.get().email, User.objects.get().email_verified_at) == ("", None)


def test_a_password_is_set_never_shown_and_not_in_the_history(alice, admin_client):
    fill_in(admin_client, page_of(alice), new_password=f" {PASSWORD} ")
    hashed = User.objects.get().password

    # As it was typed: the API compares it as it was typed, too.
    assert check_password(f" {PASSWORD} ", hashed)
    for address in (page_of(alice), f"{LIST}{alice.pk}/history/"):
        shown = admin_client.get(address).content.decode()
        assert PASSWORD not in shown
        assert hashed not in shown
    assert "New password" in LogEntry.objects.get().get_change_message()
    assert "remove_password" in see(admin_client, page_of(alice)).names


def test_a_password_is_removed(alice, admin_client):
    fill_in(admin_client, page_of(alice), new_password=PASSWORD)

    fill_in(admin_client, page_of(alice), remove_password="on")

    assert User.objects.get().password == ""
    assert "remove_password" not in see(admin_client, page_of(alice)).names


def test_a_suspended_user_is_changed_and_stays_suspended(alice, admin_client):
    User.objects.update(status="suspended")

    fill_in(admin_client, page_of(alice), nickname="Alicia")

    assert (User.objects.get().nickname, User.objects.get().status) == ("Alicia", "suspended")


def test_people_are_found_by_their_whole_address(alice, viewer_client):
    for query, found in (("ALICE@example.com", [alice]), ("alice@", [])):
        assert list(viewer_client.get(LIST, {"q": query}).context["cl"].result_list) == found
