"""The paths under /_sim/: officers' work, screens and the fault plan; never struck by a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from adapters.simulation.simulator import Reply
from adapters.simulation.wire import Received

if TYPE_CHECKING:
    from adapters.simulation.server import SimulatorServer


def answer(server: SimulatorServer, received: Received) -> Reply:
    """Answer one control call: 404 for an unknown screen or verb, 400 for arguments that cannot be used."""
    name = received.path.removeprefix("/_sim/")
    try:
        value = _read(server, name, received) if received.method in ("GET", "HEAD") else _write(server, name, received)
    except LookupError as error:
        return Reply.json({"error": f"unknown: {error}"}, 404)
    except (ValueError, TypeError) as error:
        return Reply.json({"error": str(error)}, 400)
    return Reply.json(value)


def _read(server: SimulatorServer, name: str, received: Received) -> Any:
    if name == "faults":
        return server.faults.report() | {"down": server.is_down}
    if (screen := server.simulator.screen(name, received.query)) is None:
        raise LookupError(name)
    return screen


def _write(server: SimulatorServer, name: str, received: Received) -> Any:
    arguments = orjson.loads(received.body or b"{}")
    if not isinstance(arguments, dict):
        raise ValueError("send a JSON object")
    if name == "faults":
        server.faults.change(arguments)
        if arguments.get("stop"):
            server.come_up()
        return server.faults.report()
    verb = name.removeprefix("act/")
    if verb == name:
        raise LookupError(name)
    return server.simulator.act(verb, arguments)
