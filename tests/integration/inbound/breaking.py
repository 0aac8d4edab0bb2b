"""Ways to break a body that was right: by bytes, by JSON, by XML, and in the head before it."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from tests.integration.inbound.speaking import Call

Lot = random.Random
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf\xef\xbb\xbf")
ODD_TEXTS = (
    "", " ", "\u200b", "\u202e123", "a\u0301\u0302" * 40, "\x00", "\x1f", "🜁" * 50, "ﬁ", "İ", "ß", "٣٤", "x" * 70_000,
    "NaN", "null", "-0", "1e999", "0x1f", "2026-13-45", "99999999999999", "20261131250000", "'; DROP TABLE dossier; --",
    "../../etc/passwd", "${NATIONAL_PASSWORD}", "{{7*7}}", "%s%n", "<script>1</script>", "]]>", "&amp;amp;", "\r\nX: y",
    "Tiếng Việt đã tổ hợp", "Tie\u0302\u0301ng Vie\u0323\u0302t",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, 2**63 - 1, [], {}, [[]], [None], {"": ""}, [1, "a", None, {}], *ODD_TEXTS,
)  # fmt: skip
ODD_NUMBERS = (b"1" * 400, b"-" + b"9" * 30, b"1e400", b"0.1e-400", b"18446744073709551616", b"NaN", b"Infinity", b"01")
ENTITIES = (
    b'<!DOCTYPE a [<!ENTITY x "y">]>', b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">', b"<!ENTITY x 'y'>",
    b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>',
)  # fmt: skip


# bytes
def flipped(lot: Lot, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(lot.choice((1, 1, 2, 5, 40)) if changed else 0):
        changed[lot.randrange(len(changed))] ^= 1 << lot.randrange(8)
    return bytes(changed)


def cut(lot: Lot, body: bytes) -> bytes:
    return body[: lot.randrange(len(body) + 1)]


def doubled(lot: Lot, body: bytes) -> bytes:
    start, end = sorted(lot.randrange(len(body) + 1) for _ in range(2))
    return lot.choice((body + body, body[:end] + body[start:], body + b"\n" + body[:start]))


def stuffed(lot: Lot, body: bytes) -> bytes:
    at = lot.randrange(len(body) + 1)
    filling = lot.choice((lot.randbytes(9), b"\x00", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"))
    return body[:at] + filling + body[at:]


def numbered(lot: Lot, body: bytes) -> bytes:
    """A run of digits becomes a number that nobody expects."""
    found = list(re.finditer(rb"\d+", body))
    if not found:
        return body
    spot = lot.choice(found)
    return body[: spot.start()] + lot.choice(ODD_NUMBERS) + body[spot.end() :]


def coded(lot: Lot, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    coding = lot.choice(("utf-16", "utf-16-le", "utf-32", "cp1258", "latin-1", "utf-7", "shift-jis"))
    return lot.choice(BOMS) + body if lot.random() < 0.3 else text.encode(coding, "replace")


def nothing(lot: Lot, body: bytes) -> bytes:
    return lot.choice((b"", b" ", b"\n" * 100, b"null", b"0", b'""', b"[]", b"{}", b"<", b"\x00", b"a=1&b=2", body[:1]))


def zipped(lot: Lot, body: bytes) -> bytes:
    return gzip.compress(body)


def deep(lot: Lot, body: bytes) -> bytes:
    levels = lot.choice((50, 70, 500, 20_000))
    match lot.randrange(4):
        case 0:
            return b"[" * levels + body + b"]" * levels
        case 1:
            return b'{"data":' * levels + body + b"}" * levels
        case 2:
            return b"<a>" * levels + body + b"</a>" * levels
    return body.replace(b"<Content>", b"<Content>" + b"<b>" * levels, 1) + b"[" * levels


# JSON
def rewritten(lot: Lot, body: bytes) -> bytes:
    """One or a few places of an object hold something else, are gone, are there twice or spelled otherwise."""
    try:
        value = orjson.loads(body)
        for _ in range(lot.choice((1, 1, 1, 2, 4))):
            _rewrite(lot, value)
        said = orjson.dumps(value)
    except (ValueError, TypeError):  # no JSON any more, or deeper than it can be written
        return flipped(lot, body)
    return said if lot.random() < 0.9 else said[:-1] + b"," + said[1:]


def _rewrite(lot: Lot, value: Any) -> None:
    objects = [one for one in _below(value) if one]
    if not objects:
        return
    held = lot.choice(objects)
    key: Any = lot.choice(list(held)) if isinstance(held, dict) else lot.randrange(len(held))
    other = lot.choice(objects)
    others = list(other.values()) if isinstance(other, dict) else other
    match lot.randrange(8):
        case 0 | 1 | 2:
            held[key] = lot.choice(ODD_VALUES)
        case 3:
            del held[key]
        case 4:
            held[key] = orjson.loads(orjson.dumps(lot.choice(others)))
        case 5 if isinstance(held, dict):
            held[lot.choice((key.upper(), key.lower(), f" {key}", f"{key}\u200b", key[::-1]))] = held.pop(key)
        case 6 if isinstance(held, dict):
            held[lot.choice(("SuKien", "TepDaLuu", "extra", "", "data", "__proto__", key.upper()))] = lot.choice(
                ODD_VALUES
            )
        case _:
            held[key] = [held[key]] if lot.random() < 0.5 else {"data": held[key]}


def _below(value: Any) -> list[Any]:
    found = [value] if isinstance(value, dict | list) else []
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        found += _below(item)
    return found


def surrogate(lot: Lot, body: bytes) -> bytes:
    return body.replace(lot.choice((b"a", b"1", b"N", b"0")), lot.choice((b"\\ud800", b"\\u0000", b"\\x41")), 1)


# XML
def remarked(lot: Lot, body: bytes) -> bytes:
    """A tag is renamed, repeated, dropped, moved to another namespace, or something stands where nothing may."""
    tags = list(re.finditer(rb"</?[A-Za-z][^<>]*>|&lt;/?[A-Za-z].*?&gt;", body))
    if not tags:
        return stuffed(lot, body)
    spot = lot.choice(tags)
    tag = spot.group()
    other = lot.choice((
        b"", tag + tag, tag.lower(), tag.upper(), tag.replace(b">", b' a="1" a="2">', 1), b"<![CDATA[" + tag + b"]]>",
        b"<!-- c -->" + tag, b"<?php 1 ?>" + tag, tag.replace(b"<", b"<x:", 1), b"&x;" + tag, b"&#0;" + tag,
        b"&#xD800;" + tag, tag.replace(b"tempuri", b"example"), tag + "đ".encode() * 3000, lot.choice(ENTITIES) + tag,
        tag.replace(b"<", b"&lt;").replace(b">", b"&gt;"), tag.replace(b"&lt;", b"<").replace(b"&gt;", b">"),
    ))  # fmt: skip
    return body[: spot.start()] + other + body[spot.end() :]


def declared(lot: Lot, body: bytes) -> bytes:
    said = lot.choice(("utf-16", "iso-8859-1", "utf-8", "x-none", "UTF-7"))
    prolog = f'<?xml version="1.0" encoding="{said}"?>'.encode()
    return lot.choice((prolog + body, prolog + lot.choice(ENTITIES) + body, lot.choice(ENTITIES) + body, b" " + prolog))


def reworded(lot: Lot, body: bytes) -> bytes:
    """A text between two tags holds something else."""
    spots = list(re.finditer(rb"(?<=>)[^<>]+(?=<)|(?<=&gt;)[^&<>]+(?=&lt;)", body))
    if not spots:
        return stuffed(lot, body)
    spot = lot.choice(spots)
    return body[: spot.start()] + lot.choice(ODD_TEXTS).encode() + body[spot.end() :]


OF_BYTES = (flipped, flipped, cut, doubled, stuffed, numbered, coded, nothing, zipped, deep)
OF_JSON = (rewritten, rewritten, rewritten, rewritten, rewritten, surrogate)
OF_XML = (remarked, remarked, remarked, declared, reworded, reworded)
FRAMINGS = ("chunked", "extended", "bad chunk", "open", "short", "long", "both", "none", "negative", "twice")
HEADS: dict[str, tuple[str, ...]] = {
    "content-type": (
        "text/xml; charset=utf-8", "application/json", "application/soap+xml", "text/xml; charset=utf-16", "",
        "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=cp1258",
        "text/xml; charset=\"", "x" * 3000, "application/json, text/xml",
    ),
    "soapaction": (
        "", '""', "http://tempuri.org/IMTService/Receive", '"http://tempuri.org/IMTService/ReceiveFromInland"',
        '"urn:other"', "'x'", "IMTService", '"http://tempuri.org/IMTService/ReceiveResultFromMT'
    ),
    "content-encoding": ("gzip", "identity", "br, gzip"),
    "dstcode": ("VN:GOV:000.00.00.H99:x", "", "\x7f"),
    "idempotency-key": ("", "short", "x" * 500, "fuzzed-report-1", "fuzzed-report-2", "tiếng-việt-khoá"),
    "expect": ("100-continue", "200-nothing"),
    "accept": ("text/html", "*/*;q=x"),
    "x-forwarded-for": ("10.0.0.1", "::1, x"),
}  # fmt: skip


def broken(lot: Lot, call: Call) -> Call:
    """The call with one to three things wrong; now and then with none, so that what is right is among them."""
    for _ in range(lot.choice((0, 1, 1, 1, 1, 2, 3))):
        call = _broken_once(lot, call)
    return call


def _broken_once(lot: Lot, call: Call) -> Call:
    place = lot.random()
    if place < 0.1:
        return replace(call, framing=lot.choice(FRAMINGS), cut=lot.choice((1, 3, 64, 1000)))
    if place < 0.25:
        name = lot.choice(list(HEADS))
        return replace(call, headers={**call.headers, name: lot.choice(HEADS[name])})
    if place < 0.3:
        return replace(call, target=_elsewhere(lot, call.target))
    if place < 0.32:
        return replace(call, method=lot.choice(("GET", "PUT", "HEAD", "OPTIONS", "PATCH", "post", "TRACE")))
    ways: tuple[Callable[[Lot, bytes], bytes], ...] = OF_BYTES
    if lot.random() < 0.7:
        ways = OF_XML if call.body.lstrip(BOMS[0]).startswith(b"<") else OF_JSON
    return replace(call, body=lot.choice(ways)(lot, call.body))


def _elsewhere(lot: Lot, target: str) -> str:
    junk = ("?wsdl", "?a=%ff&a=1", "/%00", "/..%2f..", "//", ";x=1", "?" + "a=1&" * 300, "/" + "x" * 9000, "?dstcode=x",
            "#f", "%20", "/0" * 50)  # fmt: skip
    return lot.choice((target + lot.choice(junk), target[: lot.randrange(1, len(target))] or "/", target.upper()))
