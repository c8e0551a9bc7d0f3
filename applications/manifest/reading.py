"""YAML 1.2 (or JSON) to plain values, with the line of each.

The loader stops at nodes, before ruamel.yaml makes values of them: so an unquoted ``0123`` isn't
cast to a number that might be printed, every duplicate key is found and not the first alone, and a
file can't name a Python type. ruamel.yaml's messages quote the text that they reject, which may be
a secret; they are used without the quotations.

YAML: https://yaml.org/spec/1.2.2/ (read 2026-11)
"""

import json
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from applications.manifest.problems import ManifestRefused, Path, Problem

_TAG = "tag:yaml.org,2002:"
_BOOLEANS = {"true": True, "false": False}
_FEW_DIGITS = re.compile("0|[1-9][0-9]{0,5}")
# Quotations in a message: tokens of YAML's grammar may be shown; anything else may be part of a
# secret.
_HARMLESS = frozenset({"','", "']'", "'}'", "':'", "'-'", "'?'", r"'\t'"})
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_FROM_FIRST_TO_LAST_QUOTE = re.compile(r"""['"].*['"]""", re.DOTALL)


@dataclass(frozen=True)
class Unquoted:
    """A number, a date or anything else without quotation marks in the file.

    ``number`` is its value if it is a whole number of a few digits.
    """

    number: int | None = field(default=None, repr=False)


@dataclass
class Document:
    """The values of a file, and the line of each."""

    root: Node = field(repr=False)
    value: Any = field(default=None, repr=False)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of this key or item, or of what surrounds it if it isn't there."""
        node, line = self.root, _line(self.root)
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line


def read_document(text: str) -> Document:
    """Read one YAML or JSON document.

    Raises:
        ManifestRefused: it isn't YAML (with line and column), or there is nothing in it.

    """
    try:
        root = _compose(text)
        if root is None:
            raise ManifestRefused([Problem(1, (), "there is nothing in this file.")])
        document = Document(root)
        document.value = _Reader(document).read(root, ())
    except RecursionError:
        reason = "the file is nested too deeply, or an alias refers to itself."
        raise ManifestRefused([Problem(1, (), reason)]) from None
    return document


def _compose(text: str) -> Node | None:
    yaml = YAML(typ="rt", pure=True)
    try:
        with warnings.catch_warnings():
            # An anchor may be used again (YAML 1.2 §3.2.2.2); the warning quotes its name.
            warnings.simplefilter("ignore", ReusedAnchorWarning)
            root: Node | None = yaml.compose(StringIO(_without_tabs(text)))
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        reason = "holds a character that isn't allowed in YAML."
        raise ManifestRefused([Problem(line, (), reason)]) from None
    except MarkedYAMLError as error:
        raise ManifestRefused([_syntax_problem(error)]) from None
    except YAMLError:
        raise ManifestRefused([Problem(1, (), "this isn't YAML.")]) from None
    return root


def _syntax_problem(error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = error.problem or "it can't be read"
    if not _HARMLESS.issuperset(_QUOTED.findall(what)):
        what = _FROM_FIRST_TO_LAST_QUOTE.sub("…", what)
    return Problem(
        line=mark.line + 1 if mark else 1,
        column=mark.column + 1 if mark else 1,
        path=(),
        reason=f"this isn't YAML: {what}.",
    )


def _without_tabs(text: str) -> str:
    """Return JSON with blanks for tabs: JSON allows them between tokens, YAML doesn't."""
    with suppress(ValueError, RecursionError):
        json.loads(text)  # a JSON string holds no raw tab, so none of a value's is replaced
        return text.replace("\t", " ")
    return text


@dataclass
class _Reader:
    document: Document
    # An alias is the same node again: it is read only once.
    known: dict[int, Any] = field(default_factory=dict)

    def read(self, node: Node, path: Path) -> Any:
        if id(node) not in self.known:
            self.known[id(node)] = self._read(node, path)
        return self.known[id(node)]

    def _read(self, node: Node, path: Path) -> Any:
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: MappingNode, path: Path) -> Mapping[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._refuse(key, path, "a key must be a word.")
            elif key.tag == f"{_TAG}merge":
                self._refuse(key, path, "merge keys (<<) aren't read here; write the keys out.")
            elif key.value in values:
                self._refuse(key, (*path, key.value), "stands here twice.")
            else:
                values[key.value] = self.read(value, (*path, key.value))
        return values

    def _refuse(self, node: Node, path: Path, reason: str) -> None:
        self.document.problems.append(Problem(_line(node), path, reason))


def _scalar(node: Node) -> Any:
    match (node.tag or "").removeprefix(_TAG):
        case "str":
            return _joined(node.value)
        case "null":
            return None
        case "bool":
            return _BOOLEANS.get(node.value.lower(), Unquoted())
        case "int" if _FEW_DIGITS.fullmatch(node.value):
            return Unquoted(int(node.value))
        case _:
            return Unquoted()


def _joined(text: str) -> str:
    r"""Return the text with JSON's surrogate pairs (``\ud83d\ude00``) as single characters."""
    with suppress(UnicodeDecodeError):
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    return text  # half a pair: the serializers say so


def _child(node: Node, step: str | int) -> tuple[int, Node] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == step:
                return _line(key), value
    elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return _line(node.value[step]), node.value[step]
    return None


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
