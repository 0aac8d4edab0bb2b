"""What the simulated ministry holds, and how it is told to behave."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

from lxml import etree
from pydantic import AfterValidator, Field

from adapters.nsw.calling import CallBacks
from adapters.nsw.envelope import Subject
from adapters.nsw.options import Signatures
from adapters.nsw.quirks import QUIRKS, WSDL_NAMESPACE
from schemas.settings import Section


def _known(quirk: str) -> str:
    if quirk not in QUIRKS:
        raise ValueError(f"unknown quirk; known: {', '.join(QUIRKS)}")
    return quirk


Quirk = Annotated[str, AfterValidator(_known)]
STATES = {"record": 1, "accept": 4, "refuse": 5, "cancel": 10, "supplement": 13, "complete": 19, "suspend": 25}
"""Officers' verbs and the state numbers of the ministry's system (ministry.md 1.7)."""
CALLED_BACK = {"accept": "21", "refuse": "22", "cancel": "24", "supplement": "27", "complete": "23", "suspend": "35"}
"""Officers' verbs and the function the ministry calls back with; recording a dossier is nobody else's business."""
STATE_AFTER = {"21": 4, "22": 5, "23": 19, "24": 10, "25": 25, "27": 13, "28": 13, "29": 13, "35": 25}
"""Function called back -> state of the dossier."""


class Switches(Section):
    """How this ministry behaves.

    `namespace`, `operation` and `reply_child` are its WSDL's. `repeat_answer`: a message id seen before is
    acknowledged again, refused with that id as RejectCode (a failed insert), or one and the other by turns.
    `quirks` hurt every answer; `act("next")` hurts single ones. `request_namespace`: the handler reads only that
    namespace. `fails`: every insert fails, in the words of `refusal`. `call_back`: see there. `signatures`: as an
    entry of `config.yaml` says it, seen from the ministry.
    """

    namespace: str = WSDL_NAMESPACE
    operation: str = "sendAndGetMessage"
    reply_child: str = "sendAndGetMessageReturn"
    repeat_answer: Literal["ack", "reject", "mixed"] = "mixed"
    quirks: tuple[Quirk, ...] = ()
    request_namespace: str = ""
    fails: bool = False
    refusal: str = "không lưu được thông điệp"
    call_back: CallBacks = CallBacks()
    signatures: Signatures = Signatures()


@dataclass(slots=True)
class Declaration:
    """One message as the ministry keeps it, with every call that brought it and how that was answered."""

    message_id: str
    function: str
    digest: str
    at: datetime
    calls: list[int] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Held:
    """One dossier at the ministry."""

    key: str
    dossier_code: str
    national_code: str
    state: int = STATES["record"]
    seeded: bool = False
    declarations: list[Declaration] = field(default_factory=list)
    states: list[tuple[str, int]] = field(default_factory=list)
    subject: Subject | None = None
    steps: list[str] = field(default_factory=list)
    told: int = 0
    told_at: datetime | None = None
    papers: list[dict[str, Any]] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """What the officer's screen and the oracle see."""
        functions = Counter(declaration.function for declaration in self.declarations)
        return {
            "key": self.key,
            "dossier_code": self.dossier_code,
            "national_code": self.national_code,
            "state": self.state,
            "states": [{"at": at, "state": state} for at, state in self.states],
            "seeded": self.seeded,
            "papers": list(self.papers),
            "declarations": [
                {
                    "message_id": one.message_id,
                    "function": one.function,
                    "digest": one.digest,
                    "at": one.at,
                    "calls": list(one.calls),
                    "answers": list(one.answers),
                }
                for one in self.declarations
            ],
            "doubled": {function: times for function, times in functions.items() if times > 1},
        }


class Seed(Section):
    """An old dossier to begin with; `owner` is the agency code its reference was computed under."""

    dossier_code: str
    owner: str = ""
    national_code: str = ""
    document_type: int = 100
    document_year: int
    state: str = Field(default="record", pattern="^(" + "|".join(STATES) + ")$")


def papers_of(forward: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The attachments of a forward that `plain` gave."""
    found = (forward.get("AttachmentList") or {}).get("Attachment") or []
    return [row for row in (found if isinstance(found, list) else [found]) if isinstance(row, dict)]


def plain(element: etree._Element) -> Any:
    """An element as JSON for the book: text, or children by name (a list where one repeats); of a file its digest."""
    if not len(element):
        return element.text or ""
    children: dict[str, Any] = {}
    for child in element:
        name = etree.QName(child).localname
        if name == "Content":
            content = b64decode(child.text or "", validate=True)
            children |= {"ContentSize": len(content), "ContentDigest": sha256(content).hexdigest()}
            continue
        value = plain(child)
        if name in children:
            held = children[name]
            children[name] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            children[name] = value
    return children
