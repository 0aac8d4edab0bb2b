"""Does a detail show what a form said? Needed because a 200 to publish may mean "ignored" (provincial.md 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from unicodedata import normalize

from adapters.opencps.windows import read_local
from schemas.clock import VIETNAM

DATES = {"submitDate", "receiveDate", "dueDate", "releaseDate", "finishDate", "extendDate"}
_INFORMED = ("dossierNo", "receiveDate", "dueDate")
_PUBLISHED = ("dossierNo", "dossierStatus", "dossierSubStatus", "serviceCode", "govAgencyCode", "applicantName",
              "applicantIdNo", "dossierNote", "briefNote", *sorted(DATES))  # fmt: skip


def differing(form: Mapping[str, str], detail: Mapping[str, Any], operation: str) -> tuple[str, ...]:
    """Names of fields that the form set and the detail shows otherwise; text is compared in NFC and case-blind."""
    names = _INFORMED if operation == "inform" else _PUBLISHED
    return tuple(name for name in names if form.get(name) and not _same(name, form[name], detail.get(name)))


def _same(name: str, sent: str, shown: Any) -> bool:
    if name in DATES:
        return _moment(sent) == read_local(shown)
    return _plain(sent) == _plain(shown)


def _moment(epoch_ms: str) -> datetime | None:
    """The whole second that the portal can show of an instant in milliseconds."""
    try:
        return datetime.fromtimestamp(int(epoch_ms) // 1000, VIETNAM).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None


def _plain(text: Any) -> str:
    """Names come back in capitals, and with a blank after each semicolon."""
    return normalize("NFC", str(text or "")).casefold().replace("; ", ";").strip()
