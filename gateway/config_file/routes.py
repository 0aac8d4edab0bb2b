"""Do ownership, routes, store and notices fit the portals? One problem per finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import combinations

from gateway.config import NotifyConfig, OwnershipConfig, PortalConfig, RouteConfig, StoreConfig, When
from gateway.config_file.lines import Document
from gateway.config_file.problem import Place, Problem
from gateway.language import t

Portals = Mapping[str, PortalConfig]


def check_names(
    document: Document, names: Sequence[str], ownership: OwnershipConfig | None, routes: Mapping[int, RouteConfig]
) -> Iterator[Problem]:
    """Every portal that is named must have an entry; every route a name of its own."""
    wanted: list[tuple[Place, str]] = [(("routes", number, "to"), route.to) for number, route in routes.items()]
    if ownership is not None:
        wanted += [(("ownership", "handlers", n), name) for n, name in enumerate(ownership.handlers)]
        wanted += [(("ownership", "requests", name), name) for name in ownership.requests]
    known = ", ".join(sorted(names))
    for place, name in wanted:
        if name and name not in names:
            yield document.problem(
                place,
                t(f"there is no portal '{name}'", f"không có cổng '{name}'"),
                t(f"write one of {known}", f"hãy viết một trong {known}"),
            )
    seen: dict[str, int] = {}
    for number, route in routes.items():
        if route.name and route.name in seen:
            first = document.line(("routes", seen[route.name]))
            yield document.problem(
                ("routes", number, "name"),
                t(f"'{route.name}' is already the route at line {first}", f"'{route.name}' đã dùng ở dòng {first}"),
                t("give it a name of its own", "hãy đặt tên khác"),
            )
        seen.setdefault(route.name, number)


def check_ownership(document: Document, ownership: OwnershipConfig, portals: Portals) -> Iterator[Problem]:
    """A handler is read and written; a portal that asks for something does not handle."""
    for number, name in enumerate(ownership.handlers):
        place: Place = ("ownership", "handlers", number)
        if name in ownership.handlers[:number]:
            wrong = t(f"'{name}' stands here twice", f"'{name}' xuất hiện hai lần")
            yield document.problem(place, wrong, t("keep it once", "hãy giữ một lần"))
        if name in portals and portals[name].direction == "push":
            yield document.problem(
                place,
                t(
                    f"'{name}' is only written (direction: push), so its acts would never be heard",
                    f"'{name}' chỉ được gửi tới (direction: push), nên không bao giờ biết cổng này làm gì",
                ),
                t("write direction: both at the portal", "hãy viết direction: both ở cổng đó"),
            )
    for name in ownership.requests:
        if name in ownership.handlers:
            yield document.problem(
                ("ownership", "requests", name),
                t(f"'{name}' handles dossiers itself", f"chính '{name}' xử lý hồ sơ"),
                t("remove it here, or from handlers", "hãy bỏ ở đây, hoặc bỏ khỏi handlers"),
            )


def check_routes(document: Document, routes: Mapping[int, RouteConfig], portals: Portals) -> Iterator[Problem]:
    """Each route alone, then every two routes to one portal."""
    for number, route in routes.items():
        yield from _route(document, number, route, portals)
    for (one, first), (two, second) in combinations(routes.items(), 2):
        if first.to and first.to == second.to and _may_meet(first.when, second.when) and not _same_deeds(first, second):
            line = document.line(("routes", one))
            yield document.problem(
                ("routes", two),
                t(
                    f"'{second.name}' and '{first.name}' (line {line}) both lead to '{first.to}', can hold for one "
                    "dossier and say different things (kind, rows, results, group, cancel, accepted_by or timers)",
                    f"'{second.name}' và '{first.name}' (dòng {line}) cùng dẫn tới '{first.to}', có thể cùng đúng với "
                    "một hồ sơ nhưng nội dung khác nhau (kind, rows, results, group, cancel, accepted_by hoặc timers)",
                ),
                t(
                    "make their conditions exclude each other, or merge them",
                    "hãy làm điều kiện loại trừ nhau, hoặc gộp",
                ),
            )


def _route(document: Document, number: int, route: RouteConfig, portals: Portals) -> Iterator[Problem]:
    at: Place = ("routes", number)
    portal = portals.get(route.to)
    if portal is not None and portal.direction == "pull":
        yield document.problem(
            (*at, "to"),
            t(f"'{route.to}' is only read (direction: pull)", f"'{route.to}' chỉ được đọc (direction: pull)"),
            t("write direction: both there, or remove the route", "hãy viết direction: both ở đó, hoặc bỏ tuyến này"),
        )
    if route.kind == "mirror" and route.results:
        yield document.problem(
            (*at, "results"),
            t(
                "a mirror hands no stage over, so it has no results",
                "tuyến mirror không chuyển giai đoạn, không có results",
            ),
            t("write kind: forward, or remove results", "hãy viết kind: forward, hoặc bỏ results"),
        )
    yield from _days(document, at, route.when)


def _days(document: Document, at: Place, when: When) -> Iterator[Problem]:
    days: list[date] = []
    for name, text in (("from_on", when.from_on), ("to_on", when.to_on)):
        if not text:
            continue
        try:
            days.append(date.fromisoformat(text))
            if days[-1].isoformat() != text:  # days are compared as text
                raise ValueError
        except ValueError:
            yield document.problem(
                (*at, "when", name),
                t(f"'{text[:20]}' is not a day", f"'{text[:20]}' không phải là ngày"),
                t("write it as 2026-07-01", "hãy viết dạng 2026-07-01"),
            )
    if when.from_on and when.to_on and len(days) == 2 and days[0] > days[1]:
        yield document.problem(
            (*at, "when", "to_on"),
            t(f"{days[1]} lies before from_on {days[0]}", f"{days[1]} trước from_on {days[0]}"),
            t("exchange the two", "hãy đổi chỗ hai ngày"),
        )


def _same_deeds(first: RouteConfig, second: RouteConfig) -> bool:
    return _deeds(first) == _deeds(second)


def _deeds(route: RouteConfig) -> tuple[object, ...]:
    listed = set(route.rows), set(route.cancel), set(route.accepted_by)
    return route.kind, route.results, route.group, route.timers, *listed


def _may_meet(first: When, second: When) -> bool:
    """Whether one dossier can fulfil both at one moment."""
    patterns = (
        (first.procedures, second.procedures),
        (first.agencies, second.agencies),
        (first.sectors, second.sectors),
        (first.statuses, second.statuses),
        (first.wires, second.wires),
    )
    if not all(may_both_hold(one, two) for one, two in patterns):
        return False
    early, late = sorted((first, second), key=lambda when: when.from_on)
    return not (early.to_on and late.from_on and early.to_on < late.from_on)


def may_both_hold(one: Sequence[str], two: Sequence[str]) -> bool:
    """Whether some text fits a pattern of each list; an empty list wants nothing."""
    return not one or not two or any(_both(a, b) for a in one for b in two)


@cache
def _both(one: str, two: str) -> bool:
    """Whether some text matches two patterns in which `*` stands for anything."""
    if not one or not two:
        return set(one + two) <= {"*"}
    if one[0] == "*":
        return _both(one[1:], two) or _both(one, two[1:])
    if two[0] == "*":
        return _both(one, two[1:]) or _both(one[1:], two)
    return one[0] == two[0] and _both(one[1:], two[1:])


def check_store(document: Document, store: StoreConfig) -> Iterator[Problem]:
    """Each ring of keys is a file of its own."""
    for name, file in (("key_ring", store.key_ring), ("signing_keys", store.signing_keys)):
        if file == store.path or (name == "signing_keys" and file == store.key_ring):
            yield document.problem(
                ("store", name),
                t("is the same file as the store or the key ring", "trùng với tệp lưu trữ hoặc tệp khoá"),
                t("write another file, best on another disk", "hãy ghi tệp khác, tốt nhất trên ổ đĩa khác"),
            )


def check_notify(document: Document, notify: NotifyConfig) -> Iterator[Problem]:
    """Mail needs a sender."""
    if notify.mail_to and not notify.mail_from:
        yield document.problem(
            ("notify", "mail_from"),
            t("is missing, but mail_to is given", "còn thiếu, trong khi có mail_to"),
            t("write the sender's address", "hãy ghi địa chỉ người gửi"),
        )
