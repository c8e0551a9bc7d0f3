"""The console's page of signing keys: who rotates them, and what they are told before."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from accounts.models import Session
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.pages import see
from tests.support.people import make_person, make_session
from userpools.key_rotation import prepare_key
from userpools.models import SigningKey

pytestmark = pytest.mark.rsa

LIST = "/console/acme/keys/"
ACTIONS = ["prepare-next", "promote", "promote-now", "revoke"]


def key_in(tenant, state, algorithm="ES256"):
    return SigningKey.objects.get(pool=tenant.pool, algorithm=algorithm, state=state)


def address(key, action, pool="acme"):
    return f"/console/{pool}/keys/{key.pk}/{action}/"


def rows():
    return list(SigningKey.objects.order_by("pk").values())


def actions(page):
    """What the page offers to do, without the keys that it is done to."""
    forms = {form.action for form in page.forms if "/keys/" in form.action}
    links = {link for link in page.links if link.endswith("/revoke/")}
    return {place.split("/")[-2] for place in forms | links}


def history():
    return list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message"))


@pytest.fixture
def coming(acme):
    return prepare_key(acme.pool, "ES256")


@pytest.fixture
def old_enough(coming):
    """The next key, published a day ago."""
    coming.created_at = timezone.now() - timedelta(hours=25)
    coming.save()
    return coming


# Who may


@pytest.mark.parametrize("client_name", ["admin_client", "superuser_client"])
def test_nobody_makes_changes_or_deletes_keys_by_a_form(client_name, request, acme):
    client = request.getfixturevalue(client_name)
    key = key_in(acme, "active")
    before = rows()

    for page in ("add/", f"{key.pk}/change/", f"{key.pk}/delete/"):
        answer = client.post(LIST + page, {"state": "retired", "post": "yes"})
        assert answer.status_code == 403

    assert rows() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_only_an_administrator_of_the_pool_rotates(
    old_enough, action, client, viewer_client, stranger_client, superuser_client
):
    before = rows()
    place = address(old_enough, action)

    assert client.post(place)["Location"].startswith("/console/acme/login/")
    assert viewer_client.post(place).status_code == 403
    assert stranger_client.post(place).status_code == 404
    for other in (stranger_client, superuser_client):
        assert other.post(address(old_enough, action, "globex")).status_code == 404

    assert rows() == before
    assert not LogEntry.objects.exists()


def test_a_viewer_isnt_asked_whether_to_revoke(coming, viewer_client, stranger_client):
    assert viewer_client.get(address(coming, "revoke")).status_code == 403
    assert stranger_client.get(address(coming, "revoke", "globex")).status_code == 404


@pytest.mark.parametrize("action", ACTIONS)
def test_rotating_is_a_post_with_a_token_of_the_page(acme, old_enough, action):
    careful = GuardedClient(enforce_csrf_checks=True)
    careful.force_login(
        builders.make_operator("ada", acme.pool),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    before = rows()

    assert careful.get(address(old_enough, action)).status_code in {200, 405}
    assert careful.post(address(old_enough, action)).status_code == 403
    assert rows() == before


def test_a_viewer_sees_the_keys_and_no_button(acme, coming, viewer_client):
    shown = see(viewer_client, LIST)

    for key in SigningKey.objects.filter(pool=acme.pool):
        assert key.kid in shown.text
    assert "The next key may be promoted from" in shown.text
    assert not actions(shown)


# The page


def test_without_a_next_key_the_page_offers_to_prepare_one(admin_client, acme):
    assert actions(see(admin_client, LIST)) == {"prepare-next", "revoke"}


def test_a_young_next_key_is_promoted_only_by_force(admin_client, coming):
    shown = see(admin_client, LIST)

    assert "The next key may be promoted from" in shown.text
    assert "refuse its tokens until they fetch them again" in shown.text
    assert shown.form_to(f"{coming.pk}/promote-now/")
    assert "promote" not in actions(shown)


def test_a_next_key_that_is_old_enough_is_promoted(admin_client, old_enough):
    shown = see(admin_client, LIST)

    assert shown.form_to(f"{old_enough.pk}/promote/")
    assert "promote-now" not in actions(shown)
    assert "may be promoted from" not in shown.text


def test_the_keys_stand_in_the_order_in_which_they_sign(admin_client, acme, old_enough):
    retired = key_in(acme, "active")
    admin_client.post(address(old_enough, "promote"))
    coming = prepare_key(acme.pool, "ES256")

    see(admin_client, LIST)  # says what was done
    said = see(admin_client, LIST).text

    kids = [coming.kid, old_enough.kid, retired.kid, key_in(acme, "active", "RS256").kid]
    assert sorted(kids, key=said.index) == kids


# Doing it


def test_preparing_publishes_the_next_key(admin_client, acme):
    answer = admin_client.post(address(key_in(acme, "active", "RS256"), "prepare-next"))

    assert answer["Location"] == LIST
    kid = key_in(acme, "next", "RS256").kid
    assert f"The next key of RS256 is published: {kid}." in see(admin_client, LIST).text
    assert history() == [("Acme", f"The next key of RS256 is published: {kid}.")]


def test_preparing_twice_makes_one_key(admin_client, acme):
    for _ in range(2):
        admin_client.post(address(key_in(acme, "active"), "prepare-next"))

    assert key_in(acme, "next")
    assert "ES256 has a next key already." in see(admin_client, LIST).text
    assert len(history()) == 1


def test_promoting_signs_with_the_next_key(admin_client, acme, old_enough):
    answer = admin_client.post(address(old_enough, "promote"))

    assert answer["Location"] == LIST
    assert key_in(acme, "active") == old_enough
    assert history() == [("Acme", f"ES256 tokens are signed with {old_enough.kid} from now on.")]


def test_a_young_key_isnt_promoted_by_the_ordinary_button(admin_client, acme, coming):
    admin_client.post(address(coming, "promote"))

    assert key_in(acme, "next") == coming
    assert "The next key of ES256 may be promoted from 20" in see(admin_client, LIST).text
    assert not history()


def test_a_young_key_is_promoted_now(admin_client, acme, coming):
    admin_client.post(address(coming, "promote-now"))

    assert key_in(acme, "active") == coming
    assert history() == [("Acme", f"ES256 tokens are signed with {coming.kid} from now on.")]


def test_revoking_names_the_key_and_the_sessions_before_it_is_done(admin_client, acme):
    for number in range(2):
        make_session(acme, make_person(acme, number))
    active = key_in(acme, "active")
    before = rows()

    shown = see(admin_client, address(active, "revoke"))

    assert f"Revoke the ES256 key {active.kid}?" in shown.text
    assert "2 running sessions end now." in shown.text
    assert "A new key signs in its place at once." in shown.text
    assert rows() == before
    assert not Session.objects.exclude(ended_at=None).exists()

    answer = admin_client.post(address(active, "revoke"), shown.form.fields)

    assert answer["Location"] == LIST
    assert not SigningKey.objects.filter(pk=active.pk).exists()
    assert set(Session.objects.values_list("end_reason", flat=True)) == {"signing_key_revoked"}
    sentence = f"The key {active.kid} of ES256 is revoked; 2 sessions have ended."
    assert sentence in see(admin_client, LIST).text
    assert history() == [("Acme", sentence)]


def test_revoking_an_active_key_says_that_the_next_one_takes_its_place(admin_client, acme, coming):
    shown = see(admin_client, address(key_in(acme, "active"), "revoke"))

    assert "The next key signs in its place at once." in shown.text
    assert "No session is running that it signed for." in shown.text


def test_revoking_a_next_key_logs_nobody_out(admin_client, acme, coming):
    make_session(acme, make_person(acme))

    shown = see(admin_client, address(coming, "revoke"))
    admin_client.post(address(coming, "revoke"), shown.form.fields)

    assert "nobody is logged out" in shown.text
    assert "signs in its place" not in shown.text
    assert Session.objects.get().ended_at is None
    assert not SigningKey.objects.filter(pk=coming.pk).exists()


def test_a_key_that_is_gone_isnt_found(admin_client, acme, coming):
    admin_client.post(address(coming, "revoke"))

    for action in ACTIONS:
        assert admin_client.post(address(coming, action)).status_code == 404
    assert len(history()) == 1


def test_what_was_done_stands_in_the_history_of_the_pool(admin_client, acme, coming):
    admin_client.post(address(coming, "revoke"))

    shown = see(admin_client, f"/console/acme/pools/{acme.pool.pk}/history/")

    assert f"The key {coming.kid} of ES256 is revoked; 0 sessions have ended." in shown.text
