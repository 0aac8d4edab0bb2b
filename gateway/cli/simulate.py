"""`lienthong simulate`: simulators of the portals of a configuration, on this machine, for rehearsals."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from adapters import registry
from adapters.simulation.server import SimulatorServer
from gateway.cli.inbox import rehearse
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, NotThereError, chosen
from gateway.cli.printing import as_json, table
from gateway.config import Config, PortalConfig
from gateway.config_file import inspect
from gateway.config_file.portals import SECRET, is_loopback, texts
from schemas.errors import ConfigError

SIMULATED = "simulated-password"
"""What stands for every secret that is not set: it opens nothing but these simulators."""

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[PORTAL]...", help=t("All by default.", "Mặc định: tất cả."))
]


def simulate(
    names: Names = None,
    for_s: Annotated[float, typer.Option("--for", min=0.1, help=t("Seconds to run.", "Số giây chạy."))] = 3600.0,
    dossiers: Annotated[
        int,
        typer.Option(
            "--dossiers",
            min=0,
            max=20_000,
            help=t(
                "Synthetic dossiers at each portal that handles them, of the last 30 days.",
                "Số hồ sơ giả lập có sẵn tại mỗi cổng giải quyết hồ sơ, trong 30 ngày qua.",
            ),
        ),
    ] = 0,
    inbox: Annotated[
        bool,
        typer.Option(
            "--inbox",
            help=t(
                "Instead: the inbox of one ministry with synthetic dossiers; needs no configuration.",
                "Thay vào đó: hộp thư của một bộ với hồ sơ giả lập; không cần cấu hình.",
            ),
        ),
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help=t("Port of --inbox.", "Cổng mạng của --inbox."))
    ] = 18090,
    notices: Annotated[
        str,
        typer.Option(
            "--notices",
            help=t("With --inbox: send notices to this address here.", "Cùng --inbox: gửi thông báo tới địa chỉ này."),
        ),
    ] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Serves at the ports of the configuration until `--for` has passed, SIGTERM or SIGINT."""
    if inbox:
        rehearse(dossiers or 20, for_s, port, notices, json=json)
        return
    checked, unset = _rehearsal(config)
    wanted = chosen(checked, list(names or ()))
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with ExitStack() as running:
        servers = {
            name: running.enter_context(_server(name, checked.portals[name], switches_of(checked, name)))
            for name in wanted
        }
        for name in checked.ownership.handlers:
            if dossiers and name in servers:
                servers[name].simulator.act("seed_many", {"count": dossiers})
        _print(servers, unset, json=json)
        stopping.wait(for_s)


def _rehearsal(path: Path) -> tuple[Config, list[str]]:
    """The configuration with a stand-in for every secret that is not set, and their names."""
    found = inspect(path)
    unset = sorted(
        {name for _, text in texts(found.document.plain, ()) for name in SECRET.findall(text)} - set(os.environ)
    )
    found = inspect(path, {**dict.fromkeys(unset, SIMULATED), **os.environ})
    if found.config is None:
        raise ConfigError([str(problem) for problem in found.problems])
    return found.config, unset


def _server(name: str, portal: PortalConfig, switches: dict[str, Any]) -> SimulatorServer:
    address = urlsplit(str(portal.options.get("base_url", "")))
    if not is_loopback(address.hostname or "") or not address.port:
        raise NotThereError(
            t(
                f"{name}: base_url is not http://127.0.0.1:PORT, so nothing can stand there",
                f"{name}: base_url không phải http://127.0.0.1:CỔNG nên không thể mô phỏng",
            )
        )
    try:
        return SimulatorServer(registry.simulator(portal.kind, switches), address.port)
    except OSError as error:
        raise NotThereError(f"{name}: {address.hostname}:{address.port}: {error.strerror}") from None


def switches_of(config: Config, name: str) -> dict[str, Any]:
    """What the simulator must share with the entry: account, codes and names that both settings know."""
    portal = config.portals[name]
    settings = registry.simulator_settings(portal.kind)
    known = settings.model_fields
    options = registry.options_model(portal.kind).model_validate(portal.options).model_dump(mode="json")
    shared: dict[str, Any] = {
        key: _resolved(value) for key, value in options.items() if key in known and isinstance(value, str) and value
    }
    if "accounts" in known and options.get("username"):
        shared["accounts"] = {options["username"]: {"password": _resolved(options.get("password") or SIMULATED)}}
    if "group_id" in known and "group_id" in options:
        shared["group_id"] = options["group_id"]
    if "agencies" in known and name in config.ownership.handlers:
        shared |= _of_its_own(settings().model_dump(mode="json"), config.ownership.handlers.index(name))
    return shared


def _of_its_own(usual: Mapping[str, Any], place: int) -> dict[str, Any]:
    """Codes and references of a province: two simulated ones must not give the same number to two dossiers."""
    code = f"H{99 - place}"
    agencies = [{**one, "code": one["code"].replace(usual["province"], code, 1)} for one in usual["agencies"]]
    return {"seed": place, "province": code, "agencies": agencies}


def _resolved(text: str) -> str:
    found = SECRET.fullmatch(text)
    return os.environ.get(found[1], SIMULATED) if found else text


def _print(servers: Mapping[str, SimulatorServer], unset: list[str], *, json: bool) -> None:
    portals = [(name, one.simulator.kind, one.url, one.control_url) for name, one in servers.items()]
    if json:
        keys = ("portal", "kind", "url", "control_url")
        as_json({"portals": [dict(zip(keys, portal, strict=True)) for portal in portals], "unset": unset})
    else:
        table(("portal", t("kind", "loại"), "url", t("officers, book", "cán bộ, sổ")), portals)
        for name in unset:
            typer.echo(f"export {name}={SIMULATED}")
