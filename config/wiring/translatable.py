"""Every translatable string: ours, and the untranslated ones of the console's libraries.

django-unfold and django-axes have no Chinese translations, so their strings are translated here.
Strings that they share with Django's admin are translated by Django and left out, except those that
Django translates misleadingly.
"""

import io
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
LOCALE = "zh_Hans"

SOURCES = ("config", "userpools", "identity_sources", "applications", "accounts", "templates")
LIBRARIES = ("axes", "unfold")
# Listed one by one: strings that another version adds are collected, and so noticed.
_UNUSED = (
    # Its models have no page in the console.
    "axes/admin.py",
    "axes/models.py",
    # For libraries that aren't installed here.
    "unfold/contrib/constance",
    "unfold/contrib/guardian",
    "unfold/contrib/import_export",
    "unfold/contrib/location_field",
    "unfold/contrib/simple_history",
)
_TRANSLATED_BY_DJANGO = ("conf", "contrib/admin", "contrib/auth")
_TRANSLATED_ANEW = (
    # Django says 注销, which for WeChat users means closing the account for good.
    "Log out",
    # Django says 以, "by means of"; a list is filtered 按.
    " By %(filter_title)s ",
)

_KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}


def collect() -> Catalog:
    """Return the strings that the catalogue has to translate, each with the files that use it."""
    catalog = _strings_in(ROOT, SOURCES)
    django = [_shipped_with_django(folder) for folder in _TRANSLATED_BY_DJANGO]
    for message in strings_of_libraries():
        if message.id in _TRANSLATED_ANEW or (
            message.id and not any(translates(theirs, message) for theirs in django)
        ):
            catalog.add(message.id, locations=message.locations, context=message.context)
    return catalog


def strings_of_libraries() -> Catalog:
    """Return all strings of the libraries, translated by Django or not."""
    catalog = Catalog(locale=LOCALE)
    for library in LIBRARIES:
        for message in _strings_in(folder_of(library).parent, [library]):
            catalog.add(message.id, locations=message.locations, context=message.context)
    return catalog


def _strings_in(root: Path, sources: Iterable[str]) -> Catalog:
    catalog = Catalog(locale=LOCALE)
    for path in _files_in(root, sources):
        # Relative to where packages are installed: a full path would depend on the machine.
        name = path.relative_to(root).as_posix()
        for _line, text, _comments, context in extract(
            "python", io.BytesIO(_python_of(path)), keywords=_KEYWORDS
        ):
            # No line numbers: they would change with every edit of a source.
            catalog.add(text, locations=[(name, 0)], context=context)
    return catalog


def _files_in(root: Path, sources: Iterable[str]) -> Iterator[Path]:
    for source in sources:
        for suffix in ("*.py", "*.html"):
            for path in sorted((root / source).rglob(suffix)):
                if not any(path.is_relative_to(root / unused) for unused in _UNUSED):
                    yield path


def _python_of(path: Path) -> bytes:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # A template's indentation would be an error in Python.
        lines = templatize(text, origin=str(path)).splitlines()
        text = "\n".join(line.lstrip() for line in lines)
    return text.encode()


def folder_of(package: str) -> Path:
    return Path(str(files(package)))


def _shipped_with_django(folder: str) -> Catalog:
    mo = folder_of("django") / folder / "locale" / LOCALE / "LC_MESSAGES" / "django.mo"
    with mo.open("rb") as file:
        return read_mo(file)


def translates(catalog: Catalog, message: Message) -> bool:
    # A plural is looked up separately from a singular with the same text.
    there = catalog.get(message.id, message.context)
    return there is not None and there.pluralizable == message.pluralizable
