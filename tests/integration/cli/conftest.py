"""A rehearsal: simulated portals on sockets, a configuration that names them, and the command line in this process."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.registry import simulator
from adapters.simulation.server import SimulatorServer
from gateway.cli.app import run

KINDS = {"province": "opencps", "national": "npsp", "justice": "civil_status"}
OPTIONS = {
    "opencps": """group_id: 35166, username: lienthong, password: "${REHEARSAL}",
      tiers: [{name: recent, every_s: 0.01, days: 30}, {name: rest, every_s: 600, whole: true}]""",
    "npsp": 'agency_code: H99, username: H99, password: "${REHEARSAL}"',
    "civil_status": 'province_code: "96", client_id: "${REHEARSAL}", client_secret: "${REHEARSAL}"',
}
MAPPINGS = {"opencps": "opencps/v2-2020", "npsp": "npsp/v2-2024", "civil_status": "civil_status/g2-2024"}


class Rehearsal:
    """`call` runs one command line: exit code, output, errors; `act` is an officer's work at a portal."""

    def __init__(self, folder: Path, servers: dict[str, SimulatorServer], capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.servers = servers
        self._capsys = capsys
        self.write_config(tuple(KINDS), ("province",))

    def write_config(self, portals: tuple[str, ...], handlers: tuple[str, ...], **more: str) -> None:
        """Write config.yaml; `more` adds lines to every portal."""
        extra = "".join(f"    {name}: {value}\n" for name, value in more.items())
        lines = ["environment: test", "province: {agency_code: H99}", "portals:"]
        for name in portals:
            kind = self.servers[name].simulator.kind
            lines.append(
                f"  {name}:\n    kind: {kind}\n    mapping: {MAPPINGS[kind]}\n    environment: test\n{extra}"
                f'    options: {{base_url: "{self.servers[name].url}", {OPTIONS[kind]}}}'
            )
        lines += [f"ownership: {{handlers: [{', '.join(handlers)}]}}", "routes:", "  - {name: all, to: national}"]
        (self.folder / "config.yaml").write_text("\n".join(lines) + "\n")

    def call(self, *arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            run(list(arguments))
        printed = self._capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    def json(self, *arguments: str) -> tuple[int, Any]:
        code, out, _ = self.call(*arguments, "--json")
        return code, json.loads(out)

    def act(self, portal: str, verb: str, **arguments: Any) -> Any:
        return self.servers[portal].simulator.act(verb, arguments)

    def handed_in(self, portal: str = "province", **arguments: Any) -> str:
        """A new dossier, accepted: its number."""
        reference = self.act(portal, "create_dossier", **arguments)["referenceUid"]
        return str(self.act(portal, "accept", referenceUid=reference)["dossierNo"])

    def effects(self, portal: str = "national") -> list[tuple[str, str]]:
        """What a portal's book says was done there."""
        return [(one["effect"], one["key"]) for one in self.servers[portal].simulator.book.effects()]


@pytest.fixture
def rehearsal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rehearsal]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REHEARSAL", "simulated-password")
    switches = {
        "opencps": {},
        "npsp": {"username": "H99"},
        "civil_status": {},
    }
    kinds = {**KINDS, "second": "opencps"}
    servers = {name: SimulatorServer(simulator(kind, switches[kind])).start() for name, kind in kinds.items()}
    yield Rehearsal(tmp_path, servers, capsys)
    for server in servers.values():
        if not server.stopping.is_set():
            server.stop()
    structlog.reset_defaults()  # a verb run in this process may have turned the log to a stream that ends with the test
