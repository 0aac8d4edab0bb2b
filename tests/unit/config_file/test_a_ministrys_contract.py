"""A ministry's contract and certificates are read when the configuration is checked, from beside the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.nsw.options import Options
from gateway.config_file import Inspection, inspect

FILE = """\
environment: demo
province: {agency_code: H99}
ownership: {handlers: [province]}
portals:
  province:
    kind: opencps
    profile: v2-2020
    mapping: opencps/v2-2020
    environment: demo
    options: {base_url: "http://127.0.0.1:18081", group_id: 1, username: u, password: "${PASSWORD}"}
  transport:
    kind: nsw
    profile: forward-2026
    mapping: nsw/forward-2026
    environment: demo
    direction: push
    options:
      base_url: http://127.0.0.1:18084
      wsdl: partners/bo.wsdl
      reply_namespaces: ["http://ws.bo.example.invalid", ""]
      soap_action: http://ws.bo.example.invalid/Gui
      OPTION
"""


def read(folder: Path, project_root: Path, option: str = "", wsdl: str | None = None) -> Inspection:
    (folder / "partners").mkdir(exist_ok=True)
    packaged = (project_root / "schemas" / "nsw" / "message-exchange.wsdl").read_text("utf-8")
    (folder / "partners" / "bo.wsdl").write_text(packaged if wsdl is None else wsdl, "utf-8")
    file = folder / "config.yaml"
    file.write_text(FILE.replace("OPTION", option), "utf-8")
    return inspect(file, {"PASSWORD": "kept-away"})


def test_files_stand_beside_the_configuration_wherever_the_program_is_started(
    tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = read(tmp_path, project_root)
    assert [str(problem) for problem in found.problems] == []
    assert found.config is not None
    options = Options.model_validate(found.config.portals["transport"].options)
    assert options.wsdl == str(tmp_path / "partners/bo.wsdl")
    assert options.ca_file == ""


def test_names_in_the_form_of_addresses_are_called_by_nobody(tmp_path: Path, project_root: Path) -> None:
    assert read(tmp_path, project_root).problems == ()
    (problem,) = read(
        tmp_path, project_root, "path: /x\n      parameters: {noi: http://ws.bo.example.invalid}"
    ).problems
    assert "has no noi" in str(problem)


@pytest.mark.parametrize(
    ("option", "wsdl", "said"),
    [
        ("", "<html/>", "names no service with a port over SOAP"),
        ("port: Khac", None, "no port 'Khac'; write one of MessageAndResponseImpl as port"),
        ("parameters: {matKhau: '${PASSWORD}'}", None, "takes requestMessage (string), and has no matKhau"),
        ("signatures: {mode: sign, certificate: none.pem, key: none.key}", None, "none.pem: cannot be read"),
        ("headers: {Authorization: Basic abc}", None, "write a reference such as ${MINISTRY_KEY}"),
    ],
)
def test_what_would_stop_the_start_is_found_by_the_check(
    tmp_path: Path, project_root: Path, option: str, wsdl: str | None, said: str
) -> None:
    (problem,) = read(tmp_path, project_root, option, wsdl).problems
    assert said in str(problem)
    assert problem.key.startswith("portals.transport.options")
