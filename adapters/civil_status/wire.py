"""What a reply of the ministry says, read strictly in form and tolerantly in type.

Strict: JSON with a doubled key, NaN or an unbounded number is refused (R15), because two readers would
read it differently. Tolerant: the same field comes as text, number or truth value (R02), as JSON inside a
string (R03), and texts come in any case and Unicode form (R01).
"""

from __future__ import annotations

import json
import math
import unicodedata
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

JsonValue = Any

MAX_NESTED_STRINGS = 2
"""How often JSON may lie inside a string before we stop unwrapping: once more than attested anywhere."""
_LONGEST_NUMBER = 18


class BadJsonError(ValueError):
    """The text is not JSON as we accept it; the message names the rule, never the content."""


def parse(text: str | bytes) -> JsonValue:
    """Read JSON strictly.

    Raises:
        BadJsonError: Not UTF-8, not JSON, a doubled key, NaN or Infinity, or nested too deep.
    """
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        value = json.loads(
            decoded,
            object_pairs_hook=_without_doubles,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_finite,
        )
        orjson.dumps(value)
    except BadJsonError:
        raise
    except orjson.JSONEncodeError:
        raise BadJsonError("text that is not Unicode, or nested too deep") from None
    except UnicodeDecodeError:
        raise BadJsonError("not UTF-8") from None
    except RecursionError:
        raise BadJsonError("nested too deep") from None
    except json.JSONDecodeError:
        raise BadJsonError("not JSON") from None
    return value


def _without_doubles(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJsonError("an object names a key twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise BadJsonError("a number longer than 64 bits hold")
    return int(digits)


def _finite(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        raise BadJsonError("a number without end")
    return value


def _no_constant(_: str) -> NoReturn:
    raise BadJsonError("NaN or Infinity")


def unwrapped(value: JsonValue) -> JsonValue:
    """Give the object or list inside a string, however often it was serialised (R03).

    Raises:
        BadJsonError: The string holds XML or anything else that is not JSON, or nests deeper than attested.
    """
    for _ in range(MAX_NESTED_STRINGS):
        if not isinstance(value, str) or not value.strip():
            return value
        if value.lstrip().startswith("<"):
            raise BadJsonError("XML where JSON was expected")
        value = parse(value)
    if isinstance(value, str) and value.strip():
        raise BadJsonError("JSON serialised too often")
    return value


def text_of(value: JsonValue) -> str:
    """An identifier, code or flag as text: numbers keep their digits, truth values become 1 and 0."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | str):
        return unicodedata.normalize("NFC", str(value)).strip()
    return ""


def folded(text: str) -> str:
    """The form in which texts are compared: NFC, then casefold, then NFC, single spaces (R01)."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", composed).split())


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fields every reply has in common.

    `status` is the text of the field, `ok` what it means to a push: only "1" is yes, and it is None where there is
    no readable status. `text` joins both descriptions as sent.
    """

    status: str
    ok: bool | None
    code: str
    text: str

    @property
    def words(self) -> str:
        """The descriptions in the form for comparing."""
        return folded(self.text)


def verdict_of(reply: dict[str, JsonValue]) -> Verdict:
    """Read `status`, `errorCode` and both descriptions of a push or poll reply (R02)."""
    texts = (reply.get("statusDescription"), reply.get("errorDescription"))
    status = text_of(reply.get("status")).casefold()
    return Verdict(
        status=status,
        ok=status in ("1", "true") if status else None,
        code=text_of(reply.get("errorCode")),
        text=" | ".join(text.strip() for text in texts if isinstance(text, str) and text.strip()),
    )
