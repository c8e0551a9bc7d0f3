"""Message push on a source's page: what to enter in WeChat's console, shown once."""

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from identity_sources.models import MessagePushKey
from identity_sources.push_keys import push_keys_of


def page_of(source):
    return f"/console/{source.pool.identifier}/sources/{source.pk}/change/"


def making(source):
    return f"/console/{source.pool.identifier}/sources/{source.pk}/new-push-key/"


def test_a_viewer_makes_none(acme, viewer_client):
    assert viewer_client.post(making(acme.source)).status_code == 403
    assert MessagePushKey.objects.count() == 0
    assert "Make token and key" not in viewer_client.get(page_of(acme.source)).content.decode()


def test_a_stranger_is_told_of_nothing(acme, stranger_client):
    assert stranger_client.post(making(acme.source)).status_code == 404
    assert MessagePushKey.objects.count() == 0


def test_looking_makes_none(acme, admin_client):
    assert admin_client.get(making(acme.source)).status_code == 405
    assert MessagePushKey.objects.count() == 0


def test_what_is_made_is_shown_once(acme, admin_client, settings):
    shown = admin_client.post(making(acme.source))

    [made] = push_keys_of(acme.source, now=timezone.now())
    text = shown.content.decode()
    assert made.token in text
    assert made.aes_key in text
    assert f"{settings.PUBLIC_URL}/wechat/acme/acme-mini/events" in text
    assert "no-store" in shown["Cache-Control"]
    history = [entry.get_change_message() for entry in LogEntry.objects.all()]
    assert history == ["New token and EncodingAESKey."]
    for page in (page_of(acme.source), f"/console/acme/sources/{acme.source.pk}/history/"):
        later = admin_client.get(page).content.decode()
        assert made.token not in later
        assert made.aes_key not in later


@pytest.mark.parametrize("who", ["admin_client", "viewer_client"])
def test_the_page_says_where_events_go_and_what_came(acme, request, who, settings):
    text = request.getfixturevalue(who).get(page_of(acme.source)).content.decode()

    assert f"{settings.PUBLIC_URL}/wechat/acme/acme-mini/events" in text
    assert f"/console/acme/wechat-events/?identity_source__id__exact={acme.source.pk}" in text


def test_an_archived_source_has_no_such_panel(acme, admin_client):
    acme.source.archived_at = timezone.now()
    acme.source.save()

    assert "/wechat/acme" not in admin_client.get(page_of(acme.source)).content.decode()
