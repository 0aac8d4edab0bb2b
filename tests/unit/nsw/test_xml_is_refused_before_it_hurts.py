"""adapters.xml: hostile or ambiguous documents never become trees (zeep.md 2.10, ministry.md Q11, Q12, Q25 to Q27)."""

from __future__ import annotations

import time

import pytest
from lxml import etree

from adapters.xml import DEFAULT_LIMITS, Limits, SchemaCheck, canonical, clean_text, is_escaped_twice, parse, parse_text
from schemas.errors import ConfigError, RecordInvalidError

DOCTYPE = '<!DOCTYPE a [<!ENTITY b "c">]>'


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(f"{DOCTYPE}<a>&b;</a>".encode(), "DOCTYPE", id="Q25-entity"),
        pytest.param(b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "DOCTYPE", id="Q25-external-dtd"),
        pytest.param(f"{DOCTYPE}<a/>".encode("utf-16"), "zero bytes", id="Q25-doctype-in-utf16"),
        pytest.param(b'<?xml version="1.0" encoding="utf-7"?><a/>', "another encoding", id="Q11-utf7-prolog"),
        pytest.param(b'<?xml version="1.0" encoding="utf-16"?><a/>', "another encoding", id="Q11-utf16-prolog"),
        pytest.param("<a>hồ sơ</a>".encode("utf-16"), "zero bytes", id="Q11-utf16-bytes"),
        pytest.param("<a>trâu</a>".encode("latin-1"), "not UTF-8", id="Q27-latin1-bytes"),
        pytest.param(b"<a>\x01</a>", "malformed", id="Q27-control-character"),
        pytest.param(b"<a>&#1;</a>", "malformed", id="Q27-control-character-reference"),
        pytest.param(b"<a>A & B</a>", "malformed", id="Q13-bare-ampersand"),
        pytest.param(b"<a>&undeclared;</a>", "malformed", id="Q25-undeclared-entity"),
        pytest.param(b"<a><b></a>", "malformed", id="unclosed"),
        pytest.param(b"", "malformed", id="empty"),
        pytest.param(b"<a>" + b"x" * 4_100_000 + b"</a>", "larger", id="Q26-size"),
        pytest.param(b"<a>" + b"<b/>" * 100_000 + b"</a>", "elements", id="Q26-100000-elements"),
        pytest.param(b"<a>" + b"<b/>" * 30_000 + b"</a>", "elements", id="Q26-30000-elements"),
        pytest.param(b"<a>" + b"<b/>" * 50_000, "elements", id="Q26-counted-before-it-is-parsed"),
        pytest.param(b"<a>" * 1_000 + b"</a>" * 1_000, "malformed", id="Q26-depth-1000"),
        pytest.param(b"<a>" * 100 + b"</a>" * 100, "deeper", id="Q26-depth-100"),
        pytest.param(
            b"<a><b " + b" ".join(b'a%x=""' % n for n in range(60_000)) + b"/></a>", "attributes", id="attributes"
        ),
        pytest.param(
            b"<a " + b" ".join(b'xmlns:a%x="u"' % n for n in range(60_000)) + b"/>", "namespace", id="namespaces"
        ),
    ],
)
def test_a_hostile_document_is_refused_quickly_with_fixed_words(document: bytes, reason: str) -> None:
    began = time.monotonic()
    with pytest.raises(RecordInvalidError, match=reason) as caught:
        parse(document)
    assert time.monotonic() - began < 1
    assert len(str(caught.value)) < 200


def test_refusals_do_not_quote_the_document() -> None:
    with pytest.raises(RecordInvalidError) as caught:
        parse("<a>CÔNG DÂN THỬ NGHIỆM 01</b>".encode())
    assert "CÔNG" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_comments_and_instructions_cannot_split_a_text() -> None:
    root = parse(b"<a>9<!-- x -->9<?pi y?>1</a>")
    assert root.text == "991"
    assert len(root) == 0


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<a>hồ sơ</a>", id="plain"),
        pytest.param('<?xml version="1.0" encoding="UTF-8"?>\n<a>hồ sơ</a>', id="Q11-prolog"),
        pytest.param('\ufeff<?xml version="1.0"?><a>hồ sơ</a>', id="Q11-bom"),
        pytest.param("\n\t <a>hồ sơ</a> \n", id="white-space"),
        pytest.param("&lt;a&gt;hồ sơ&lt;/a&gt;", id="Q12-escaped-twice"),
        pytest.param(
            "&lt;?xml version=&quot;1.0&quot;?&gt;&lt;a&gt;hồ sơ&lt;/a&gt;", id="Q12-escaped-twice-with-prolog"
        ),
    ],
)
def test_a_document_in_a_string_is_read_whatever_wraps_it(text: str) -> None:
    assert parse_text(text).text == "hồ sơ"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("&amp;lt;a&amp;gt;b&amp;lt;/a&amp;gt;", "not XML", id="Q12-escaped-three-times"),
        pytest.param("", "not XML", id="empty"),
        pytest.param("java.lang.NullPointerException", "not XML", id="Q03-words"),
        pytest.param("<!DOCTYPE html><html/>", "DOCTYPE", id="Q03-html"),
        pytest.param('<?xml version="1.0" encoding="utf-16"?><a/>', "another encoding", id="Q11-utf16-in-a-string"),
        pytest.param("&lt;!DOCTYPE a [&lt;!ENTITY b 'c'&gt;]&gt;&lt;a/&gt;", "DOCTYPE", id="Q25-doctype-escaped-twice"),
        pytest.param("<a>\ud800</a>", "surrogate", id="Q27-lone-surrogate"),
    ],
)
def test_a_string_that_holds_no_sound_document_is_refused(text: str, reason: str) -> None:
    with pytest.raises(RecordInvalidError, match=reason):
        parse_text(text)


def test_escaping_is_undone_exactly_once() -> None:
    escaped = "&lt;a&gt;Công ty A &amp;amp; B &amp;lt;01&amp;gt;&lt;/a&gt;"
    assert is_escaped_twice(escaped)
    assert parse_text(escaped).text == "Công ty A & B <01>"
    assert parse_text("<a>&amp;lt;</a>").text == "&lt;"


def test_text_to_send_is_nfc_and_free_of_forbidden_characters() -> None:
    assert clean_text("Nguye\u0302\u0303n") == "Nguy\u1ec5n"
    assert clean_text("𠀋\t\n") == "𠀋\t\n"
    for forbidden in ("\x00", "\x0b", "\x1f", "\ufffe", "\ud800"):
        with pytest.raises(RecordInvalidError):
            clean_text(f"a{forbidden}b")


def test_canonical_bytes_ignore_spelling_and_keep_content() -> None:
    assert canonical(parse(b"<a  x='1' ><b/></a>")) == canonical(parse(b'<a x="1"><b></b></a>'))
    assert canonical(parse(b"<a>1</a>")) != canonical(parse(b"<a>1 </a>"))


def test_a_schema_names_place_and_rule_and_no_value() -> None:
    xsd = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="xs:int"/></xs:schema>"""
    schema = SchemaCheck(xsd, "a.xsd")
    schema.check(etree.fromstring("<a>1</a>"))
    with pytest.raises(RecordInvalidError, match=r"a\.xsd") as caught:
        schema.check(etree.fromstring("<a>000000000001</a>".replace("1<", "x<")))
    assert "00000" not in str(caught.value)
    assert caught.value.field == "/a"


def test_a_schema_that_cannot_be_used_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"broken\.xsd"):
        SchemaCheck(b"<schema/>", "broken.xsd")
    with pytest.raises(ConfigError, match="DOCTYPE"):
        SchemaCheck(b"<!DOCTYPE a><a/>", "hostile.xsd")


def test_limits_are_the_callers() -> None:
    assert parse(b"<a>" + b"<b/>" * 60 + b"</a>", Limits(max_elements=61)) is not None
    with pytest.raises(RecordInvalidError):
        parse(b"<a>" + b"<b/>" * 61 + b"</a>", Limits(max_elements=61))
    assert DEFAULT_LIMITS.max_depth < 256
