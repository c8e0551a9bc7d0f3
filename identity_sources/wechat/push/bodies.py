"""Read the fields of a pushed body, XML or JSON.

The first character decides which: WeChat says `text/xml` in either case. Bytes that aren't UTF-8
are replaced, not refused: an event about the erasure of data mustn't be lost by a broken emoji in
a nickname, and all ids are ASCII. Raw control characters are accepted for the same reason; XML
doesn't allow them, so there they are replaced as well.
Source: https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import DefusedXMLParser

from identity_sources.wechat.push.refusals import PushRefused

# A text message has 2 KB; the longest known push is a notice of a punishment, some KB.
LARGEST_BODY = 262_144
MOST_FIELDS = 200
MOST_ELEMENTS = 2_000
DEEPEST = 16

Pairs = list[tuple[str, object]]

_BLANKS = "\ufeff \t\r\n"
_REPLACEMENT = "\ufffd"
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# Half a surrogate pair can't be written as UTF-8, and no NUL into PostgreSQL.
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


def read_fields(body: bytes) -> dict[str, str]:
    """Return the fields by their names, which are trimmed and in lower case; values are text.

    WeChat's own samples have blanks in names and spell them in several ways. Of equal names the
    first that isn't empty counts: a later one can't replace it. Anything but
    text, such as a number or a list, is JSON text; null is empty. Nested XML becomes a JSON object.

    Raises PushRefused: `too_large`, or `unreadable` for what is neither, has a DTD, or too many or
    too deeply nested fields.
    """
    if len(body) > LARGEST_BODY:
        raise PushRefused("too_large")
    pairs = _pairs(body.decode("utf-8", "replace").strip(_BLANKS))
    # Raised here: a parser's exception has the body.
    if pairs is None or len(pairs) > MOST_FIELDS:
        raise PushRefused("unreadable")
    return _fields(pairs)


def _pairs(text: str) -> Pairs | None:
    try:
        return _json_pairs(text) if text.startswith("{") else _xml_pairs(text)
    except (ValueError, ParseError, RecursionError):
        return None


def _json_pairs(text: str) -> Pairs | None:
    found = json.loads(text, strict=False, object_pairs_hook=_first_of_each)
    is_object = isinstance(found, dict) and _is_shallow(found, DEEPEST)
    return list(found.items()) if is_object else None


def _xml_pairs(text: str) -> Pairs:
    # As text, not bytes: the document's own encoding declaration isn't trusted.
    root = _Root()
    parser = DefusedXMLParser(target=root, forbid_dtd=True)
    parser.feed(_NO_XML.sub(_REPLACEMENT, text))
    parser.close()
    return root.pairs()


def _fields(pairs: Iterable[tuple[str, object]]) -> dict[str, str]:
    named = ((_storable(name).strip().lower(), _as_text(value)) for name, value in pairs)
    fields: dict[str, str] = {}
    for name, text in named:
        fields[name] = fields.get(name) or text
    return fields


def _as_text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _storable(text)


def _storable(text: str) -> str:
    return _NOT_STORABLE.sub(_REPLACEMENT, text)


def _first_of_each(pairs: Pairs) -> dict[str, object]:
    merged: dict[str, object] = {}
    for name, value in pairs:
        if merged.get(name) in (None, ""):
            merged[name] = value
    return merged


def _is_shallow(value: object, levels: int) -> bool:
    inner = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(inner, list):
        return True
    return levels > 0 and all(_is_shallow(item, levels - 1) for item in inner)


@dataclass(slots=True)
class _Element:
    tag: str
    texts: list[str] = field(default_factory=list)
    children: "list[_Element]" = field(default_factory=list)

    def value(self) -> object:
        if not self.children:
            return "".join(self.texts)
        grouped: dict[str, list[object]] = {}
        for child in self.children:
            grouped.setdefault(child.tag, []).append(child.value())
        return {tag: values[0] if len(values) == 1 else values for tag, values in grouped.items()}


class _Root:
    """The parser's target: builds a tree within the limits."""

    def __init__(self) -> None:
        self._open = [_Element("")]
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        # The first of the open ones is the document, the second the element `xml`.
        if self._count > MOST_ELEMENTS or len(self._open) > DEEPEST:
            raise ValueError("too many elements, or too deep")
        self._open.append(_Element(tag))

    def data(self, text: str) -> None:
        self._open[-1].texts.append(text)

    def end(self, tag: str) -> None:
        closed = self._open.pop()
        self._open[-1].children.append(closed)

    def pairs(self) -> Pairs:
        return [(child.tag, child.value()) for child in self._open[0].children[0].children]
