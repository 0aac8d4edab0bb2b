"""`server` and `inbound`: every problem at once, with its key and what to write instead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gateway.access.networks import networks
from gateway.config_file import Inspection, inspect, notes
from gateway.config_file.explain import explain

WORD = "0123456789abcdef-word"
ENVIRON = {"PASSWORD": "kept-away", "WORD": WORD, "SHORT": "tooshort", "ODD": "with/slash-and-long-enough"}
Read = Callable[..., Inspection]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Check a configuration with these sections; None leaves one out."""

    def call(
        inbound: dict[str, Any] | None,
        server: dict[str, Any] | None,
        environment: str = "production",
        second: dict[str, Any] | None = None,
    ) -> Inspection:
        def entry(port: int, inbound: dict[str, Any] | None) -> dict[str, Any]:
            options = {"base_url": f"http://127.0.0.1:{port}", "username": "u", "password": "${PASSWORD}"}
            entry = {"kind": "npsp", "mapping": "npsp/v2-2024", "environment": environment, "options": options}
            return entry if inbound is None else {**entry, "inbound": inbound}

        sections: dict[str, Any] = {
            "environment": environment,
            "province": {"agency_code": "H99"},
            "portals": {"national": entry(18082, inbound), "second": entry(18083, second)},
            "ownership": {"handlers": ["national"]},
        }
        if server is not None:
            sections["server"] = server
        file = tmp_path / "config.yaml"
        with file.open("w", encoding="utf-8") as opened:
            YAML().dump(sections, opened)
        return inspect(file, ENVIRON)

    return call


def found(inspection: Inspection) -> list[tuple[str, str]]:
    return [(problem.key, f"{problem.wrong}; {problem.write}") for problem in inspection.problems]


GUARDED = {"allow": ["10.1.2.0/24"]}


@pytest.mark.parametrize(
    ("inbound", "server", "key", "says"),
    [
        ({}, {}, "portals.national.inbound", "anybody"),
        ({"allow": ["0.0.0.0/0", "10.0.0.0/8"]}, {}, "portals.national.inbound", "anybody"),
        ({"allow": ["::/0"]}, {}, "portals.national.inbound", "anybody"),
        (GUARDED, None, "portals.national.inbound", "add a section server"),
        ({"allow": ["10.1.2.3", "ten"]}, {}, "portals.national.inbound.allow[1]", "10.1.2.0/24"),
        ({"secret": WORD}, {}, "portals.national.inbound.secret", "${INBOUND_SECRET}"),
        ({"secret": "${ABSENT}"}, {}, "portals.national.inbound.secret", "set ABSENT"),
        ({"secret": "${SHORT}"}, {}, "portals.national.inbound.secret", "openssl rand"),
        ({"secret": "${ODD}"}, {}, "portals.national.inbound.secret", "openssl rand"),
        ({**GUARDED, "at": ["/ok", "no-slash"]}, {}, "portals.national.inbound.at[1]", "/path/to/it"),
        ({**GUARDED, "at": ["/in/second"]}, {}, "portals.national.inbound.at[0]", "not below"),
        ({**GUARDED, "at": ["/v1/inbox"]}, {}, "portals.national.inbound.at[0]", "not below"),
        ({**GUARDED, "at": ["/closing/"]}, {}, "portals.national.inbound.at[0]", "closing slash"),
        ({"certificates": ["npsp"]}, {}, "portals.national.inbound.certificates[0]", "sha256:"),
        ({"certificates": ["CN=npsp"]}, {}, "portals.national.inbound.certificates", "client_authorities"),
        ({**GUARDED, "alow": []}, {}, "portals.national.inbound.alow", "write allow"),
        (GUARDED, {"listen": "8080"}, "server.listen", "127.0.0.1:8080"),
        (GUARDED, {"listen": "0.0.0.0:99999"}, "server.listen", "65535"),
        (GUARDED, {"public_url": "gateway.vn"}, "server.public_url", "https://"),
        (GUARDED, {"trusted_proxies": ["proxy"]}, "server.trusted_proxies[0]", "10.1.2.0/24"),
        (GUARDED, {"held_bytes": 2048}, "server.held_bytes", "max_body_bytes"),
        (GUARDED, {"threads": 0}, "server.threads", "at least 1"),
        (GUARDED, {"tls": {"certificate": "a.pem"}}, "server.tls.key", "add this key"),
        (GUARDED, {"tls": {"certificate": "a.pem", "key": "b.pem"}}, "server.tls.certificate", "PEM"),
        (GUARDED, {"trusted_proxy": []}, "server.trusted_proxy", "write trusted_proxies"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(
    read: Read, inbound: dict[str, Any], server: dict[str, Any] | None, key: str, says: str
) -> None:
    problems = found(read(inbound, server))
    assert [(place, says in words) for place, words in problems if place == key] == [(key, True)], problems
    assert WORD not in str(problems)


def test_all_problems_are_said_at_once_each_with_its_line(read: Read) -> None:
    inspection = read({"at": ["x"], "secret": "${SHORT}", "allow": ["?"]}, {"listen": "x", "held_bytes": 1})
    assert len(inspection.problems) == 5
    assert len({problem.line for problem in inspection.problems}) == 5


@pytest.mark.parametrize("measure", [{"secret": "${WORD}"}, GUARDED, {**GUARDED, "secret": "${WORD}"}])
def test_in_production_one_measure_is_enough(read: Read, measure: dict[str, Any]) -> None:
    assert found(read(measure, {"listen": "0.0.0.0:443"})) == []


def test_a_kind_that_asks_for_keys_needs_no_other_measure(read: Read, tmp_path: Path) -> None:
    assert found(read({}, {}))
    file = tmp_path / "config.yaml"
    text = file.read_text("utf-8").replace("kind: npsp", "kind: inbox").replace("npsp/v2-2024", "inbox/v1")
    file.write_text(text, "utf-8")
    assert [one.key for one in inspect(file, ENVIRON).problems if one.key.endswith(".inbound")] == []
    file.write_text(text.replace("kind: inbox", "kind: civil_status"), "utf-8")
    (problem,) = [one for one in inspect(file, ENVIRON).problems if "takes no calls" in one.wrong]
    assert problem.key == "portals.national.inbound"


def test_a_key_without_a_value_lets_nobody_in_and_is_said(read: Read, tmp_path: Path) -> None:
    assert found(read({}, {}, "demo")) == []
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text("utf-8").replace("inbound: {}", "inbound:"), "utf-8")
    ((place, words),) = found(inspect(file, ENVIRON))
    assert place == "portals.national.inbound"
    assert "is empty" in words


def test_a_rehearsal_needs_no_measure_and_listens_on_this_machine_only(read: Read) -> None:
    assert found(read({}, {"listen": "127.0.0.1:0"}, "demo")) == []
    assert found(read({}, {"listen": "[::1]:0"}, "test")) == []
    for environment in ("demo", "test"):
        (problem,) = found(read({}, {"listen": "0.0.0.0:8080"}, environment))
        assert problem[0] == "server.listen"
        assert "127.0.0.1:8080" in problem[1]


def test_two_portals_do_not_share_an_address(read: Read) -> None:
    shared = {**GUARDED, "at": ["/forward"]}
    (problem,) = found(read(shared, {}, second=shared))
    assert problem[0] == "portals.second.inbound.at[0]"
    assert found(read(shared, {}, second={**GUARDED, "at": ["/forward/second"]})) == []


def test_tls_files_are_found_from_the_configuration_and_the_key_is_kept_from_others(read: Read, tmp_path: Path) -> None:
    for name in ("gateway.pem", "gateway.key", "partners.pem"):
        (tmp_path / name).write_text("PEM")
        (tmp_path / name).chmod(0o644)
    tls = {"certificate": "gateway.pem", "key": "gateway.key", "client_authorities": "partners.pem"}
    inbound = {"certificates": ["CN=npsp, O=VPCP, C=VN"]}
    (problem,) = found(read(inbound, {"tls": tls}))
    assert problem[0] == "server.tls.key"
    assert "chmod 600" in problem[1]
    (tmp_path / "gateway.key").chmod(0o600)
    config = read(inbound, {"tls": tls}).config
    assert config is not None
    assert config.server is not None
    assert config.server.tls is not None
    assert config.server.tls.key == str(tmp_path / "gateway.key")
    assert config.server.tls.client_authorities == str(tmp_path / "partners.pem")


def test_without_the_sections_nothing_listens(read: Read) -> None:
    config = read(None, None).config
    assert config is not None
    assert config.server is None
    assert config.portals["national"].inbound is None


def test_explain_says_whether_the_word_is_set_and_not_what_it_is(read: Read) -> None:
    inspection = read({"secret": "${WORD}"}, {})
    assert inspection.config is not None
    (word,) = [
        one
        for one in explain(inspection.document, inspection.config, ENVIRON)
        if one.key == "portals.national.inbound.secret"
    ]
    assert (word.value, word.is_set) == ("${WORD}", True)


def test_what_the_check_lets_through_the_door_keeper_can_read(read: Read) -> None:
    config = read({"allow": ["10.1.2.3", "10.1.2.9/24", "fd00::/8"]}, {}).config
    assert config is not None
    assert config.portals["national"].inbound is not None
    assert len(networks(config.portals["national"].inbound.allow)) == 3


def test_a_portal_that_could_be_given_addresses_of_files_is_noted(read: Read) -> None:
    missing = read(GUARDED, {})
    assert missing.config is not None
    assert [note.key for note in notes(missing.document, missing.config)] == ["portals.national.inbound"]
    told = read({**GUARDED, "files_at": "https://lienthong.example.vn/in/national/downloadfile"}, {})
    assert told.config is not None and list(notes(told.document, told.config)) == []
    alone = read(None, {})
    assert alone.config is not None and list(notes(alone.document, alone.config)) == [], "nobody can come for them"
