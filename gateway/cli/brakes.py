"""`lienthong pause` and `lienthong resume`: the brakes."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, Actor, AsJson, ConfigPath, opened, this_person
from gateway.cli.printing import as_json

Which = Annotated[
    str,
    typer.Argument(
        metavar="PORTAL|ROUTE|all",
        help=t("A portal, a route, or all.", "Một cổng, một tuyến, hoặc all."),
        show_default=False,
    ),
]


def pause(
    which: Which,
    reason: Annotated[str, typer.Option("--reason", help=t("Why, for the log and for status.", "Lý do."))],
    config: ConfigPath = DEFAULT_CONFIG,
    actor: Actor = "",
    json: AsJson = False,
) -> None:
    """Nothing more is sent there until `resume`; reading goes on."""
    with opened(config, calls=False) as gateway:
        gateway.operator.pause("*" if which == "all" else which, actor or this_person(), reason)
    _said(which, json, "paused", t("paused", "đã tạm dừng"))


def resume(which: Which, config: ConfigPath = DEFAULT_CONFIG, actor: Actor = "", json: AsJson = False) -> None:
    """Send again; after a stop-and-ask this is the answer yes."""
    with opened(config, calls=False) as gateway:
        gateway.operator.resume("*" if which == "all" else which, actor or this_person())
    _said(which, json, "resumed", t("resumed", "đã cho chạy lại"))


def _said(which: str, json: bool, state: str, word: str) -> None:
    if json:
        as_json({"target": which, "state": state})
    else:
        typer.echo(f"{which}: {word}")
