"""A new client secret is shown once, on the page that answers the request, and works."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone

from applications.client_authentication import ClientCredentials, authenticate_client
from applications.models import Application, ClientSecret
from config.kernel.errors import InvalidClient
from tests.support import builders
from tests.support.oidc import refresh
from tests.support.pages import Page, see, send

ADD = "/console/acme/applications/add/"


def address_of(application, page="client-secret"):
    return f"/console/{application.pool.identifier}/applications/{application.pk}/{page}/"


def shown_on(response):
    """Return the secret that the page shows."""
    html = response.content.decode()
    return html.partition('id="client-secret">')[2].partition("<")[0]


@pytest.fixture
def web(acme):
    return builders.make_application(
        acme.pool, client_id="acme-web", type="web", client_secret=builders.CLIENT_SECRET
    )


def test_opening_the_address_makes_no_secret(web, admin_client):
    assert admin_client.get(address_of(web)).status_code == 405

    assert web.client_secrets.count() == 1


def test_a_viewer_and_a_stranger_make_no_secret(web, client, viewer_client, stranger_client):
    assert viewer_client.post(address_of(web)).status_code == 403
    assert stranger_client.post(address_of(web)).status_code == 404
    through_her_pool = address_of(web).replace("/acme/", "/globex/")
    assert stranger_client.post(through_her_pool).status_code == 404
    assert "/login/" in client.post(address_of(web))["Location"]

    assert web.client_secrets.get().expires_at is None
    assert not LogEntry.objects.exists()


def test_an_application_that_is_not_there_gets_no_secret(acme, globex, admin_client):
    elsewhere = address_of(globex.application).replace("/globex/", "/acme/")

    assert admin_client.post(elsewhere).status_code == 404
    assert not ClientSecret.objects.exists()


def test_a_form_with_a_mistake_makes_no_secret(acme, admin_client):
    send(admin_client, ADD, {"type": "web", "name": "", "client_id": "fresh"})

    assert not ClientSecret.objects.exists()


def test_an_application_that_proves_itself_by_nothing_shows_no_button(acme, admin_client):
    assert "New client secret" not in see(admin_client, address_of(acme.application, "change")).text


@pytest.mark.parametrize("type_", ["web", "machine"])
def test_the_secret_of_a_new_application_works(acme, admin_client, type_):
    response = send(
        admin_client, ADD, {"type": type_, "name": "Fresh", "client_id": "fresh", "_continue": "1"}
    )

    application = Application.objects.get(client_id="fresh")
    authenticate_client(
        application,
        ClientCredentials(application.client_id, shown_on(response)),
        now=timezone.now(),
    )
    with pytest.raises(InvalidClient):
        authenticate_client(
            application,
            ClientCredentials(application.client_id, shown_on(response)[:-1]),
            now=timezone.now(),
        )


def test_a_new_secret_works_at_the_token_endpoint_and_the_old_one_for_a_day(
    acme, admin_client, log_in
):
    builders.offer(
        builders.make_application(
            acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
        ),
        acme.source,
    )
    application = Application.objects.get(client_id="acme-safe")
    with time_machine.travel(timezone.now(), tick=False) as now:
        form = see(admin_client, address_of(application, "change")).form_to("/client-secret/")
        new = shown_on(admin_client.post(form.action, form.fields))

        def door(secret):
            answer = log_in(client_id="acme-safe", client_secret=secret)
            if answer.status_code == 401:
                return 401
            token = answer.json()["refresh_token"]
            renewed = refresh(token, client_id="acme-safe", client_secret=secret)
            return renewed.status_code

        assert [door(new), door(builders.CLIENT_SECRET), door(new[::-1])] == [200, 200, 401]
        now.shift(timedelta(hours=24) - timedelta(seconds=1))
        assert [door(new), door(builders.CLIENT_SECRET)] == [200, 200]
        now.shift(timedelta(seconds=1))
        assert [door(new), door(builders.CLIENT_SECRET)] == [200, 401]


def test_the_secret_is_on_that_page_alone(acme, admin_client, caplog):
    fields = {"type": "web", "name": "Fresh", "client_id": "fresh"}
    made = send(admin_client, ADD, fields)
    application = Application.objects.get(client_id="fresh")
    again = admin_client.post(address_of(application))

    secrets = [shown_on(made), shown_on(again)]
    assert [len(secret) for secret in secrets] == [43, 43]
    assert len(set(secrets)) == 2
    for response, secret in zip((made, again), secrets, strict=True):
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]
        assert response.content.decode().count(secret) == 1
        assert secret not in str(response.headers) + str(response.cookies)
    later = "".join(
        admin_client.get(address_of(application, page)).content.decode()
        for page in ("change", "history")
    )
    kept = str(
        [
            later,
            caplog.text,
            list(LogEntry.objects.values()),
            [row.get_decoded() for row in Session.objects.all()],
            admin_client.cookies,
            list(Application.objects.values()),
            list(ClientSecret.objects.values()),
        ]
    )
    assert [secret for secret in secrets if secret in kept] == []


def test_the_history_says_who_made_a_secret(web, admin_client):
    admin_client.post(address_of(web))

    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.get_change_message()) == ("ada", "New client secret.")


def test_the_page_leads_back_to_the_application(web, admin_client):
    page = Page(admin_client.post(address_of(web)))

    assert f"{address_of(web, 'change')}#login_methods" in page.links
    assert "A secret that was there before goes on working for 24 hours." in page.text


def test_a_public_application_gets_no_secret_that_lies_in_wait(acme, admin_client):
    response = admin_client.post(address_of(acme.application))

    assert response.status_code == 302
    assert not ClientSecret.objects.exists()
