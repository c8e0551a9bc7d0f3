"""The Chinese catalogue: collected from the sources, compiled by Babel, checked for completeness.

Needs no gettext on the machine. The compiled catalogue is committed, so that running the server
needs no Babel either.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("config", "userpools", "identity_sources", "applications", "accounts", "templates")
LOCALE = "zh_Hans"
PO = ROOT / "config" / "locale" / LOCALE / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")

_KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}


# With no date of its own, Babel would write the current minute into the compiled file.
_HEADER = rb"""msgid ""
msgstr ""
"POT-Creation-Date: 1970-01-01 00:00+0000\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Language: zh_Hans\n"
"Plural-Forms: nplurals=1; plural=0;\n"

"""


@dataclass(frozen=True)
class Problem:
    """Why the catalogue is not fit to ship."""

    message: str

    def __str__(self) -> str:
        return self.message


def update() -> list[Problem]:
    """Bring the catalogue up to date with the sources and compile it; return what is left to do."""
    catalog = _read()
    catalog.update(_collect(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    PO.write_bytes(_as_po(catalog))
    MO.write_bytes(_as_mo(_read()))
    return problems()


def problems() -> list[Problem]:
    """Return what a release would lack: strings, translations, a fresh compiled file."""
    catalog, collected = _read(), _collect()
    wanted, there = _ids(collected), _ids(catalog)
    return [
        *(Problem(f"Not in the catalogue: {name!r}") for name in sorted(wanted - there)),
        *(Problem(f"No longer in the sources: {name!r}") for name in sorted(there - wanted)),
        *_untranslated(catalog),
        *_stale(catalog),
    ]


def _read() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale=LOCALE)


def _collect() -> Catalog:
    catalog = Catalog(locale=LOCALE)
    for path in _source_files():
        name = path.relative_to(ROOT).as_posix()
        for _line, text, _comments, context in extract(
            "python", io.BytesIO(_python_of(path)), keywords=_KEYWORDS
        ):
            # No line numbers: they would change with every edit of a source.
            catalog.add(text, locations=[(name, 0)], context=context)
    return catalog


def _source_files() -> Iterator[Path]:
    for folder in SOURCES:
        for suffix in ("*.py", "*.html"):
            yield from sorted((ROOT / folder).rglob(suffix))


def _python_of(path: Path) -> bytes:
    text = path.read_text()
    return (templatize(text, origin=str(path)) if path.suffix == ".html" else text).encode()


def _ids(catalog: Catalog) -> set[str]:
    return {
        f"{message.context}: {message.id}" if message.context else str(message.id)
        for message in catalog
        if message.id
    }


def _untranslated(catalog: Catalog) -> Iterator[Problem]:
    for message in catalog:
        if message.id and (message.fuzzy or not _is_translated(message)):
            yield Problem(f"Not translated: {message.id!r}")
        for error in message.check(catalog) if message.id else ():
            yield Problem(f"{message.id!r}: {error}")


def _is_translated(message: Message) -> bool:
    parts = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(parts)


def _stale(catalog: Catalog) -> Iterator[Problem]:
    if not MO.exists() or MO.read_bytes() != _as_mo(catalog):
        yield Problem(f"{MO.relative_to(ROOT)} is older than its source: run make messages")


def _as_po(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalog, omit_header=True, width=100, sort_output=True)
    return _HEADER + file.getvalue()


def _as_mo(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()
