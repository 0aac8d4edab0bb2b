"""What stands below `Content` for each function a ministry answers or calls back with (ministry.md 1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from lxml import etree

from adapters.nsw.envelope import send_date

Shape = tuple["str | tuple[str, Shape]", ...]
_OFFICER: Shape = ("Organization", "Division", "Name")
_WANTED: Shape = ("RequirementCode", "RequirementDesc", *_OFFICER, "RequirementDate")
_PAPERS: Shape = ("RejectDesc", *_OFFICER, "RejectDate", ("AttachmentList", ("AttachmentType",)))
_DELAY: Shape = (("Delay", ("DelayCode", "DelayDesc", *_OFFICER)), "DelayDate")
_RECEIVED: Shape = ("ReceiveDate",)
_SHAPES: Mapping[str, Shape] = {
    "21": ("AcceptDate", ("Accepter", _OFFICER)),
    "22": (("Reject", ("RejectCode", "RejectDesc", *_OFFICER)), "RejectDate"),
    "24": ("CancelDate", *_OFFICER, "Reason"),
    "25": _DELAY,
    "26": ("ApprovalStatus", "Comment", *_OFFICER, "ApprovalDate"),
    "27": (("AdditionalRequirements", _WANTED),),
    "28": (("AdditionalRequirements", _WANTED),),
    "29": (("RequestAttachment", _PAPERS),),
    "35": _DELAY,
}
_REASONS = ("Desc", "Reason", "Comment")
_WHO = ("Organization", "Division", "Name")


def contents(
    function: str, at: datetime, reason: str = "", code: str = "1", who: str = "System"
) -> tuple[etree._Element, ...]:
    """The elements of one function; `ReceiveDate` where no other content is attested.

    `reason` stands wherever words are asked for, `code` wherever a code is, `who` as organisation, division and name.
    """

    def text(name: str) -> str:
        if name.endswith("Date"):
            return send_date(at)
        if name.endswith(_REASONS):
            return reason
        return who if name in _WHO else code

    def made(shape: str | tuple[str, Shape]) -> etree._Element:
        element = etree.Element(shape if isinstance(shape, str) else shape[0])
        if isinstance(shape, str):
            element.text = text(shape)
        else:
            element.extend(made(part) for part in shape[1])
        return element

    return tuple(made(shape) for shape in _SHAPES.get(function, _RECEIVED))
