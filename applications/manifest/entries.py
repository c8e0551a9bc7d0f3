"""The file's objects, each with its path and its valid values.

A refused value is left out and remembered as refused, so that one run finds every error of a file
and reports no consequences of an error as further errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from applications.manifest.problems import Path, Problem
from applications.manifest.reading import Document
from applications.manifest.schema import (
    ApplicationSerializer,
    LoginMethodSerializer,
    ManifestRootSerializer,
    ManifestSerializer,
    PoolSerializer,
    RedirectURISerializer,
    SourceSerializer,
)

_REASONS = {"required": "is required.", "null": "has no value."}


@dataclass(frozen=True)
class Entry:
    """One object of the file: only its valid keys."""

    path: Path
    values: Mapping[str, Any] = field(repr=False)
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ApplicationEntry(Entry):
    redirect_uris: tuple[Entry, ...] = ()
    post_logout_redirect_uris: tuple[Entry, ...] = ()
    login_methods: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class PoolEntry(Entry):
    sources: tuple[Entry, ...] = ()
    applications: tuple[ApplicationEntry, ...] = ()


@dataclass
class Manifest:
    """A file that was read: its pools, and the errors found so far."""

    document: Document
    pools: tuple[PoolEntry, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, path: Path, reason: str) -> None:
        """Note a problem at this key, or at its object if the key isn't there."""
        self.problems.append(Problem(self.document.line(path), path, reason))


def read_entries(document: Document, environment: Mapping[str, str]) -> Manifest:
    """Check every object of the file; errors are noted in the manifest, not raised."""
    manifest = Manifest(document, problems=list(document.problems))
    reader = _EntryReader(manifest, environment)
    root = reader.entry(ManifestRootSerializer, document.value, ())
    if root is not None:
        pools = (reader.pool(item, path) for path, item in _items(root, "user_pools"))
        manifest.pools = tuple(pool for pool in pools if pool is not None)
    _refuse_doubles(manifest)
    return manifest


@dataclass(frozen=True)
class _EntryReader:
    manifest: Manifest
    environment: Mapping[str, str]

    def entry(self, shape: type[ManifestSerializer], data: Any, path: Path) -> Entry | None:
        """Return the valid part of an object, None if its identifier is missing or refused."""
        serializer = shape(data=data, context={"environment": self.environment})
        if serializer.is_valid():
            return Entry(path, serializer.validated_data)
        if not isinstance(data, Mapping):
            self.manifest.refuse(path, "must be an object: keys with values.")
            return None
        for key, (reason, *_more) in serializer.errors.items():
            place = (*path, key)
            place = (*place, "env") if reason.code == "environment" else place
            self.manifest.refuse(place, _REASONS.get(reason.code, str(reason)))
        valid = {key: value for key, value in data.items() if key not in serializer.errors}
        rest = shape(data=valid, context={"environment": self.environment})
        if not rest.is_valid():  # the object's identifier is missing
            return None
        return Entry(path, rest.validated_data, frozenset(serializer.errors))

    def pool(self, data: Any, path: Path) -> PoolEntry | None:
        entry = self.entry(PoolSerializer, data, path)
        if entry is None:
            return None
        sources = [
            self.entry(SourceSerializer, item, place)
            for place, item in _items(entry, "identity_sources")
        ]
        applications = [
            self.application(item, place) for place, item in _items(entry, "applications")
        ]
        unreadable = {"identity_sources"} if None in sources else set()
        return PoolEntry(
            entry.path,
            entry.values,
            entry.refused | unreadable,
            tuple(source for source in sources if source is not None),
            tuple(application for application in applications if application is not None),
        )

    def application(self, data: Any, path: Path) -> ApplicationEntry | None:
        entry = self.entry(ApplicationSerializer, data, path)
        if entry is None:
            return None
        methods = [self.login_method(item, place) for place, item in _items(entry, "login_methods")]
        return ApplicationEntry(
            entry.path,
            entry.values,
            entry.refused,
            self.redirect_uris(entry, "redirect_uris"),
            self.redirect_uris(entry, "post_logout_redirect_uris"),
            tuple(method for method in methods if method is not None),
        )

    def redirect_uris(self, entry: Entry, key: str) -> tuple[Entry, ...]:
        uris = [self.redirect_uri(item, place) for place, item in _items(entry, key)]
        return tuple(uri for uri in uris if uri is not None)

    def redirect_uri(self, data: Any, path: Path) -> Entry | None:
        serializer = RedirectURISerializer(data={"uri": data})
        if serializer.is_valid():
            return Entry(path, serializer.validated_data)
        reason = serializer.errors["uri"][0]
        self.manifest.refuse(path, _REASONS.get(reason.code, str(reason)))
        return None

    def login_method(self, data: Any, path: Path) -> Entry | None:
        is_short = not isinstance(data, Mapping)
        entry = self.entry(LoginMethodSerializer, {"source": data} if is_short else data, path)
        return None if entry is None or entry.refused else entry


def _items(entry: Entry, key: str) -> list[tuple[Path, Any]]:
    return [
        ((*entry.path, key, position), item)
        for position, item in enumerate(entry.values.get(key, ()))
    ]


def _refuse_doubles(manifest: Manifest) -> None:
    applications = [entry for pool in manifest.pools for entry in pool.applications]
    _refuse_double(manifest, manifest.pools, "identifier")
    _refuse_double(manifest, applications, "client_id")
    for pool in manifest.pools:
        _refuse_double(manifest, pool.sources, "identifier")
        _refuse_double(manifest, pool.sources, "app_id")


def _refuse_double(
    manifest: Manifest, entries: list[ApplicationEntry] | tuple[Entry, ...], key: str
) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        word = entry.values.get(key)
        if word in first:
            line = manifest.document.line((*first[word].path, key))
            manifest.refuse((*entry.path, key), f"is the same as in line {line}.")
        elif word is not None:
            first[word] = entry
