"""The Chinese catalogue: collected from the sources, compiled by Babel, checked for completeness.

Needs no gettext on the machine. The compiled catalogue is committed, so that running the server
needs no Babel either.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from config.wiring.translatable import LOCALE, ROOT, collect

PO = ROOT / "config" / "locale" / LOCALE / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")

# Babel notices an added placeholder, but not a missing one, and none of str.format.
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")

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
    """The reasons why the catalogue is incomplete."""

    message: str

    def __str__(self) -> str:
        return self.message


def update() -> list[Problem]:
    """Update the catalogue from the sources and compile it; return what is missing."""
    catalog = _updated(collect())
    PO.write_bytes(_as_po(catalog))
    MO.write_bytes(_as_mo(_read()))
    return problems()


def problems() -> list[Problem]:
    """Return what is missing for a release: strings, translations, current files."""
    catalog, collected = _read(), collect()
    wanted, there = _ids(collected), _ids(catalog)
    return [
        *(Problem(f"Not in the catalogue: {name!r}") for name in sorted(wanted - there)),
        *(Problem(f"No longer in the sources: {name!r}") for name in sorted(there - wanted)),
        *_untranslated(catalog),
        *_stale(catalog, collected),
    ]


def _updated(collected: Catalog) -> Catalog:
    catalog = _read()
    catalog.update(collected, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def _read() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale=LOCALE)


def _ids(catalog: Catalog) -> set[str]:
    return {
        f"{message.context}: {message.id}" if message.context else str(message.id)
        for message in catalog
        if message.id
    }


def _untranslated(catalog: Catalog) -> Iterator[Problem]:
    for message in (message for message in catalog if message.id):
        if message.fuzzy or not all(_forms(message.string)):
            yield Problem(f"Not translated: {message.id!r}")
        elif not _keeps_placeholders(message):
            yield Problem(f"{message.id!r}: other placeholders than in the source")
        for error in message.check(catalog):
            yield Problem(f"{message.id!r}: {error}")


def _keeps_placeholders(message: Message) -> bool:
    # Chinese has one form, the plural's.
    source = _PLACEHOLDER.findall(_forms(message.id)[-1])
    return all(
        sorted(_PLACEHOLDER.findall(form)) == sorted(source) for form in _forms(message.string)
    )


def _forms(text: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return list(text) if isinstance(text, list | tuple) else [text or ""]


def _stale(catalog: Catalog, collected: Catalog) -> Iterator[Problem]:
    if PO.read_bytes() != _as_po(_updated(collected)):
        yield Problem(f"{PO.name} is not as its sources are: run make messages")
    if not MO.exists() or MO.read_bytes() != _as_mo(catalog):
        yield Problem(f"{MO.name} is older than {PO.name}: run make messages")


def _as_po(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalog, omit_header=True, width=100, sort_output=True)
    return _HEADER + file.getvalue()


def _as_mo(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()
