"""`lienthong route explain`: who must hear of a dossier, and why."""

from __future__ import annotations

import typer

from gateway.cli.dossier import Code, one_dossier
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, opened
from gateway.cli.printing import as_json, table

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.callback()
def routes() -> None:
    """Hold the verbs of `route`."""


@app.command(help=t("Say for each route whether it holds, and why.", "Cho biết từng tuyến có áp dụng không, vì sao."))
def explain(code: Code, config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Each route with the first condition that does not hold."""
    with opened(config, calls=False) as gateway:
        found = gateway.engine.explain(one_dossier(gateway, code))
    if json:
        as_json({"routes": found})
    else:
        table(("route", "portal", "holds", "why"), [(one.route, one.portal, one.holds, one.why) for one in found])
