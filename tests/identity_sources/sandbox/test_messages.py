import re

import pytest

from identity_sources.sandbox.exceptions import RefusedError
from identity_sources.sandbox.messages import (
    SandboxRequest,
    content_type,
    encode,
    first_values,
    refusal_payload,
)


def test_of_a_repeated_parameter_the_first_value_counts():
    assert first_values("appid=first&appid=second&secret=") == {"appid": "first", "secret": ""}


def test_a_request_is_read_from_a_url():
    request = SandboxRequest.from_target("post", "https://api.weixin.qq.com/a/b?c=d%20e", b"body")

    assert request == SandboxRequest("POST", "/a/b", {"c": "d e"}, b"body")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/sns/jscode2session", "text/plain"),
        ("/cgi-bin/token", "application/json; encoding=utf-8"),
        ("/wxa/business/getuserphonenumber", "application/json; encoding=utf-8"),
    ],
)
def test_content_types_are_those_that_break_typed_clients(path, expected):
    assert content_type(path) == expected


def test_only_sns_answers_escape_slashes_and_text_stays_raw():
    payload = {"url": "a/b", "name": "可柔🌸"}

    assert encode("/sns/x", payload) == '{"url":"a\\/b","name":"可柔🌸"}'.encode()
    assert encode("/wxa/x", payload) == '{"url":"a/b","name":"可柔🌸"}'.encode()


def test_errmsg_ends_with_a_request_id_that_begins_with_the_time():
    texts = {refusal_payload(RefusedError(40029), 0x65F3E9F7)["errmsg"] for _ in range(100)}

    assert len(texts) == 100
    assert all(
        re.fullmatch(r"invalid code,? rid: 65f3e9f7-[0-9a-f]{8}-[0-9a-f]{8}", text)
        for text in texts
    )
    assert len({text.partition("rid")[0] for text in texts}) == 2
