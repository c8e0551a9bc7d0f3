"""What becomes of the bytes of a body."""

import json

import pytest

from identity_sources.wechat.push import PushRefused
from identity_sources.wechat.push.bodies import (
    DEEPEST,
    LARGEST_BODY,
    MOST_ELEMENTS,
    MOST_FIELDS,
    read_fields,
)

pytestmark = pytest.mark.once

BILLION_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;">]><xml><Event>&c;</Event></xml>"""
EXTERNAL_ENTITY = (
    b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Event>&a;</Event></xml>'
)


def _refusal(body):
    with pytest.raises(PushRefused) as caught:
        read_fields(body)
    assert caught.value.__context__ is None
    return caught.value.reason


def _nested_xml(levels):
    return b"<a>" * levels + b"x" + b"</a>" * levels


def _nested_json(levels):
    return b'{"a":' + b"[" * levels + b"]" * levels + b"}"


def test_xml_is_read():
    body = "<xml>\n<MsgType><![CDATA[event]]></MsgType>\n<A>1 &lt; 2</A><B/><C>微信🌸</C></xml>"

    assert read_fields(body.encode()) == {"msgtype": "event", "a": "1 < 2", "b": "", "c": "微信🌸"}


def test_json_is_read():
    body = '{"MsgType":"event","CreateTime":1714112445,"A":null,"B":true,"C":"微信🌸","D":1.5}'

    assert read_fields(body.encode()) == {
        "msgtype": "event",
        "createtime": "1714112445",
        "a": "",
        "b": "true",
        "c": "微信🌸",
        "d": "1.5",
    }


@pytest.mark.parametrize("before", ["", " \r\n", "\ufeff", "\ufeff\n"])
@pytest.mark.parametrize("body", ["<xml><a>1</a></xml>", '{"a":"1"}'])
def test_blanks_and_a_byte_order_mark_before_a_body_are_skipped(before, body):
    assert read_fields(f"{before}{body}\n".encode()) == {"a": "1"}


def test_names_lose_their_blanks_and_their_case():
    body = b'{" OpenID":"o1","\\tAPPID ":"wx1","unionid":"o2"}'

    assert read_fields(body) == {"openid": "o1", "appid": "wx1", "unionid": "o2"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"openid":"","OpenID":"first"," OpenID":"second","OpenID":""}',
        b'{"OpenID":"first","OpenID":"second"}',
        b'{"OpenID":null,"OpenID":"first","OpenID":["x"]}',
        b"<xml><openid/><OpenID>first</OpenID><OPENID>second</OPENID></xml>",
        b"<xml><OpenID>first</OpenID><OpenID>second</OpenID></xml>",
    ],
)
def test_of_several_spellings_the_first_that_is_not_empty_counts(body):
    assert read_fields(body) == {"openid": "first"}


def test_nested_values_are_kept_as_json():
    detail = '{"suspended_days":0}'
    body = json.dumps({"illegal_content": ["违规"], "detail": detail, "o": {"b": [1, {}]}})

    fields = read_fields(body.encode())

    assert fields == {"illegal_content": '["违规"]', "detail": detail, "o": '{"b": [1, {}]}'}


def test_nested_xml_becomes_json():
    body = b"<xml><List><Item><a>1</a></Item><Item>2</Item>\n</List></xml>"

    assert read_fields(body) == {"list": '{"Item": [{"a": "1"}, "2"]}'}


def test_broken_utf_8_and_control_characters_do_not_cost_the_event():
    assert read_fields(b'{"a":"A\x14\xffB"}') == {"a": "A\x14\ufffdB"}
    assert read_fields(b"<xml><a>A\x14\xffB\x00</a></xml>") == {"a": "A\ufffd\ufffdB\ufffd"}


def test_what_no_database_stores_is_replaced():
    assert read_fields(b'{"a\\u0000":"\\ud800x\\u0000","b":["\\udfff"]}') == {
        "a\ufffd": "\ufffdx\ufffd",
        "b": '["\ufffd"]',
    }


def test_an_encoding_that_xml_claims_for_itself_does_not_count():
    for encoding in ("gbk", "utf-7", "utf-16", "nonsense", "zlib"):
        body = f'<?xml version="1.0" encoding="{encoding}"?><xml><a>微信</a></xml>'

        assert read_fields(body.encode()) == {"a": "微信"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"success",
        b"null",
        b"[]",
        b'[{"a":"1"}]',
        b'"text"',
        b"a=1&b=2",
        b'{"a":"1"',
        b'{"a":"1"} more',
        b'{"a":' + b"9" * 5000 + b"}",
        b"<xml>",
        b"<xml/><xml/>",
        b"<xml><a></b></xml>",
        b"<xml>&nbsp;</xml>",
        b"<xml><p:a>1</p:a></xml>",
        b"<!DOCTYPE html><html><body>x</body></html>",
        BILLION_LAUGHS,
        EXTERNAL_ENTITY,
        b'<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml><a>1</a></xml>',
        b"<!\x01DOCTYPE xml []><xml><a>1</a></xml>",
        b"\x00\x01\x02",
        "<xml><a>1</a></xml>".encode("utf-16"),
    ],
)
def test_anything_else_is_unreadable(body):
    assert _refusal(body) == "unreadable"


def test_a_body_of_no_fields_is_read():
    assert read_fields(b"{}") == {}
    assert read_fields(b"<xml/>") == {}


def test_nesting_is_bounded():
    assert read_fields(_nested_json(DEEPEST - 1)) == {"a": "[" * 15 + "]" * 15}
    assert _refusal(_nested_json(DEEPEST)) == "unreadable"
    assert _refusal(_nested_json(100_000)) == "unreadable"
    assert list(read_fields(_nested_xml(DEEPEST))) == ["a"]
    assert _refusal(_nested_xml(DEEPEST + 1)) == "unreadable"
    assert _refusal(_nested_xml(30_000)) == "unreadable"


def test_the_number_of_fields_is_bounded():
    for count, is_fine in ((MOST_FIELDS, True), (MOST_FIELDS + 1, False)):
        names = [f"f{number}" for number in range(count)]
        in_json = json.dumps(dict.fromkeys(names, "x")).encode()
        in_xml = f"<xml>{''.join(f'<{name}>x</{name}>' for name in names)}</xml>".encode()
        for body in (in_json, in_xml):
            if is_fine:
                assert len(read_fields(body)) == count
            else:
                assert _refusal(body) == "unreadable"


def test_the_number_of_elements_is_bounded():
    elements = b"<b/>" * (MOST_ELEMENTS - 2)

    assert list(read_fields(b"<xml><a>" + elements + b"</a></xml>")) == ["a"]
    assert _refusal(b"<xml><a>" + elements + b"<b/></a></xml>") == "unreadable"


def test_the_size_of_a_body_is_bounded():
    largest = b'{"a":"' + b"x" * (LARGEST_BODY - 8) + b'"}'

    assert list(read_fields(largest)) == ["a"]
    assert _refusal(largest + b" ") == "too_large"
