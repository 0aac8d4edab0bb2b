"""Code tables: checked when loaded, and the status table that keeps the wire's own words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mappings.codecs import ANY_CODE, CodecError
from mappings.language import FieldSpec
from mappings.vocabulary import Kind
from schemas.status import DossierStatus

if TYPE_CHECKING:
    from mappings.compiler import Problems, Where

_PYTHON = {"text": str, "truth": bool, "number": int}


def check_table(
    spec: FieldSpec, argument: Any, kind: Kind, where: Where, problems: Problems, *, writes: bool
) -> Mapping[str, Any] | None:
    """The codes with canonical values, or None when they are no table; every problem is noted."""
    if not isinstance(argument, dict) or not argument or not all(type(code) is str for code in argument):
        problems.add(where, "a table needs codes in quotes, each with its canonical value")
        return None
    codes = {code: _canonical(value, kind, (*where, code), problems) for code, value in argument.items()}
    if ANY_CODE in codes and kind.gives == "DossierStatus":
        problems.add((*where, ANY_CODE), "an unknown status code is never guessed: name each code")
    if spec.numbers and not all(code.removeprefix("-").isdigit() for code in codes if code != ANY_CODE):
        problems.add(where, "a table of numbers has a code that is none")
        return None
    if writes:
        _check_writing(spec, codes, kind, where, problems)
    return codes


def _canonical(value: Any, kind: Kind, where: Where, problems: Problems) -> Any:
    if value is None:
        return None
    if kind.enum is not None:
        if value in list(kind.enum):
            return kind.enum(value)
        problems.add(where, f"{value!r} is no {kind.gives}; one of {', '.join(kind.enum)}")
    elif kind.gives in _PYTHON and type(value) is not _PYTHON[kind.gives]:
        problems.add(where, f"the canonical value must be {kind.gives}")
    return value


def _check_writing(spec: FieldSpec, codes: Mapping[str, Any], kind: Kind, where: Where, problems: Problems) -> None:
    words: dict[Any, list[str]] = defaultdict(list)
    for code, value in codes.items():
        if value is not None and code != ANY_CODE:
            words[value].append(code)
    for value, several in words.items():
        if len(several) > 1 and value not in spec.prefer:
            problems.add(where, f"{value} has codes {', '.join(several)}: say which to write with prefer")
    for value, code in spec.prefer.items():
        if code not in words.get(value, ()):
            problems.add((*where[:-2], "prefer", value), f"code {code!r} does not give {value}")
    owed = spec.covers if spec.covers is not None else tuple(kind.enum or ())
    if spec.beyond == "absent" and spec.covers is None:
        problems.add(where, "beyond: absent needs covers, so that it says what is written")
    if lacking := [str(value) for value in owed if value not in words]:
        problems.add(where, f"no code for {', '.join(lacking)}: add them, or say what the table covers")


def status_codec(
    spec: FieldSpec, *, split: bool
) -> tuple[Callable[[Any, Any], tuple[Any, str, str]], Callable[[Any], tuple[Any, str]]]:
    """Reader (word, sub-word) -> (status or None, word, sub-word) and writer status -> (word, sub-word).

    With `split`, a code `word/sub` stands for the pair and wins over `word`.
    """
    given: Mapping[str, str | None] = spec.codec["table"]
    codes = {code: None if value is None else DossierStatus(value) for code, value in given.items() if _known(value)}
    folded = {code.strip().casefold(): value for code, value in codes.items()} if spec.fold else {}
    words: dict[DossierStatus, str] = {}
    for code, value in codes.items():
        if value is not None:
            words.setdefault(value, code)
    words.update({DossierStatus(value): code for value, code in spec.prefer.items() if _known(value)})

    def find(code: str) -> tuple[bool, DossierStatus | None]:
        if code in codes:
            return True, codes[code]
        near = code.strip().casefold() if folded else ""
        return near in folded, folded.get(near)

    def read(word: Any, sub: Any) -> tuple[Any, str, str]:
        first, second = _word(word), "" if sub is None else _word(sub)
        known, status = find(f"{first}/{second}") if second else (False, None)
        if not known:
            known, status = find(first)
        if not known:
            raise CodecError("code not in the table")
        return status, first, second

    def write(status: Any) -> tuple[Any, str]:
        code = words.get(status)
        if code is None:
            raise CodecError("no code for this value in the table")
        first, _, second = code.partition("/") if split else (code, "", "")
        return (int(first) if spec.numbers else first), second

    return read, write


def _known(value: Any) -> bool:
    return value is None or value in list(DossierStatus)


def _word(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise CodecError("a code is text or a number")
