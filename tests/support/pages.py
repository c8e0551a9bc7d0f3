"""A page of the console as an operator sees it: its text, and its forms to fill in.

Like a browser it posts the page's own values; a test changes the fields it is about.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

_UNSEEN = frozenset({"script", "style", "template", "head"})
_PRESSED = frozenset({"submit", "button", "image", "reset", "file"})


@dataclass
class Form:
    """A form, and the values that a browser would send unchanged."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """A page's text, links and forms."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        assert response.status_code == 200, response.status_code
        self.forms: list[Form] = []
        self.names: set[str] = set()
        self.links: list[str] = []
        self._open: Form | None = None
        self._select = self._textarea = ""
        self._unseen = 0
        self._said: list[str] = []
        self.feed(response.content.decode())

    @property
    def text(self) -> str:
        """The page's text, in one line."""
        return " ".join(" ".join(self._said).split())

    @property
    def form(self) -> Form:
        """The page's main form: it is sent to the page's own URL."""
        (found,) = [form for form in self.forms if form.method == "post" and not form.action]
        return found

    def form_to(self, ending: str) -> Form:
        """Return the form that is sent to a URL with this ending."""
        (found,) = [form for form in self.forms if form.action.endswith(ending)]
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._unseen += tag in _UNSEEN
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._open)
        if given.get("name") and tag in {"input", "select", "textarea"}:
            self.names.add(given["name"])
            self._take_field(tag, given)
        if tag == "option" and self._select and self._is_taken(given):
            self._set(self._select, given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN
        if tag == "form":
            self._open = None
        if tag in {"select", "textarea"}:
            self._select = self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._set(self._textarea, data.removeprefix("\n"))
        if not self._unseen:
            self._said.append(data)

    def _take_field(self, tag: str, given: dict[str, str]) -> None:
        name = given["name"]
        if "disabled" in given:
            return
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            self._set(name, "")
        elif given.get("type") in {"checkbox", "radio"}:
            if "checked" in given:
                self._set(name, given.get("value") or "on")
        elif given.get("type") not in _PRESSED:
            self._set(name, given.get("value", ""))

    def _is_taken(self, option: dict[str, str]) -> bool:
        # A browser uses the first option unless another one is selected.
        first = self._open is not None and self._select not in self._open.fields
        return first or "selected" in option

    def _set(self, name: str, value: str) -> None:
        if self._open is not None:
            self._open.fields[name] = value


def see(client: Client, address: str, **headers: str) -> Page:
    """Open a page."""
    return Page(client.get(address, headers=headers or None))


def fill_in(client: Client, address: str, /, **changes: Any) -> HttpResponse:
    """Open a page, change some of its fields (None leaves one out) and save it."""
    return send(client, address, see(client, address).form.fields | changes)


def send(client: Client, address: str, fields: dict[str, Any]) -> HttpResponse:
    """Post the fields that are not None, made by hand or taken from a page."""
    sent = {name: value for name, value in fields.items() if value is not None}
    return client.post(address, sent)
