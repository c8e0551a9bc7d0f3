"""What opens the page with a code to scan, and where it leads."""

import pytest

from identity_sources.sandbox.qrconnect import PageError, read_request

HOST = "login.example.com"
QUERY = {
    "appid": "wxsandbox000000001",
    "redirect_uri": f"https://{HOST}/login/wechat",
    "response_type": "code",
    "scope": "snsapi_login",
    "state": "s1",
}


def error_of(**changes):
    with pytest.raises(PageError) as refused:
        read_request(QUERY | changes, registered_host=HOST)
    return refused.value.text, refused.value.number


@pytest.mark.parametrize(
    ("changes", "text", "number"),
    [
        ({"appid": ""}, "AppID 参数错误", 10012),
        ({"appid": "wx4f4bc4dec97d474b"}, "AppID 参数错误", 10012),
        ({"redirect_uri": ""}, "redirect_uri 参数错误", 10011),
        ({"response_type": "token"}, "response_type 参数错误", None),
        ({"scope": ""}, "Scope 参数错误或没有 Scope 权限", 10005),
        ({"scope": "snsapi_userinfo"}, "Scope 参数错误或没有 Scope 权限", 10005),
    ],
)
def test_a_wrong_parameter_is_an_error_page_in_wechats_words(changes, text, number):
    assert error_of(**changes) == (text, number)


@pytest.mark.parametrize("name", QUERY.keys() - {"state"})
def test_every_parameter_but_the_state_is_needed(name):
    with pytest.raises(PageError):
        read_request(
            {given: QUERY[given] for given in QUERY if given != name}, registered_host=HOST
        )


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example/login/wechat",
        "https://example.com/",
        f"https://www.{HOST}/",
        f"https://{HOST}.evil.example/",
        f"https://{HOST}@evil.example/",
        f"https://evil.example@{HOST}/",
        f"https://evil.example\\@{HOST}/",
        f"https://evil.example/#@{HOST}/",
        f"//{HOST}/",
        f"ftp://{HOST}/",
        "javascript:alert(1)",
        HOST,
        "/login/wechat",
        f"https://{HOST}/ x",
        f"https://{HOST}/\r\nSet-Cookie: a=b",
        f"https://{HOST}/微",
        "https://[::1/",
    ],
)
def test_the_page_leads_nowhere_but_to_the_registered_host(redirect_uri):
    assert error_of(redirect_uri=redirect_uri) == ("redirect_uri 参数错误", 10003)


@pytest.mark.parametrize(
    "redirect_uri",
    [f"https://{HOST}", f"http://{HOST}:8000/any/path?x=1", "https://LOGIN.example.com/"],
)
def test_any_port_and_path_of_the_registered_host_is_good(redirect_uri):
    wanted = read_request(QUERY | {"redirect_uri": redirect_uri}, registered_host=HOST)

    assert wanted.redirect_uri == redirect_uri


@pytest.mark.parametrize(
    ("redirect_uri", "state", "confirmed", "refused"),
    [
        (f"https://{HOST}/a", "s1", "?code=C&state=s1", "?state=s1"),
        (f"https://{HOST}/a?b=1", "s1", "&code=C&state=s1", "&state=s1"),
        (f"https://{HOST}/a", "a b&c=微", "?code=C&state=a+b%26c%3D%E5%BE%AE", None),
        (f"https://{HOST}/a", "", "?code=C&state=", "?state="),
    ],
)
def test_code_and_state_are_added_to_the_address(redirect_uri, state, confirmed, refused):
    wanted = read_request(
        QUERY | {"redirect_uri": redirect_uri, "state": state}, registered_host=HOST
    )

    assert wanted.confirmed("C") == redirect_uri + confirmed
    assert refused is None or wanted.refused() == redirect_uri + refused


def test_the_state_may_be_missing():
    query = {name: QUERY[name] for name in QUERY if name != "state"}

    assert read_request(query, registered_host=HOST).state == ""
