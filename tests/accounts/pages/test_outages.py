"""While the shared cache is away nobody is let in, and everybody may try again."""

import pytest

from accounts.models import Session
from identity_sources.models import IdentitySource
from tests.support.login_steps import come_back, confirmed, log_in_on, open_login, set_out
from tests.support.pages import see
from tests.support.website import answered

pytestmark = pytest.mark.usefixtures("site")


def test_whoever_comes_back_from_wechat_may_set_out_again(client, request, caplog):
    page = open_login(client)
    at_wechat, code = set_out(client, page), confirmed()
    request.getfixturevalue("absent_cache")

    told = see(client, come_back(client, at_wechat, code=code)["Location"])

    assert "it isn't your fault" in told.text
    assert any("/wechat/" in link for link in told.links)
    assert not Session.objects.exists()
    assert "127.0.0.1:1" in caplog.text
    assert code not in caplog.text


def test_an_answer_about_an_account_can_be_sent_again(client, request, settings, site):
    IdentitySource.objects.filter(pk=site.source.pk).update(association="ask")
    page = log_in_on(client, open_login(client))["Location"]
    client.raise_request_exception = False
    there = settings.CACHES
    request.getfixturevalue("absent_cache")

    refused = client.post(page, {"action": "create"})

    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    assert "briefly unavailable" in refused.content.decode()
    assert not Session.objects.exists()
    settings.CACHES = there
    assert "code" in answered(client.post(page, {"action": "create"}))
