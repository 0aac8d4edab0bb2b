"""Does every timer count? A rule that names nothing, holds for nothing or is never asked is a problem each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from gateway.config import HOURS, PortalConfig, RouteConfig, TimerRules, TimersConfig
from gateway.config_file.lines import Document
from gateway.config_file.problem import Place, Problem
from gateway.config_file.routes import may_both_hold
from gateway.language import t

Rules = Sequence[tuple[Place, TimersConfig]]


def check_timers(
    document: Document, portals: Mapping[str, PortalConfig], routes: Mapping[int, RouteConfig]
) -> Iterator[Problem]:
    """The timers of partners, then those of routes."""
    led_to = {route.to for route in routes.values() if route.kind == "forward"}
    for name, portal in portals.items():
        at: Place = ("portals", name, "timers")
        yield from _rules(document, rules_at(at, portal.timers))
        if "timers" in portal.model_fields_set and name not in led_to:
            yield document.problem(
                at,
                t("no route of kind forward leads here", "không có tuyến forward nào dẫn tới đây"),
                t("add one, or remove timers", "hãy thêm tuyến, hoặc bỏ timers"),
            )
    for number, route in routes.items():
        rules = rules_at(("routes", number, "timers"), route.timers)
        yield from _rules(document, rules)
        for place, rule in rules:
            if not may_both_hold(rule.procedures, route.when.procedures):
                wanted = ", ".join(route.when.procedures)
                yield document.problem(
                    (*place, "procedures"),
                    t(f"the route is for {wanted} only", f"tuyến này chỉ dành cho {wanted}"),
                    t("write some of these, or remove the rule", "hãy viết trong số đó, hoặc bỏ quy tắc này"),
                )


def rules_at(at: Place, rules: TimerRules) -> Rules:
    """Each rule with its place: one alone stands at `at` itself."""
    if isinstance(rules, TimersConfig):
        return [(at, rules)]
    return [((*at, number), rule) for number, rule in enumerate(rules)]


def _rules(document: Document, rules: Rules) -> Iterator[Problem]:
    for number, (place, rule) in enumerate(rules):
        if not rule.named:
            yield document.problem(
                place,
                t("names no fact", "không nêu mốc nào"),
                t(f"write one of {', '.join(sorted(HOURS))}", f"hãy viết một trong {', '.join(sorted(HOURS))}"),
            )
        for name in rule.named:
            before = next((one for one in rules[:number] if name in one[1].named and _covers(one[1], rule)), None)
            if before is not None:
                line = document.line(before[0])
                yield document.problem(
                    (*place, name),
                    t(
                        f"never counts: the rule at line {line} is asked first and holds for all of these procedures",
                        f"không bao giờ được dùng: quy tắc ở dòng {line} đứng trước và áp dụng cho mọi thủ tục này",
                    ),
                    t("move it above that rule, or remove it", "hãy đưa lên trước quy tắc đó, hoặc bỏ"),
                )


def _covers(first: TimersConfig, second: TimersConfig) -> bool:
    """Whether the first holds wherever the second does; `*` is the only sign that stands for others in both."""
    if not first.procedures:
        return True
    if not second.procedures:
        return "*" in first.procedures
    return all(any(_wider(wide, narrow) for wide in first.procedures) for narrow in second.procedures)


def _wider(wide: str, narrow: str) -> bool:
    return wide == narrow or (not set("?[") & set(wide) and fnmatchcase(narrow, wide))
