"""Reads and checks a mapping file; every problem is reported at once, with its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mappings.compiler import compile_message
from mappings.language import FileSpec
from mappings.message import Message
from mappings.problems import Problems, Where
from schemas.canonical import digest
from schemas.errors import ConfigError

Lines = dict[Where, tuple[str, int]]
"""Place in a mapping -> file name and line, counted from 1."""


@dataclass(frozen=True)
class Mapping:
    """One portal's vocabulary. `release` is a digest of all that was read, so a changed file has another."""

    kind: str
    profile: str
    release: str
    source: str
    released: str
    messages: dict[str, Message]


def load(path_or_name: str) -> Mapping:
    """Load a packaged mapping by name (`npsp/v2-2024`) or any file that ends in `.yaml`.

    Raises:
        ConfigError: Lists every problem with file and line.
    """
    plain, lines = _read(path_or_name, ())
    problems = Problems()
    spec = problems.checked(FileSpec, plain, ())
    given = spec.messages if spec is not None else plain.get("messages")
    made = {
        name: compile_message(name, message, problems)
        for name, message in (given.items() if isinstance(given, dict) else ())
    }
    if problems.found or spec is None:
        raise ConfigError([*_told(problems, lines)])
    messages = {name: message for name, message in made.items() if message is not None}
    return Mapping(spec.kind, spec.profile, digest(plain)[:16], spec.source, str(spec.released), messages)


def table_words(path_or_name: str) -> frozenset[str] | None:
    """Every word that stands in a table of a mapping, on either side: a portal's statuses are among them.

    None where the portal may say others as well: sub-statuses are free configuration (`sub`).

    Raises:
        ConfigError: The file cannot be read.
    """
    plain = _read(path_or_name, ())[0]
    return None if _says_more(plain) else frozenset(_in_tables(plain, inside=False))


def _says_more(value: Any) -> bool:
    if isinstance(value, dict):
        return {"wire", "sub"} <= value.keys() or any(_says_more(inner) for inner in value.values())
    return isinstance(value, list) and any(_says_more(inner) for inner in value)


def _in_tables(value: Any, *, inside: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if inside:
                yield str(name)
            yield from _in_tables(inner, inside=inside or name == "table")
    elif isinstance(value, list):
        for inner in value:
            yield from _in_tables(inner, inside=inside)
    elif inside:
        yield str(value)


def packaged() -> tuple[str, ...]:
    """Names of all packaged mappings, sorted."""
    kinds = (entry for entry in resources.files("mappings").iterdir() if entry.is_dir())
    return tuple(
        sorted(
            f"{kind.name}/{file.name.removesuffix('.yaml')}"
            for kind in kinds
            for file in kind.iterdir()
            if file.name.endswith(".yaml")
        )
    )


def _told(problems: Problems, lines: Lines) -> Iterator[str]:
    for where, text in sorted(problems.found, key=lambda item: _line(item[0], lines)):
        file, line = _line(where, lines)
        yield f"{file}:{line}: {'.'.join(map(str, where))}: {text}"


def _line(where: Where, lines: Lines) -> tuple[str, int]:
    while where not in lines and where:
        where = where[:-1]
    return lines[where]


def _text(path_or_name: str) -> tuple[str, str]:
    """File name to show, and its text."""
    try:
        if path_or_name.endswith((".yaml", ".yml")):
            path = Path(path_or_name)
            return path.name, path.read_text(encoding="utf-8")
        entry = resources.files("mappings").joinpath(f"{path_or_name}.yaml")
        return f"{path_or_name}.yaml", entry.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path_or_name}: cannot be read ({type(error).__name__}); known: {', '.join(packaged())}"
        ) from None


def _read(path_or_name: str, chain: tuple[str, ...]) -> tuple[dict[str, Any], Lines]:
    """The file as plain data with what it extends, and where each part of it stands."""
    if path_or_name in chain:
        raise ConfigError(f"{path_or_name}: extends itself")
    file, text = _text(path_or_name)
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor = _Constructor
    try:
        tree = yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{file}:{line}: {error.problem or error.context}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file}:1: not YAML that can be read ({type(error).__name__})") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{file}:1: a mapping file is a set of keys")
    lines: Lines = {(): (file, 1)}
    plain = _plain(tree, (), file, lines)
    base = plain.get("extends")
    if not isinstance(base, str) or not base:
        return plain, lines
    under, under_lines = _read(base, (*chain, path_or_name))
    return _laid_over(under, plain), under_lines | lines


class _Constructor(RoundTripConstructor):
    """Leaves dates the text they are, so that one of no calendar is a field's problem and not the file's."""

    def construct_yaml_timestamp(self, node: Any, values: Any = None) -> Any:
        del values
        return node.value


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_yaml_timestamp)


def _plain(node: Any, where: Where, file: str, lines: Lines) -> Any:
    if isinstance(node, CommentedMap):
        for key in node:
            lines[(*where, key)] = (file, _line_in(node, key) or lines[where][1])
        return {key: _plain(value, (*where, key), file, lines) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            lines[(*where, index)] = (file, _line_in(node, index) or lines[where][1])
        return [_plain(value, (*where, index), file, lines) for index, value in enumerate(node)]
    return node if node is None or type(node) in (bool, str, int, float) else _scalar(node)


def _line_in(node: Any, key: Any) -> int:
    """The line of a key or item, of a merged key (`<<`) where it is merged from; 0 where nothing tells."""
    places = node.lc.data or {}
    if key in places:
        return int(places[key][0]) + 1
    sources = getattr(node, "merge", None) or ()
    return next((_line_in(source, key) for source in sources if key in source), 0)


def _scalar(node: Any) -> Any:
    """ruamel's own scalars as Python's; dates stay the text they were."""
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return str(node)


def _laid_over(under: Any, over: Any) -> Any:
    """`over` on top of `under`: objects down to single fields are merged, null removes, everything else replaces."""

    def lay(below: dict[str, Any], above: dict[str, Any], depth: int) -> dict[str, Any]:
        result = dict(below)
        for key, value in above.items():
            if value is None and depth:
                result.pop(key, None)
            elif isinstance(value, dict) and isinstance(below.get(key), dict) and depth < _FIELD_DEPTH:
                result[key] = lay(below[key], value, depth + 1)
            else:
                result[key] = value
        return result

    return lay(under, over, 0)


_FIELD_DEPTH = 3
"""messages, a message, its fields: below that a field is replaced whole."""
