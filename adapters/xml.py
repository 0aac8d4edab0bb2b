"""Hardened XML: refuse what is hostile before it is parsed, and say why without quoting the document.

Used for SOAP envelopes and for XML that travels inside a string. Nothing here opens a file or a socket
(zeep.md 2.10). All refusals are `RecordInvalidError` with fixed words.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import unescape

from lxml import etree

from schemas.errors import ConfigError, RecordInvalidError

_PROLOG = re.compile(rb"\A<\?xml\s[^>]{0,200}\?>")
_ENCODING = re.compile(rb"""\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_ILLEGAL = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLACE_LIMIT = 160
_BOM = "\ufeff"
_QUOTES = {"&quot;": '"', "&apos;": "'"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be: bytes, elements, depth of nesting (below libxml2's own limits).

    Attributes of one element and namespace declarations are few: the time for them grows with their square.
    """

    max_bytes: int = 4_000_000
    max_elements: int = 20_000
    max_depth: int = 64
    max_attributes: int = 256
    max_namespaces: int = 4_000


DEFAULT_LIMITS = Limits()


def parse(document: bytes, limits: Limits = DEFAULT_LIMITS, *, keep_comments: bool = False) -> etree._Element:
    """Parse an untrusted UTF-8 document and give its root.

    Comments and instructions are dropped, so that text on both sides of one is read whole; `keep_comments` leaves them
    in for a reader who refuses them.

    Raises:
        RecordInvalidError: Too large, not UTF-8, a DOCTYPE or entity, malformed, too deep or too many elements.
    """
    if len(document) > limits.max_bytes:
        raise RecordInvalidError(f"XML larger than {limits.max_bytes} bytes")
    body = _without_prolog(_checked_encoding(document))
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise RecordInvalidError("XML with a DOCTYPE or entity declaration")
    # Each element opens with one "<" and most close with another, so this bounds the tree before it is built.
    if body.count(b"<") > 2 * limits.max_elements:
        raise RecordInvalidError(f"XML with more than {limits.max_elements} elements")
    if body.count(b"xmlns") > limits.max_namespaces:
        raise RecordInvalidError(f"XML with more than {limits.max_namespaces} namespace declarations")
    root = _parsed(body, keep_comments=keep_comments)
    _check_shape(root, limits)
    return root


def parse_text(text: str, limits: Limits = DEFAULT_LIMITS) -> etree._Element:
    """Parse a document that travelled as a string in another document (NSW cases Q11 and Q12).

    A byte-order mark and a prolog are stripped; a prolog that names another encoding than UTF-8 is refused,
    because nobody can say which of the two is true. The carrier has been un-escaped once already; a payload
    that still begins with `&lt;` was escaped twice and is un-escaped once more, never a second time.

    Raises:
        RecordInvalidError: As `parse`; also when the text does not begin as XML.
    """
    return parse(unwrapped(text, limits), limits)


def unwrapped(text: str, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The document that travelled as a string, as UTF-8 bytes; see `parse_text` for what is put right.

    Raises:
        RecordInvalidError: Too large, does not begin as XML, or holds half a character.
    """
    if len(text) > limits.max_bytes:
        raise RecordInvalidError(f"XML larger than {limits.max_bytes} bytes")
    inner = text.lstrip(_BOM).strip()
    if inner.startswith("&lt;"):
        inner = unescape(inner, _QUOTES).lstrip(_BOM).strip()
    if not inner.startswith("<"):
        raise RecordInvalidError("the text is not XML")
    try:
        return inner.encode()
    except UnicodeEncodeError:
        raise RecordInvalidError("the text holds half a character (lone surrogate)") from None


def is_escaped_twice(text: str) -> bool:
    """Whether `parse_text` has to un-escape this payload itself."""
    return text.lstrip(_BOM).lstrip().startswith("&lt;")


def clean_text(text: str) -> str:
    """Give text fit for an XML document: NFC, without characters that XML forbids.

    Raises:
        RecordInvalidError: A control character, half a surrogate pair or U+FFFE.
    """
    normal = unicodedata.normalize("NFC", text)
    if _ILLEGAL.search(normal):
        raise RecordInvalidError("text with a character that XML forbids")
    return normal


def canonical(element: etree._Element) -> bytes:
    """Canonical XML 2.0 of an element, surrounding white space of text kept: equal bytes mean equal documents."""
    return etree.tostring(element, method="c14n2")


class SchemaCheck:
    """One compiled XSD, safe to share between threads (lxml keeps its last errors on the schema)."""

    def __init__(self, xsd: bytes, name: str) -> None:
        """Compile the schema; it may not import anything.

        Raises:
            ConfigError: The file is not a usable schema; `name` is the file's name.
        """
        self.name = name
        self._lock = threading.Lock()
        try:
            self._schema = etree.XMLSchema(parse(xsd))
        except (RecordInvalidError, etree.XMLSchemaParseError) as error:
            raise ConfigError(f"{name}: not a usable XML Schema: {error}") from error

    def check(self, element: etree._Element) -> None:
        """Validate a tree.

        Raises:
            RecordInvalidError: Names the first place and rule that failed, never the value.
        """
        with self._lock:
            if self._schema.validate(element):
                return
            log: Any = self._schema.error_log  # the stubs do not know that it can be indexed
            first = log[0]
            place, rule = (first.path or "")[:_PLACE_LIMIT], first.type_name
        raise RecordInvalidError(f"not valid by {self.name}: {rule} at {place}", field=place)


def _checked_encoding(document: bytes) -> bytes:
    """The document without byte-order mark, proved to be UTF-8 both by its bytes and by its prolog."""
    body = document.removeprefix(_BOM.encode()).lstrip()
    if b"\x00" in body:
        raise RecordInvalidError("XML that is not UTF-8 (zero bytes)")
    try:
        body.decode()
    except UnicodeDecodeError:
        raise RecordInvalidError("XML that is not UTF-8") from None
    prolog = _PROLOG.match(body)
    declared = _ENCODING.search(prolog.group()) if prolog else None
    if declared and declared.group(1).lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise RecordInvalidError("XML whose prolog names another encoding than UTF-8")
    return body


def _without_prolog(body: bytes) -> bytes:
    return _PROLOG.sub(b"", body, count=1)


def _parsed(body: bytes, *, keep_comments: bool) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=not keep_comments,
        remove_pis=not keep_comments,
        encoding="utf-8",
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise RecordInvalidError(f"malformed XML at line {line}, column {column}") from None


def _check_shape(root: etree._Element, limits: Limits) -> None:
    depth = elements = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        elements += event == "start"
        if len(element.attrib) > limits.max_attributes:
            raise RecordInvalidError(f"XML with more than {limits.max_attributes} attributes on one element")
        if depth > limits.max_depth:
            raise RecordInvalidError(f"XML nested deeper than {limits.max_depth}")
        if elements > limits.max_elements:
            raise RecordInvalidError(f"XML with more than {limits.max_elements} elements")
