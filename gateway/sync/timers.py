"""By when must each fact of a hand-over be known? By partner, procedure and route; all of it is data."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from gateway.config import WITHIN_H, Config, RouteConfig, TimerRules, TimersConfig
from gateway.sync.stages import Fact, Timer, Timers


def timers(config: Config, portal: str, procedure: str, route: RouteConfig | None) -> Timers:
    """The timers of a hand-over of one procedure to one partner, fact by fact.

    What the route names wins over what the partner's entry names, and that over the default; within either the first
    rule that holds for the procedure. `null` is an answer: no timer. `route` is None for a stage whose route is gone.

    Nothing of this is stored: a changed rule holds at once for what is open.
    """
    found: dict[Fact, Timer | None] = {}
    for because, rule in _rules(config, portal, route):
        if rule.procedures and not any(fnmatchcase(procedure, pattern) for pattern in rule.procedures):
            continue
        for name, within_h in rule.named.items():
            fact = Fact(name.removesuffix("_within_h"))
            found.setdefault(fact, None if within_h is None else Timer(within_h, because))
    return {fact: timer for fact in Fact if (timer := found.get(fact)) is not None}


def shortest_h(config: Config) -> float | None:
    """The shortest time of any rule: what has been quiet for less is not late. None where no timer runs at all."""
    rules = [WITHIN_H]
    for listed in (*(portal.timers for portal in config.portals.values()), *(route.timers for route in config.routes)):
        rules += [rule for _, rule in _listed("", listed)]
    return min((hours for rule in rules for hours in rule.named.values() if hours is not None), default=None)


def _rules(config: Config, portal: str, route: RouteConfig | None) -> Iterator[tuple[str, TimersConfig]]:
    """Every rule with its key, in the order in which they are asked."""
    if route is not None:
        yield from _listed(f"routes[{config.routes.index(route)}].timers", route.timers)
    entry = config.portals.get(portal)
    if entry is not None:
        yield from _listed(f"portals.{portal}.timers", entry.timers)
    yield "", WITHIN_H


def _listed(key: str, rules: TimerRules) -> list[tuple[str, TimersConfig]]:
    """One rule has the key itself, each of a list its place there."""
    if isinstance(rules, TimersConfig):
        return [(key, rules)]
    return [(f"{key}[{number}]", rule) for number, rule in enumerate(rules)]
