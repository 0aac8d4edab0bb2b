"""Which words of the portals mean the same, written from the portals' papers and not from our mappings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

VIETNAM = timezone(timedelta(hours=7))

NATIONAL_CODE = {
    "receiving": "1",
    "new": "2",
    "denied": "3",
    "processing": "4",
    "collecting": "4",
    "interoperating": "4",
    "handover": "4",
    "waiting": "5",
    "correcting": "5",
    "paying": "6",
    "cancelling": "7",
    "cancelled": "7",
    "pausing": "8",
    "unresolved": "8",
    "releasing": "9",
    "posting": "9",
    "done": "10",
}
"""The province's word -> the national portal's code for the same status."""

ACT_FOR_STATE = {"2": "2000", "4": "3300", "6": "3301"}
"""A decision of the ministry of justice -> the province's act that must follow: ask for papers, result, no result."""

ACT_FOR_CALL = {"27": "2000", "23": "3300", "22": "3301"}
"""A function the ministry of transport calls back with -> the province's act that must follow."""

ACT_FOR_WISH = {"supplement": "2001", "payment": "2101", "withdrawal": "5000"}
"""What a citizen sends to the national portal -> the province's act that must follow."""

RESUMES = ACT_FOR_WISH["supplement"]
"""The act by which the province's clock runs on: the due date moves by the time that it stood still."""

NO_ANSWER = ("silence", "http 503")
"""What a caller takes for no answer: it calls again."""

BROKEN = ("cut_inside", "wrong_length")
"""Faults of a caller by which a call never arrives whole."""

RESULT_PART = "KQ01"
"""The part of a dossier under which a result lies at the province."""

FORWARDED = "interoperating"
"""The province's word for "handed to a ministry"."""

STATUS_ACTS = ("create", "action", "rollback", "goto")
"""Effects at the province by which a dossier comes to a status."""


def said_yes(told: Mapping[str, Any]) -> bool:
    """Whether the gateway took a call: a push by 0 or 1, a payment by 1."""
    return told["said"] in ((0, 1) if told["what"] == "push" else (1,))


def digits(text: str) -> str:
    """`dd/MM/yyyy HH:mm:ss` as the national portal's fourteen digits; "" for an absent date."""
    return datetime.strptime(text, "%d/%m/%Y %H:%M:%S").strftime("%Y%m%d%H%M%S") if text else ""  # noqa: DTZ007


def digits_of(instant: str) -> str:
    """An instant of the book (ISO, with its zone) as fourteen digits of Vietnam time."""
    return datetime.fromisoformat(instant).astimezone(VIETNAM).strftime("%Y%m%d%H%M%S")


def only_digits(text: str) -> str:
    """`yyyy-MM-dd HH:mm:ss` as fourteen digits."""
    return "".join(letter for letter in text if letter.isdigit())
