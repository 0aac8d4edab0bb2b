"""XML messages: what is refused before parsing, and what survives the round trip."""

from __future__ import annotations

from typing import Any

import pytest

from mappings import xmltree
from mappings.codec import CodecError

NAMES = {"p": "urn:p", "": "urn:d"}
BILLION = b'<!DOCTYPE R [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">]><R>&b;</R>'
HOSTILE = {
    "document type": b"<!DOCTYPE R><R/>",
    "document type in small letters": b"<?xml version='1.0'?><!doctype R><R/>",
    "document type after a blank": b"<! DOCTYPE R><R/>",
    "entities": BILLION,
    "external entity": b'<!DOCTYPE R [<!ENTITY a SYSTEM "file:///etc/passwd">]><R>&a;</R>',
    "undeclared entity": b"<R>&a;</R>",
    "UTF-16 that hides a document type": "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE R><R/>".encode("utf-16"),
    "UTF-16 without a mark": "<!DOCTYPE R><R/>".encode("utf-16-le"),
    "UTF-7": b"<?xml version='1.0' encoding='utf-7'?><R/>",
    "another root": b"<S/>",
    "half a document": b"<R><a>",
    "nothing": b"",
    "too deep": b"<R>" + b"<a>" * 70 + b"</a>" * 70 + b"</R>",
    "far too deep": b"<R>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</R>",
    "too large": b"<R>" + b" " * (xmltree.MAX_BYTES + 1) + b"</R>",
    "too many elements": b"<R>" + b"<a/>" * (xmltree.MAX_ELEMENTS + 10) + b"</R>",
    "not bytes of text": b"\xff\xff\xff",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused_by_name(name: str) -> None:
    with pytest.raises(CodecError) as caught:
        xmltree.parse(HOSTILE[name], "R", {})

    assert "passwd" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "tree"),
    [
        (b"<R/>", {}),
        (b"<R>  </R>", {}),
        (b"<R>x</R>", {"#text": "x"}),
        (b"<R><a/><b> </b></R>", {"a": "", "b": " "}),
        (b"<R>\n <a>x<!-- c --></a>\n <?pi?>\n <a>y</a>\n</R>", {"a": ["x", "y"]}),
        (b"<R k='1'><a k='2'>x</a></R>", {"@k": "1", "a": {"@k": "2", "#text": "x"}}),
        ("<R><a>Đơn &lt;1&gt;</a></R>".encode(), {"a": "Đơn <1>"}),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><R><a>x</a></R>", {"a": "x"}),
    ],
)
def test_a_document_becomes_a_tree_and_comes_back(data: bytes, tree: dict[str, Any]) -> None:
    assert xmltree.parse(data, "R", {}) == tree
    assert xmltree.parse(xmltree.build(tree, "R", {}), "R", {}) == tree


def test_names_stand_under_the_prefixes_of_the_mapping_whatever_the_document_calls_them() -> None:
    data = b'<x:R xmlns:x="urn:d" xmlns:y="urn:p" xmlns:z="urn:z" y:k="1"><y:a>v</y:a><z:b>w</z:b></x:R>'

    tree = xmltree.parse(data, "R", NAMES)

    assert tree == {"@p:k": "1", "p:a": "v", "{urn:z}b": "w"}
    assert xmltree.parse(xmltree.build(tree, "R", NAMES), "R", NAMES) == tree


def test_a_control_character_is_refused_when_written() -> None:
    with pytest.raises(CodecError, match="XML cannot hold"):
        xmltree.build({"a": "\x00"}, "R", {})


def test_what_is_no_text_is_refused_when_written() -> None:
    with pytest.raises(CodecError, match="text expected"):
        xmltree.build({"a": 1}, "R", {})
