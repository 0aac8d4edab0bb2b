"""The files of a pushed dossier: bytes in Base64 or an address; one list in the record, whatever the shape was."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from adapters.npsp.receiving.body import Fields, UnreadableBodyError, text_of
from adapters.npsp.receiving.options import FilePlace, PushOptions
from adapters.receiving import InboundFile

LISTED = "TaiLieuNop"
"""The list of the record that holds every paper handed in."""
REFERENCE = "LienThongTep"
"""The field of a listed paper that names its stored file; ours, never on the portal's wire."""
NAME = "TenTepDinhKem"
ADDRESS = "DuongDanTaiTepTin"
_BLANKS = re.compile(rb"\s+")
_DATA_URL = re.compile(r"data:[\w.+/;=-]*?;base64,", re.IGNORECASE)
_INSTANT = re.compile(r"(?:1[0-9]{9}|1[0-9]{12}|20[0-9]{12})")
"""Values of a query that are a time: seconds or milliseconds since 1970, or the 14 digits of this portal."""


@dataclass(frozen=True, slots=True)
class Papers:
    """`rows` are the papers as the record lists them, `files` what must be stored with them, each once."""

    rows: tuple[Fields, ...]
    files: tuple[InboundFile, ...]


def take_files(fields: Fields, number: str, options: PushOptions) -> Papers:
    """Move every file out of the fields into a list of papers; `fields` keeps no bytes.

    A file's reference is the dossier's number, a slash and a digest of name and content.

    Raises:
        UnreadableBodyError: Bytes that are no Base64, an address that is none, a list that is none, too many.
    """
    rows: list[Fields] = []
    files: dict[str, InboundFile] = {}
    for place in options.files:
        for row, listed in _rows(fields, place):
            file, name, address = _file(row, number, place, options), text_of(row, place.name), text_of(row, place.url)
            for field in (*place.content, *place.name, *place.url):
                _drop(row, field)
            if file is not None:
                files[file.ref] = file
            if file is not None or listed:
                rows.append(_paper(row if listed else {}, file, name, address))
        if place.at:
            _drop(fields, place.at)
    if len(files) > options.max_files:
        raise UnreadableBodyError("files", f"more than {options.max_files} files")
    return Papers(tuple(rows), tuple(files.values()))


def stable(address: str, options: PushOptions) -> str:
    """An address without what changes by itself: the same file has a new one at each push (npsp.md 5.5)."""
    parts = urlsplit(address)
    volatile = {name.casefold() for name in options.volatile_query}
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.casefold() not in volatile and not _INSTANT.fullmatch(value)
    ]
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, urlencode(kept), ""))


def _rows(fields: Fields, place: FilePlace) -> Iterator[tuple[Fields, bool]]:
    if not place.at:
        yield fields, False
        return
    found = next((value for name, value in fields.items() if name.casefold() == place.at.casefold()), None)
    if found in (None, ""):
        return
    held = [found] if isinstance(found, Mapping) else found
    if not isinstance(held, list) or not all(isinstance(row, Mapping) for row in held):
        raise UnreadableBodyError("files", f"{place.at} is not a list of papers")
    for row in held:
        yield dict(row), True


def _file(row: Fields, number: str, place: FilePlace, options: PushOptions) -> InboundFile | None:
    name = text_of(row, place.name)
    if content := _held(row, place.content):
        data = _decoded(content)
        return InboundFile(_ref(number, name, data), name, content=data)
    if address := text_of(row, place.url):
        _check_address(address)
        return InboundFile(_ref(number, name, stable(address, options).encode()), name, url=address)
    return None


def _held(row: Fields, names: tuple[str, ...]) -> str:
    """The Base64 of a row as it stands; normalising megabytes of letters would be a waste."""
    wanted = {name.casefold() for name in names}
    found = next((value for name, value in row.items() if name.casefold() in wanted and value), "")
    if not isinstance(found, str):
        raise UnreadableBodyError("files", "a file's content is not text")
    return found


def _decoded(text: str) -> bytes:
    head = _DATA_URL.match(text)
    try:
        letters = _BLANKS.sub(b"", text[head.end() if head else 0 :].encode("ascii"))
        data = binascii.a2b_base64(letters, strict_mode=True) if len(letters) % 4 == 0 else b""
    except (UnicodeEncodeError, binascii.Error):
        raise UnreadableBodyError("files", "a file's content is not Base64") from None
    if not data:
        raise UnreadableBodyError("files", "a file is empty or cut")
    return data


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        sound = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or not address.isprintable() or " " in address:
        raise UnreadableBodyError("files", "a file's address is not a web address")


def _ref(number: str, name: str, content: bytes) -> str:
    """Equal files of one name are one file; two files of one name are two."""
    digest = sha256(sha256(name.encode()).digest() + sha256(content).digest()).hexdigest()[:32]
    return f"{number}/{digest}"


def _paper(row: Fields, file: InboundFile | None, name: str, address: str) -> Fields:
    """A listed paper: its other fields as they came, its name, address and stored file under the contract's names."""
    told = {NAME: name, ADDRESS: address, REFERENCE: file.ref if file else ""}
    return row | {field: text for field, text in told.items() if text}


def _drop(fields: Fields, name: str) -> None:
    for own in [own for own in fields if own.casefold() == name.casefold()]:
        del fields[own]
