"""The XML message inside the SOAP string: written by one rule, read with suspicion.

Source: ministry.md 1.2 and 1.3 (header classes and content builders of 2016 and 2024).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from lxml import etree

from adapters.base import Signed
from adapters.nsw.options import Party
from adapters.xml import DEFAULT_LIMITS, Limits, SchemaCheck, canonical, clean_text, is_escaped_twice, parse_text
from schemas.clock import VIETNAM
from schemas.errors import RecordInvalidError

VERSION = "1.0"
RECEIVED = "99"
REFUSED = "22"
_ATTESTED_CONTENTS = frozenset(
    ("01", "02", "03", "04", "05", "10", "11", "21", "22", "23", "24", "26", "27", "28", "29", "99")
)
_CODES = ("country", "ministry", "organization", "unit")
_CAMEL_CASE_TYPES = frozenset({16, 17})
_SEND_DATE = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is about; the dossier's key is `document_type`, `reference` and `document_year`."""

    document_type: int
    type: int
    function: str
    reference: int
    pre_reference: int
    document_year: int
    send_date: str

    @property
    def dossier_key(self) -> str:
        """The dossier's identity at the ministry, as one text."""
        return f"{self.document_type}-{self.reference}-{self.document_year}"


@dataclass(frozen=True, slots=True)
class Message:
    """One message as read, without a signature; `oddities` name what was put right on the way in.

    `signed` is the signature it came with, where one was asked for and held.
    """

    root: etree._Element
    message_id: str
    sender: Party
    receiver: Party
    subject: Subject
    content: etree._Element
    oddities: tuple[str, ...] = ()
    signed: Signed | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the message's canonical form in hexadecimal digits, blanks between elements left out."""
        return hashlib.sha256(canonical(_unspaced(self.root))).hexdigest()

    def text(self, path: str) -> str:
        """Text at a path below `Content`, "" where there is none."""
        return (self.content.findtext(path) or "").strip()


@cache
def envelope_schema() -> SchemaCheck:
    """Our schema of the envelope, compiled once."""
    return _schema("envelope.xsd")


@cache
def open_schema() -> SchemaCheck:
    """The same with any content, for functions whose content is not attested."""
    return _schema("envelope.xsd", (b'type="Content"', b'type="xs:anyType"'))


@cache
def forward_schema() -> SchemaCheck:
    """Our schema of `DossierForward`, compiled once."""
    return _schema("dossier-forward.xsd")


def reference_of(owner: str, dossier_code: str) -> int:
    """The dossier's number at the ministry: 63 bits of SHA-256 over who gives the number and which dossier it is.

    `reference` is a signed 64-bit number on the wire and must be the same in every message about a dossier,
    from every machine, for ever; so it is computed, not counted. Two of n dossiers share a number with odds of
    about n²/2^64: one in 18 million for a million dossiers of one year. Zero is never given.
    """
    digest = hashlib.sha256(f"{owner}\n{dossier_code}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1 or 1


def send_date(instant: datetime) -> str:
    """The wire's own time: Vietnam time to the second, without a zone."""
    return instant.astimezone(VIETNAM).strftime(_SEND_DATE)


def write(message_id: str, sender: Party, receiver: Party, subject: Subject, *content: etree._Element) -> str:
    """One message as text without prolog; equal arguments give equal text.

    `content` are the business elements below `Content`; they are copied, not moved.
    """
    root = etree.Element("Envelope")
    header = etree.SubElement(root, "Header")
    reference = etree.SubElement(header, "Reference")
    _leaf(reference, "version", VERSION)
    _leaf(reference, "messageId", message_id)
    _party(header, "From", sender, subject.document_type)
    _party(header, "To", receiver, subject.document_type)
    _subject(header, subject)
    holder = etree.SubElement(etree.SubElement(root, "Body"), "Content")
    holder.extend(etree.fromstring(etree.tostring(element, with_tail=False)) for element in content)
    return etree.tostring(root, encoding="unicode")


def read(text: str, limits: Limits = DEFAULT_LIMITS) -> Message:
    """Read one message from the string that carried it.

    Raises:
        RecordInvalidError: Not XML, hostile, or not valid by our schema; the reason holds no values.
    """
    return message_of(parse_text(text, limits), escaped_twice=is_escaped_twice(text))


def message_of(root: etree._Element, *, escaped_twice: bool = False) -> Message:
    """A message from its parsed envelope; a signature has been judged and taken out before.

    Raises:
        RecordInvalidError: Not valid by our schema; the reason holds no values.
    """
    written = root.findtext("Header/Subject/function") or ""
    function = written.strip().zfill(2)
    (open_schema() if function not in _ATTESTED_CONTENTS else envelope_schema()).check(root)
    header, content = root.find("Header"), root.find("Body/Content")
    if header is None or content is None:
        raise RecordInvalidError("not an Envelope")
    oddities = ["escaped twice"] if escaped_twice else []
    if function != written:
        oddities.append("function not written as two digits")
    return Message(
        root=root,
        message_id=(header.findtext("Reference/messageId") or "").strip(),
        sender=_read_party(header, "From"),
        receiver=_read_party(header, "To"),
        subject=Subject(
            document_type=_number(header, "documentType"),
            type=_number(header, "type"),
            function=function,
            reference=_number(header, "reference"),
            pre_reference=_number(header, "preReference"),
            document_year=_number(header, "documentYear"),
            send_date=(header.findtext("Subject/sendDate") or "").strip(),
        ),
        content=content,
        oddities=tuple(oddities),
    )


def _unspaced(root: etree._Element) -> etree._Element:
    """A copy without the blanks that only lay a document out: one that is laid out anew says the same."""
    plain = etree.fromstring(etree.tostring(root, with_tail=False))
    for node in plain.iter():
        if len(node) and not (node.text or "").strip():
            node.text = None
        if not (node.tail or "").strip():
            node.tail = None
    return plain


def _schema(name: str, replaced: tuple[bytes, bytes] = (b"", b"")) -> SchemaCheck:
    return SchemaCheck(files("schemas").joinpath("nsw", name).read_bytes().replace(*replaced), name)


def _leaf(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = clean_text(text)


def _party(header: etree._Element, name: str, party: Party, document_type: int) -> None:
    """Write From or To; the four codes change their spelling with the document type (Q09)."""
    holder = etree.SubElement(header, name)
    _leaf(holder, "name", party.name)
    _leaf(holder, "identity", party.identity)
    suffix = "Code" if document_type in _CAMEL_CASE_TYPES else "code"
    for code in _CODES:
        if value := getattr(party, f"{code}_code"):
            _leaf(holder, code + suffix, value)


def _subject(header: etree._Element, subject: Subject) -> None:
    holder = etree.SubElement(header, "Subject")
    _leaf(holder, "documentType", str(subject.document_type))
    _leaf(holder, "type", str(subject.type))
    _leaf(holder, "function", subject.function)
    _leaf(holder, "reference", str(subject.reference))
    _leaf(holder, "preReference", str(subject.pre_reference))
    _leaf(holder, "documentYear", str(subject.document_year))
    _leaf(holder, "sendDate", subject.send_date)


def _read_party(header: etree._Element, name: str) -> Party:
    """A party as it was written; limits on our own entries in `config.yaml` do not bind the partner's."""
    codes = {f"{code}_code": _either(header, f"{name}/{code}") for code in _CODES}
    names = {field: header.findtext(f"{name}/{field}") or "" for field in ("name", "identity")}
    return Party.model_construct(None, **names, **codes)


def _either(header: etree._Element, path: str) -> str:
    return header.findtext(f"{path}Code") or header.findtext(f"{path}code") or ""


def _number(header: etree._Element, name: str) -> int:
    return int(header.findtext(f"Subject/{name}") or 0)
