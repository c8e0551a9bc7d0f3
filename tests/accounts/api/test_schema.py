"""The OpenAPI description: valid, complete, and readable without anything from elsewhere."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
import yaml
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.urls import URLPattern

from accounts.api.urls import urlpatterns

UNDESCRIBED = {"schema", "api-docs", None}
"""The names of the addresses that are not REST doors; ``None`` is the page for unknown ones."""
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}


class Page(HTMLParser):
    """What a page loads, and what it brings along inline."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.loaded += [attributes[name] for name in ("src", "href") if name in attributes]
        self.inline += [name for name in attributes if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in attributes):
            self.inline.append(tag)


@pytest.fixture
def plain_static_files(settings):
    """Static files as they lie in the source: none were collected for a test."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def docs(client, plain_static_files):
    response = client.get("/api/docs")
    assert response.status_code == 200
    return response


@pytest.fixture
def schema(client):
    response = client.get("/api/schema")
    assert response.status_code == 200
    return yaml.safe_load(response.content)


def address_of(door: URLPattern) -> str:
    """The address of a door as OpenAPI writes it: parameters without their types."""
    return "/api/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(door.pattern))


def doors() -> list[URLPattern]:
    return [pattern for pattern in urlpatterns if pattern.name not in UNDESCRIBED]


def test_the_page_loads_nothing_from_elsewhere(docs):
    page = Page(docs.content.decode())

    assert page.loaded
    assert not [url for url in page.loaded if urlsplit(url).scheme or urlsplit(url).netloc]


def test_the_page_brings_nothing_inline(docs):
    assert Page(docs.content.decode()).inline == []


def test_the_pages_policy_is_strict(docs):
    assert set(docs["Content-Security-Policy"].split("; ")) == POLICY
    assert docs["X-Frame-Options"] == "DENY"
    assert docs["X-Content-Type-Options"] == "nosniff"


def test_everything_that_the_page_loads_is_there(docs, client):
    for url in Page(docs.content.decode()).loaded:
        path = urlsplit(url).path
        if path.startswith("/static/"):
            assert finders.find(path.removeprefix("/static/")), path
        else:
            assert client.get(url).status_code == 200, url


def test_the_pages_script_asks_this_server_only(docs, client):
    [script] = [url for url in Page(docs.content.decode()).loaded if "script" in url]

    source = client.get(script).content.decode()

    assert "/api/schema" in source
    assert "https://" not in source
    assert "http://" not in source


def test_the_description_is_valid_and_without_warnings():
    # Exits with an error where a door has no serializer, a type is guessed or a name is taken.
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


@pytest.mark.parametrize("door", doors(), ids=lambda door: door.name)
def test_every_door_is_described(schema, door):
    described = schema["paths"][address_of(door)]
    offered = set(door.callback.view_class().allowed_methods) - {"OPTIONS", "HEAD"}

    assert {method.upper() for method in described} == offered
    for operation in described.values():
        assert operation["summary"]
        assert operation["tags"]
        assert "security" in operation or operation["tags"] == ["login"]


def test_nothing_else_is_described(schema):
    assert set(schema["paths"]) == {address_of(door) for door in doors()}


def test_every_error_is_described_alike(schema):
    for described in schema["paths"].values():
        for operation in described.values():
            failures = {
                status: answer["content"]["application/json"]["schema"]["$ref"]
                for status, answer in operation["responses"].items()
                if int(status) >= 400
            }
            assert set(failures.values()) == {"#/components/schemas/ErrorAnswer"}


def test_the_persons_own_doors_need_an_access_token(schema):
    addresses = [address for address in schema["paths"] if address.startswith("/api/v1/me")]
    operations = [
        operation for address in addresses for operation in schema["paths"][address].values()
    ]

    assert len(operations) == 9
    assert [operation["security"] for operation in operations] == [[{"accessToken": []}]] * 9
    assert schema["components"]["securitySchemes"] == {
        "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }


def test_a_bounded_text_is_described_with_its_bounds(schema):
    fields = schema["components"]["schemas"]["MiniProgramLoginInput"]["properties"]

    assert fields["code"] == {
        "type": "string",
        "description": "From wx.login; valid for five minutes, once.",
        "minLength": 1,
        "maxLength": 256,
        "pattern": "^[0-9A-Za-z_-]+$",
    }
    assert (fields["scope"]["minLength"], fields["scope"]["maxLength"]) == (1, 256)
