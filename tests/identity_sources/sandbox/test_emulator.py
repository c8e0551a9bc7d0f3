from unittest.mock import ANY

import pytest

from identity_sources.sandbox import InvalidFieldError


def test_an_unknown_path_is_refused_as_wechat_does(server):
    assert server.get("/sns/nothing") == {"errcode": 40066, "errmsg": ANY}


@pytest.mark.parametrize(
    ("app_id", "person", "field"),
    [
        ("wx4f4bc4dec97d474b", "alice", "app_id"),
        ("wxsandbox000000001", "nobody", "person"),
    ],
)
def test_a_phone_outside_the_sandbox_gives_no_code(sandbox, app_id, person, field):
    for press in (sandbox.wx_login, sandbox.get_phone_number):
        with pytest.raises(InvalidFieldError) as refused:
            press(app_id, person)
        assert refused.value.field == field
