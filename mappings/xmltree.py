"""XML bytes <-> a tree of plain values, hardened on its own: nothing is resolved, nothing is fetched.

An element with neither children nor attributes is its text; any other is a dict of its children in order (repeated
ones as a list), its attributes as `@name` and its own text as `#text`. Names in a namespace are written with the
mapping's prefix, or as `{uri}name`. Blanks between elements and comments carry nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

from mappings.codec import CodecError

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 60
MAX_ELEMENTS = 200_000

_FORBIDDEN = re.compile(rb"<!\s*(doctype|entity)", re.IGNORECASE)
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_TEXT = "#text"


def parse(data: bytes, root: str, namespaces: Mapping[str, str]) -> dict[str, Any]:
    """The tree under the root element.

    Raises:
        CodecError: Not well-formed, another root, a document type or entity, too deep or too large.
    """
    _refuse(data)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        element = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise CodecError("not well-formed XML") from None
    names = {uri: prefix for prefix, uri in namespaces.items()}
    if _name(element, names) != root:
        raise CodecError("another root element than the mapping's")
    _measure(element)
    tree = _tree(element, names)
    return tree if isinstance(tree, dict) else ({_TEXT: tree} if tree.strip() else {})


def build(tree: Mapping[str, Any], root: str, namespaces: Mapping[str, str]) -> bytes:
    """The document as UTF-8 bytes with a declaration.

    Raises:
        CodecError: A value cannot stand in XML (a control character, something that is not text).
    """
    used: Any = {prefix or None: uri for prefix, uri in namespaces.items()}
    element = etree.Element(_tag(root, namespaces), nsmap=used)
    try:
        _fill(element, tree, namespaces)
    except CodecError:
        raise
    except ValueError:
        raise CodecError("a character that XML cannot hold") from None
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8")


def _refuse(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise CodecError("XML too large")
    declared = _ENCODING.match(data.removeprefix(b"\xef\xbb\xbf"))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:200]:
        raise CodecError("XML in UTF-8 expected")
    if declared and declared.group(1).lower() not in (b"utf-8", b"us-ascii", b"ascii"):
        raise CodecError("XML in UTF-8 expected")
    if _FORBIDDEN.search(data):
        raise CodecError("a document type or entity is refused")


def _measure(root: Any) -> None:
    """Refuse a document that is too deep or has too many elements."""
    depth = 0
    for count, (event, _) in enumerate(etree.iterwalk(root, events=("start", "end"))):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH or count > 2 * MAX_ELEMENTS:
            raise CodecError("XML too deep or with too many elements")


def _name(element: Any, names: Mapping[str, str]) -> str:
    return _short(str(element.tag), names)


def _short(tag: str, names: Mapping[str, str]) -> str:
    if not tag.startswith("{"):
        return tag
    uri, _, local = tag[1:].partition("}")
    if uri not in names:
        return tag
    return f"{names[uri]}:{local}" if names[uri] else local


def _tag(name: str, namespaces: Mapping[str, str]) -> str:
    if name.startswith("{"):
        return name
    prefix, colon, local = name.rpartition(":")
    uri = namespaces.get(prefix if colon else "", "")
    return f"{{{uri}}}{local}" if uri else local


def _tree(element: Any, names: Mapping[str, str]) -> Any:
    text = element.text or ""
    tree: dict[str, Any] = {f"@{_short(str(key), names)}": str(value) for key, value in element.attrib.items()}
    for child in element:
        name, value = _name(child, names), _tree(child, names)
        if name not in tree:
            tree[name] = value
        elif isinstance(tree[name], list):
            tree[name].append(value)
        else:
            tree[name] = [tree[name], value]
    if not tree:
        return text
    if text.strip():
        tree[_TEXT] = text
    return tree


def _fill(element: Any, tree: Mapping[str, Any], namespaces: Mapping[str, str]) -> None:
    for name, value in tree.items():
        if name == _TEXT:
            element.text = value
        elif name.startswith("@"):
            local = name[1:]
            element.set(_tag(local, namespaces) if ":" in local or local.startswith("{") else local, value)
        else:
            for item in value if isinstance(value, list) else [value]:
                _child(element, _tag(name, namespaces), item, namespaces)


def _child(parent: Any, tag: str, value: Any, namespaces: Mapping[str, str]) -> None:
    child = etree.SubElement(parent, tag)
    if isinstance(value, Mapping):
        _fill(child, value, namespaces)
    elif isinstance(value, str):
        child.text = value or None
    else:
        raise CodecError("text expected in XML")
