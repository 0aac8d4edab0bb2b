"""Checks a code table when it is loaded: total over what it must write, and one code for each meaning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from mappings.language import FieldSpec
from mappings.problems import Problems, Where
from mappings.tables import ANY_CODE, CodeTable
from mappings.vocabulary import Kind

_PYTHON = {"text": str, "truth": bool, "number": int}


def checked_table(
    spec: FieldSpec, argument: Any, kind: Kind, where: Where, problems: Problems, *, writes: bool
) -> CodeTable | None:
    """The table, or None when its codes are no table; every problem is noted."""
    if not isinstance(argument, dict) or not argument or not all(type(code) is str for code in argument):
        problems.add(where, "a table needs codes in quotes, each with its canonical value")
        return None
    before = len(problems.found)
    codes = {code: _canonical(value, kind, (*where, code), problems) for code, value in argument.items()}
    prefer = {_named(value, kind): code for value, code in spec.prefer.items()}
    if ANY_CODE in codes and kind.gives == "DossierStatus":
        problems.add((*where, ANY_CODE), "an unknown status code is never guessed: name each code")
    if spec.beyond == "absent" and kind.gives == "DossierStatus":
        problems.add((*where[:-2], "beyond"), "a status is never left out")
    if spec.numbers and not all(code.removeprefix("-").isdigit() for code in codes if code != ANY_CODE):
        problems.add(where, "a table of numbers has a code that is none")
    if writes:
        _check_writing(spec, codes, kind, where, problems)
    if len(problems.found) > before:
        return None
    return CodeTable(
        codes,
        prefer,
        fold=spec.fold,
        numbers=spec.numbers,
        beyond=spec.beyond == "absent",
        split=spec.sub is not None,
    )


def _named(value: Any, kind: Kind) -> Any:
    return kind.enum(value) if kind.enum is not None and value in list(kind.enum) else value


def _canonical(value: Any, kind: Kind, where: Where, problems: Problems) -> Any:
    if value is None:
        return None
    if kind.enum is not None and value not in list(kind.enum):
        problems.add(where, f"{value!r} is no {kind.gives}; one of {', '.join(kind.enum)}")
    elif kind.gives in _PYTHON and type(value) is not _PYTHON[kind.gives]:
        problems.add(where, f"the canonical value must be {kind.gives}")
    return _named(value, kind)


def _words(codes: Mapping[str, Any]) -> dict[Any, list[str]]:
    """Each value with every code that gives it."""
    words: dict[Any, list[str]] = defaultdict(list)
    for code, value in codes.items():
        if value is not None and code != ANY_CODE:
            words[value].append(code)
    return words


def _check_writing(spec: FieldSpec, codes: Mapping[str, Any], kind: Kind, where: Where, problems: Problems) -> None:
    words = _words(codes)
    for value, several in words.items():
        if len(several) > 1 and value not in spec.prefer:
            problems.add(where, f"{value} has codes {', '.join(several)}: say which to write with prefer")
    for value, code in spec.prefer.items():
        if code not in words.get(value, ()):
            problems.add((*where[:-2], "prefer", value), f"code {code!r} does not give {value}")
    owed = spec.covers if spec.covers is not None else tuple(kind.enum or ())
    for index, value in enumerate(spec.covers or ()):
        if kind.enum is not None and value not in list(kind.enum):
            problems.add((*where[:-2], "covers", index), f"{value!r} is no {kind.gives}")
    if lacking := [str(value) for value in owed if value not in words]:
        problems.add(where, f"no code for {', '.join(lacking)}: add them, or say what the table covers")
    if spec.beyond == "absent" and spec.covers is None:
        problems.add(where, "beyond: absent needs covers, so that it says what is written")
