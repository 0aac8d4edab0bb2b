"""The words of a mapping file, as pydantic models; what they mean together is checked by the compiler.

Messages and fields are held unchecked by their parents, so that a mistake in one hides none in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from schemas.settings import Section


def _null_by_name(value: Any) -> Any:
    """`absent: null` is YAML's null, and means the word."""
    return "null" if value is None else value


class FieldSpec(Section):
    """One field. Keys that begin with `_` hold no canonical value (constants, what is kept or ignored).

    wire: a name, a JSON pointer (`/a/b`) or an XML path (`a/b`, `@attribute`, `.` for an element's own text).
    also: other spellings of the same wire field that are read when `wire` is absent; never written.
    codec: a codec's name, or one with arguments: `{table: {...}}`, `{list: {fields}}`, `{text_cut: 1000}`.
    absent: how a missing value is written: left out, `null`, or empty (`""`, `[]`).
    compare: exact, casefold, `prefix N`, address (the last step of a URL, without its query) or ignore.
    volatile: changes by itself; left out of digests, and of comparisons except by address.
    secret: blanked before anything is kept.
    prefer: canonical value -> code, where several codes give one value.
    covers: the values this table must be able to write; without it, every value of the canonical type.
    total: says that by name. beyond: what a value outside `covers` is written as; `absent` sends the field's absence.
    sub: the wire field of the sub-status; codes of the form `word/sub` win over `word`.
    fold: also read codes that differ in case or outer blanks. numbers: codes are numbers on the wire.
    """

    wire: str = Field(min_length=1)
    codec: Any
    also: tuple[str, ...] = ()
    absent: Annotated[Literal["omit", "null", "empty"], BeforeValidator(_null_by_name)] = "omit"
    compare: str = Field(default="exact", pattern=r"^(exact|casefold|address|ignore|prefix [1-9][0-9]{0,3})$")
    volatile: bool = False
    secret: bool = False
    prefer: Mapping[str, str] = {}
    covers: tuple[str, ...] | None = None
    total: Literal[True] | None = None
    beyond: Literal["refuse", "absent"] = "refuse"
    sub: str | None = None
    fold: bool = False
    numbers: bool = False


class MessageSpec(Section):
    """One message of a portal.

    any_case: keys on the wire are also read in other case. root, namespaces: of an XML message.
    required: canonical paths without which nothing is sent.
    drops: wire fields known and not carried, named as drift names them (`name`, `part/name`, `list[]/name`).
    secrets: JSON pointers (`*` for each item of a list) that are blanked before anything is kept.
    """

    target: str
    wire: Literal["json", "form", "xml"] = "json"
    direction: Literal["both", "read", "write"] = "both"
    required: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    any_case: bool = False
    root: str = ""
    namespaces: Mapping[str, str] = {}
    fields: dict[str, Any] = Field(min_length=1)


class FileSpec(Section):
    """A mapping file; `extends` names another one whose messages and fields this one adds to or replaces."""

    kind: str
    profile: str
    source: str
    released: str
    extends: str = ""
    messages: dict[str, Any] = Field(min_length=1)
