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

Words = Iterator[tuple[Place, str, tuple[str, ...]]]
"""Where a word stands, the word, and the portals that would have to say it; none named: the handlers."""


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
    handlers = ownership.handlers if ownership is not None else ()
    known = {name: _known(portal, folder) for name, portal in portals.items()}
    for place, word, speakers in _said(ownership, routes, groups):
        spoken = [known.get(name) for name in speakers or handlers]
        said = {one for words in spoken if words is not None for one in words} | _STATUSES
        if None in spoken or any(fnmatchcase(one, word) for one in said):
            continue
        near = difflib.get_close_matches(word, sorted(said), _NEAR)
        who = ", ".join(speakers or handlers)
        yield document.problem(
            place,
            t(f"{who} never says '{word}'", f"{who} không bao giờ dùng '{word}'"),
            t(f"write one of {', '.join(near)}", f"hãy viết một trong {', '.join(near)}")
            if near
            else t(
                "write a status, or a word of its mapping", "hãy viết trạng thái, hoặc một từ trong ánh xạ của cổng"
            ),
        )


def _known(portal: PortalConfig, folder: Path) -> frozenset[str] | None:
    """What a portal may say; None where that cannot be known, or its mapping not be read (told at the portal)."""
    try:
        words = words_of(settled_mapping(portal, folder))
    except ConfigError:
        return None
    return None if words is None else words | set(_inside(portal.options))


def _said(
    ownership: OwnershipConfig | None, routes: Mapping[int, RouteConfig], groups: Mapping[str, GroupConfig]
) -> Words:
    for number, route in routes.items():
        at: Place = ("routes", number)
        yield from _each((*at, "when", "wires"), route.when.wires)
        yield from _each((*at, "cancel"), route.cancel)
        yield from _each((*at, "accepted_by"), route.accepted_by, route.to)
        for status, act in route.results.items():
            yield from _act((*at, "results", status.value), act, route.to)
    for portal, asked in (ownership.requests if ownership is not None else {}).items():
        for status, act in asked.items():
            yield from _act(("ownership", "requests", portal, status.value), act, portal)
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


def _act(at: Place, act: Act, *asks: str) -> Words:
    """`from` is of the handlers, `wires` of the portals that ask for the act."""
    yield from _each((*at, "from"), act.from_)
    yield from _each((*at, "wires"), act.wires, *asks)


def _each(at: Place, words: Iterable[str], *speakers: str) -> Words:
    for number, word in enumerate(words):
        yield (*at, number), word, speakers


def _patterns(document: Document, number: int, route: RouteConfig) -> Iterator[Problem]:
    """Only `*` stands for anything; other signs of file names would hold for more than the checks here can compare."""
    for name in ("procedures", "agencies", "sectors", "wires"):
        for place, pattern, _ in _each(("routes", number, "when", name), getattr(route.when, name)):
            if set(pattern) & set("?[]"):
                yield document.problem(
                    place,
                    t("holds one of ? [ ]", "có ký tự ? [ hoặc ]"),
                    t("write * for anything, or each value", "hãy viết * thay cho bất kỳ, hoặc ghi từng giá trị"),
                )
