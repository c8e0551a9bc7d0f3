"""What the sandbox pushes: names of fields, signatures, encryption, and what it refuses to make."""

import base64
import json
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from identity_sources.sandbox import InvalidFieldError, openid_of, unionid_of
from identity_sources.sandbox.pushed_events import PLATFORM_OPENID, PushedEvent, original_id_of
from identity_sources.sandbox.pushes import Endpoint, encrypt, push_request, signature

pytestmark = pytest.mark.once

TOKEN = "AAAAA"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
NOW = 1_700_000_000
CANCELLATION = "user_authorization_cancellation"
AUTHORIZATION_EVENTS = ["user_info_modified", "user_authorization_revoke", CANCELLATION]


@pytest.fixture
def event(shop):
    def event(name=CANCELLATION, **changes):
        fields = {"app_id": shop, "person": "alice", "event": name, "created_at": NOW - 5}
        return PushedEvent(**fields | changes)

    return event


def endpoint(**changes):
    return Endpoint(**{"token": TOKEN, "aes_key": AES_KEY} | changes)


def query_of(request):
    return {name: values[0] for name, values in parse_qs(request.query).items()}


def decrypted(encrypted):
    key = base64.b64decode(AES_KEY + "=")
    decryptor = Cipher(AES256(key), CBC(key[:16])).decryptor()
    return decryptor.update(base64.b64decode(encrypted)) + decryptor.finalize()


def test_the_signature_is_the_official_one():
    assert signature("AAAAA", "1714036504", "1514711492") == (
        "f464b24fc39322e44b38aa78f5edd27bd1441696"
    )


def test_the_encryption_is_tencents():
    encrypted = encrypt(
        "我是中文abcd123".encode(),
        aes_key=AES_KEY,
        app_id="wxb11529c136998cb6",
        salt=b"aaaabbbbccccdddd",
    )

    assert encrypted == (
        "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
    )


def test_the_official_push_is_signed_over_its_encrypt_part():
    message = (
        '{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY",'
        '"CreateTime":1714112445,"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}'
    )

    encrypted = encrypt(
        message.encode(),
        aes_key="A" * 43,
        app_id="wxba5fad812f8e6fb9",
        salt=b"a8eedb185eb2fecf",
    )

    assert signature("AAAAA", "1714112445", "415670741", encrypted) == (
        "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
    )


def test_the_same_message_is_never_encrypted_alike():
    assert len({encrypt(b"x", aes_key=AES_KEY, app_id="wx") for _ in range(20)}) == 20


@pytest.mark.parametrize("name", AUTHORIZATION_EVENTS)
def test_an_authorisation_names_the_person_in_a_field_of_its_own(event, shop, name):
    fields = event(name).fields()

    assert fields.pop("RevokeInfo", None) == ("8" if name.endswith("revoke") else None)
    assert fields == {
        "ToUserName": original_id_of(shop),
        "FromUserName": PLATFORM_OPENID,
        "CreateTime": NOW - 5,
        "MsgType": "event",
        "Event": name,
        "OpenID": openid_of(shop, "alice"),
        "AppID": shop,
        "UnionID": unionid_of(shop, "alice"),
    }


def test_an_application_that_is_not_bound_hears_of_no_unionid(event, unbound_shop):
    assert "UnionID" not in event(app_id=unbound_shop).fields()


def test_a_revocation_says_of_what(event):
    assert event("user_authorization_revoke", revoke_info="301").fields()["RevokeInfo"] == "301"


def test_a_punishment_is_of_the_application(event, shop):
    fields = event("wxa_punish_event", event_type="4").fields()

    assert (fields["FromUserName"], fields["appid"]) == (PLATFORM_OPENID, shop)
    assert fields["event_type"] == 4
    assert isinstance(fields["illegal_content"], list)
    assert json.loads(fields["detail"])["warned_type"] == 1
    assert "OpenID" not in fields


def test_any_other_event_comes_from_the_person(event, shop):
    fields = event("subscribe").fields()

    assert fields["FromUserName"] == openid_of(shop, "alice")
    assert list(fields) == ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"]


def test_an_original_id_has_wechats_shape_and_is_the_applications_own(shop, other_shop):
    assert re.fullmatch("gh_[0-9a-f]{12}", original_id_of(shop))
    assert original_id_of(shop) != original_id_of(other_shop)
    assert len(PLATFORM_OPENID) == len(openid_of(shop, "alice"))


@pytest.mark.parametrize("body_format", ["xml", "json"])
@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
def test_every_push_says_that_it_is_xml_and_is_signed(event, mode, body_format):
    request = push_request(event(), endpoint(mode=mode, format=body_format), NOW + 0.9)
    query = query_of(request)

    assert request.content_type == "text/xml"
    assert request.body[:1] == (b"<" if body_format == "xml" else b"{")
    assert query["timestamp"] == str(NOW)
    assert query["openid"] == PLATFORM_OPENID
    assert query["signature"] == signature(TOKEN, query["timestamp"], query["nonce"])


def test_a_plain_push_says_nothing_of_encryption(event):
    request = push_request(event(), endpoint(mode="plain", format="json"), NOW)

    assert set(query_of(request)) == {"signature", "timestamp", "nonce", "openid"}
    assert json.loads(request.body) == event().fields()


def test_a_safe_push_shows_nothing_but_whom_it_is_for(event, shop):
    request = push_request(event(), endpoint(format="json"), NOW)
    query, body = query_of(request), json.loads(request.body)

    assert set(body) == {"ToUserName", "Encrypt"}
    assert query["encrypt_type"] == "aes"
    assert query["msg_signature"] == signature(
        TOKEN, query["timestamp"], query["nonce"], body["Encrypt"]
    )
    plaintext = decrypted(body["Encrypt"])
    length = int.from_bytes(plaintext[16:20], "big")
    assert json.loads(plaintext[20 : 20 + length]) == event().fields()
    assert plaintext[20 + length :].startswith(shop.encode())


def test_a_compat_push_holds_both(event):
    request = push_request(event(), endpoint(mode="compat", format="json"), NOW)

    body = json.loads(request.body)
    assert body.pop("Encrypt")
    assert body == event().fields()
    assert query_of(request)["encrypt_type"] == "aes"


def test_xml_is_written_as_wechat_writes_it(event):
    plain = endpoint(mode="plain")

    assert push_request(event("subscribe"), plain, NOW).body.decode() == (
        "<xml>"
        f"<ToUserName><![CDATA[{event().fields()['ToUserName']}]]></ToUserName>"
        f"<FromUserName><![CDATA[{event('subscribe').sender}]]></FromUserName>"
        f"<CreateTime>{NOW - 5}</CreateTime>"
        "<MsgType><![CDATA[event]]></MsgType>"
        "<Event><![CDATA[subscribe]]></Event>"
        "</xml>"
    )
    punishment = ET.fromstring(push_request(event("wxa_punish_event"), plain, NOW).body)  # noqa: S314 - our own
    assert punishment.findtext("illegal_content") == "沙箱中的违规内容 & <more>"
    assert punishment.findtext("event_type") == "1"


def test_keys_may_be_spelled_oddly(event):
    in_json = push_request(event(), endpoint(mode="plain", format="json"), NOW, has_odd_keys=True)
    in_xml = push_request(event(), endpoint(mode="plain"), NOW, has_odd_keys=True)

    assert {" OpenID", "appid"} < set(json.loads(in_json.body))
    assert b"<openid>" in in_xml.body
    assert b"<appid>" in in_xml.body
    assert b"OpenID" not in in_xml.body


def test_every_push_has_a_nonce_of_its_own(event):
    nonces = [query_of(push_request(event(), endpoint(), NOW))["nonce"] for _ in range(5)]

    assert all(one != next_one for one, next_one in pairwise(nonces))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("app_id", {"app_id": "wx4f4bc4dec97d474b"}),
        ("person", {"person": "nobody"}),
        ("event", {"event": "a]]>b"}),
        ("event", {"event": ""}),
        ("event", {"event": "x" * 65}),
        ("created_at", {"created_at": -1}),
        ("created_at", {"created_at": 10**10}),
        ("revoke_info", {"revoke_info": "8"}),
        ("revoke_info", {"revoke_info": "x", "event": "user_authorization_revoke"}),
        ("event_type", {"event_type": "1"}),
        ("event_type", {"event_type": "1000", "event": "wxa_punish_event"}),
    ],
)
def test_a_wrong_field_of_an_event_is_named(event, field, changes):
    with pytest.raises(InvalidFieldError) as refused:
        event(changes.pop("event", CANCELLATION), **changes)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("token", "ab"),
        ("token", "a" * 33),
        ("token", "with blank"),
        ("aes_key", "a" * 42),
        ("aes_key", "a" * 42 + "+"),
        ("mode", "secret"),
        ("format", "yaml"),
    ],
)
def test_a_wrong_field_of_an_endpoint_is_named(field, value):
    with pytest.raises(InvalidFieldError) as refused:
        endpoint(**{field: value})

    assert refused.value.field == field


def test_the_repr_of_an_endpoint_hides_what_signs():
    assert TOKEN not in repr(endpoint())
    assert AES_KEY not in repr(endpoint())
