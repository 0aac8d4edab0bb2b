"""Can the words of the rules ever hold? One that no portal of this file says is a misspelling: its rule would sleep."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from gateway.config import Act, GroupConfig, OwnershipConfig, PortalConfig, RouteConfig
from gateway.config_file.lines import Document
from gateway.config_file.portals import settled_mapping
from gateway.config_file.problem import Place, Problem
from gateway.config_file.vocabulary import words_of
from gateway.language import t
from schemas.errors import ConfigError
from schemas.status import DossierStatus

_STATUSES = frozenset(status.value for status in DossierStatus)
_NEAR = 3

Words = Iterator[tuple[Place, str]]


def check_words(
    document: Document,
    folder: Path,
    portals: Mapping[str, PortalConfig],
    ownership: OwnershipConfig | None,
    routes: Mapping[int, RouteConfig],
    groups: Mapping[str, GroupConfig],
) -> Iterator[Problem]:
    """Words in conditions and acts, against the tables of all mappings that the file names."""
    for number, route in routes.items():
        yield from _patterns(document, number, route)
        if ownership is not None and route.kind == "forward" and route.to in ownership.handlers:
            yield document.problem(
                ("routes", number, "to"),
                t(f"'{route.to}' handles dossiers itself", f"chính '{route.to}' xử lý hồ sơ"),
                t("forward to another portal, or mirror", "hãy chuyển tới cổng khác, hoặc dùng mirror"),
            )
    try:
        said = {word for one in portals.values() for word in words_of(settled_mapping(one, folder))}
    except ConfigError:
        return  # told at the portal
    known = said | _STATUSES | {word for one in portals.values() for word in _inside(one.options)}
    for place, word in _said(ownership, routes, groups):
        if not any(fnmatchcase(one, word) for one in known):
            near = difflib.get_close_matches(word, sorted(known), _NEAR)
            yield document.problem(
                place,
                t(f"no portal of this file says '{word}'", f"không cổng nào trong tệp này dùng '{word}'"),
                t(f"write one of {', '.join(near)}", f"hãy viết một trong {', '.join(near)}")
                if near
                else t("write a status, or a word of a mapping", "hãy viết trạng thái, hoặc một từ trong ánh xạ"),
            )


def _said(
    ownership: OwnershipConfig | None, routes: Mapping[int, RouteConfig], groups: Mapping[str, GroupConfig]
) -> Words:
    for number, route in routes.items():
        at: Place = ("routes", number)
        yield from _each((*at, "when", "wires"), route.when.wires)
        yield from _each((*at, "cancel"), route.cancel)
        yield from _each((*at, "accepted_by"), route.accepted_by)
        for status, act in route.results.items():
            yield from _act((*at, "results", status.value), act)
    for portal, asked in (ownership.requests if ownership is not None else {}).items():
        for status, act in asked.items():
            yield from _act(("ownership", "requests", portal, status.value), act)
    for name, group in groups.items():
        yield from _act(("groups", name, "when_all"), group.when_all)
        if group.when_any_refused is not None:
            yield from _act(("groups", name, "when_any_refused"), group.when_any_refused)


def _inside(value: Any) -> Iterator[str]:
    """Every text in a portal's options: some kinds take the words of a portal there."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _inside(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _inside(inner)
    else:
        yield str(value)


def _act(at: Place, act: Act) -> Words:
    yield from _each((*at, "from"), act.from_)
    yield from _each((*at, "wires"), act.wires)


def _each(at: Place, words: Iterable[str]) -> Words:
    for number, word in enumerate(words):
        yield (*at, number), word


def _patterns(document: Document, number: int, route: RouteConfig) -> Iterator[Problem]:
    """Only `*` stands for anything; other signs of file names would hold for more than the checks here can compare."""
    for name in ("procedures", "agencies", "sectors", "wires"):
        for place, pattern in _each(("routes", number, "when", name), getattr(route.when, name)):
            if set(pattern) & set("?[]"):
                yield document.problem(
                    place,
                    t("holds one of ? [ ]", "có ký tự ? [ hoặc ]"),
                    t("write * for anything, or each value", "hãy viết * thay cho bất kỳ, hoặc ghi từng giá trị"),
                )
