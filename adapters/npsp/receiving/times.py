"""Times as this portal's messages spell them (npsp.md 5.1); only whether one can be read, never what it means."""

from __future__ import annotations

import re
from datetime import datetime

FORMS = ("%Y%m%d%H%M%S", "%d/%m/%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y")
"""14 digits, the ministries' form, ISO without a zone, a day."""
_PADDED = re.compile(
    r"[0-9]{14}|[0-9]{2}/[0-9]{2}/[0-9]{4}( [0-9]{2}:[0-9]{2}:[0-9]{2})?|[0-9-]{10}T[0-9:]{8}"
)  # strptime takes unpadded numbers, which another reader would split otherwise


def is_readable(text: str) -> bool:
    """Whether the text is an instant or a day in one of the known forms."""
    plain = text.strip()
    return bool(_PADDED.fullmatch(plain)) and any(_fits(plain, form) for form in FORMS)


def _fits(text: str, form: str) -> bool:
    try:
        return datetime.strptime(text, form).year >= 1900  # noqa: DTZ007 - only asked whether it is one
    except ValueError:
        return False
