import pytest
from django.core.exceptions import ValidationError

from applications.redirect_uris import (
    is_registered,
    origin_of,
    validate_logout_uri,
    validate_redirect_uri,
)
from applications.rules import ApplicationType

EVERY_TYPE = list(ApplicationType)


@pytest.mark.parametrize("application_type", EVERY_TYPE)
@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "shop.example.com/callback",
        "//shop.example.com/callback",
        "https:",
        "https:///callback",
        "https:callback",
        "https://:443/callback",
        "http://shop.example.com/callback",
        "http://127.0.0.1.example.com/callback",
        "http://localhost.example.com/callback",
        "http://192.168.0.1/callback",
        "http://0.0.0.0/callback",
        "http://[::2]/callback",
        "ftp://shop.example.com/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://shop.example.com/callback#",
        "https://shop.example.com/callback#top",
        "https://user@shop.example.com/callback",
        "https://user:word@shop.example.com/callback",
        "https://shop.example.com@evil.example/",
        "https://*.example.com/callback",
        "https://shop.example.com/*",
        "https://shop.example.com:port/callback",
        "https://shop.example.com:99999/callback",
        "https://[::1/callback",
        "https://shop.example.com/[a]",
        "https://shop.example.com\\@evil.example/",
        "https://shop.example.com/a b",
        "https://shop.example.com/callback\n",
        "https://shop.example.com/\x00",
        "https://商店.example/callback",
        "https://shop.example.com/" + "a" * 500,
    ],
)
def test_a_uri_that_could_lead_elsewhere_is_refused(uri, application_type):
    with pytest.raises(ValidationError):
        validate_redirect_uri(uri, application_type)


@pytest.mark.parametrize("application_type", EVERY_TYPE)
@pytest.mark.parametrize(
    "uri",
    [
        "https://shop.example.com/callback",
        "https://shop.example.com",
        "https://shop.example.com:8443/callback?tenant=a&b=%2F",
        "https://xn--3px29f.example/callback",
        "http://localhost:3000/callback",
        "http://127.0.0.1:3000/callback",
        "http://[::1]:3000/callback",
    ],
)
def test_https_and_http_on_loopback_are_accepted(uri, application_type):
    validate_redirect_uri(uri, application_type)


@pytest.mark.parametrize(
    "uri", ["com.example.app:/callback", "com.example.app://callback", "com.example.my-app:/a?b=c"]
)
def test_a_scheme_of_ones_own_domain_is_for_native_applications_only(uri):
    validate_redirect_uri(uri, ApplicationType.NATIVE)

    for application_type in set(EVERY_TYPE) - {ApplicationType.NATIVE}:
        with pytest.raises(ValidationError):
            validate_redirect_uri(uri, application_type)


@pytest.mark.parametrize(
    "uri", ["myapp:/callback", "myapp://callback", "com.example.app:callback", ".app:/callback"]
)
def test_a_scheme_that_anybody_could_take_is_refused_for_native_applications(uri):
    with pytest.raises(ValidationError):
        validate_redirect_uri(uri, ApplicationType.NATIVE)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://shop.example.com/logged-out",
        "com.example.app:/logged-out",
        "https://shop.example.com/logged-out#now",
        "https://me@shop.example.com/logged-out",
        "https://*.example.com/logged-out",
        "file:///etc/passwd",
    ],
)
def test_a_server_is_told_at_web_addresses_alone(uri):
    with pytest.raises(ValidationError):
        validate_logout_uri(uri)


@pytest.mark.parametrize(
    "uri", ["https://shop.example.com/logged-out?a=b", "http://127.0.0.1:9000/backchannel-logout"]
)
def test_a_server_is_told_over_https_or_on_the_same_machine(uri):
    validate_logout_uri(uri)


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://shop.example.com/callback?a=b", "https://shop.example.com"),
        ("https://shop.example.com", "https://shop.example.com"),
        ("https://shop.example.com:443/callback", "https://shop.example.com"),
        ("https://shop.example.com:80/callback", "https://shop.example.com:80"),
        ("https://shop.example.com:8443/callback", "https://shop.example.com:8443"),
        ("http://localhost:80/callback", "http://localhost"),
        ("http://localhost:443/callback", "http://localhost:443"),
        ("http://127.0.0.1:9000/callback", "http://127.0.0.1:9000"),
        ("http://[::1]:9000/callback", "http://[::1]:9000"),
        ("http://[::1]/callback", "http://[::1]"),
        ("HTTPS://Shop.Example.COM/Callback", "https://shop.example.com"),
        ("com.example.app:/callback", ""),
        ("com.example.app://shop.example.com/callback", ""),
    ],
)
def test_the_origin_is_what_browsers_send(uri, origin):
    assert origin_of(uri) == origin


LOOPBACK = ["http://127.0.0.1/callback?x=1", "http://[::1]:4000/callback", "http://localhost"]


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:80@evil.example/callback?x=1",
        "http://127.0.0.1.evil.example/callback?x=1",
        "http://127.0.0.1:/callback?x=1",
        "http://127.0.0.1:123456/callback?x=1",
        "http://127.0.0.1:4000/callback?x=2",
        "http://127.0.0.1:4000/callback",
        "http://127.0.0.2:4000/callback?x=1",
        "https://127.0.0.1:4000/callback?x=1",
        "http://localhost:4000\n",
        "http://localhost:4000/",
        "com.example.app:/callback:4000",
        "https://app.example.com:4000/callback",
    ],
)
def test_a_native_application_chooses_nothing_but_its_port_on_loopback(uri):
    others = ["com.example.app:/callback", "https://app.example.com/callback"]

    assert not is_registered(uri, [*LOOPBACK, *others], "native")


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/callback?x=1",
        "http://127.0.0.1:51004/callback?x=1",
        "http://[::1]/callback",
        "http://[::1]:51004/callback",
        "http://localhost:51004",
    ],
)
def test_a_native_application_listens_on_any_port_of_loopback(uri):
    assert is_registered(uri, LOOPBACK, "native")


@pytest.mark.parametrize("application_type", ["web", "spa"])
def test_no_other_application_chooses_its_port(application_type):
    assert is_registered("http://[::1]:4000/callback", LOOPBACK, application_type)
    assert not is_registered("http://[::1]:4001/callback", LOOPBACK, application_type)
