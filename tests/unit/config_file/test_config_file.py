"""A configuration is read whole: every problem at once, each with its line, its key and what to write instead."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import GroupConfig, PortalConfig, RouteConfig
from gateway.config_file import Inspection, explain, inspect, lines, load
from gateway.config_file.problem import Problem
from gateway.config_file.routes import _both
from schemas.errors import ConfigError

ENVIRON = {"PASSWORD": "kept-away"}
GOOD = """\
environment: test
province: {agency_code: H99}
portals:
  province:
    kind: opencps
    profile: v2-2020
    mapping: opencps/v2-2020
    environment: test
    options: {base_url: "http://127.0.0.1:18081", group_id: 1, username: u, password: "${PASSWORD}"}
  national:
    kind: npsp
    profile: v2-2024
    mapping: npsp/v2-2024
    environment: test
    options: {base_url: "http://127.0.0.1:18082", username: u, password: "${PASSWORD}"}
ownership: {handlers: [province]}
routes:
  - {name: all, to: national}
"""
Read = Callable[[str], Inspection]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def call(text: str) -> Inspection:
        file = tmp_path / "config.yaml"
        file.write_text(text, "utf-8")
        return inspect(file, ENVIRON)

    return call


def test_a_right_configuration_gives_paths_and_options_as_they_are_used(read: Read, tmp_path: Path) -> None:
    config = read(GOOD).config
    assert config is not None
    assert config.store.path == str(tmp_path / "var/lienthong.db")
    assert config.portals["national"].options["profile"] == "v2-2024"


def test_the_example_beside_the_project_is_right(project_root: Path) -> None:
    names = ("PROVINCE_PASSWORD", "NATIONAL_PASSWORD", "JUSTICE_CLIENT_ID", "JUSTICE_CLIENT_SECRET")
    found = inspect(project_root / "config.yaml", dict.fromkeys(names, "x"))
    assert found.problems == ()
    assert found.config is not None
    assert {portal.kind for portal in found.config.portals.values()} == {"opencps", "npsp", "civil_status", "nsw"}


WRONG = {
    "an unknown key, with the one that was meant": (
        "every_s: 5",
        "evry_s: 5",
        "portals.national.evry_s",
        "write every_s",
    ),
    "a value of no list": (
        "direction: both",
        "direction: bth",
        "portals.national.direction",
        "'pull', 'push' or 'both'",
    ),
    "a number too small": ("every_s: 5", "every_s: 0", "portals.national.every_s", "greater than 0"),
    "an unknown kind": ("kind: npsp", "kind: npps", "portals.national.kind", "write one of"),
    "a mapping that is not there": ("npsp/v2-2024", "npsp/v3", "portals.national.mapping", "npsp/v2-2024"),
    "a mapping of another kind": ("npsp/v2-2024", "opencps/v2-2020", "portals.national.mapping", "npsp/"),
    "a mapping of another profile": ("npsp/v2-2024", "npsp/v1.4-2020", "portals.national.profile", "v1.4-2020"),
    "another environment": ("environment: test", "environment: production", "portals.national.environment", "test"),
    "an unknown option": ("username", "user_name", "portals.national.options.user_name", "write username"),
    "a secret that is not set": ("${PASSWORD}", "${ABSENT}", "portals.national.options.password", "set ABSENT"),
    "a settling time too short": ("every_s: 5", "settle_s: 5", "portals.national", "settle_s must be longer"),
    "an hour that is none": ("every_s: 5", 'maintenance: [{starts: "24:10", ends: "01:00"}]', "starts", "07:30"),
}


@pytest.mark.parametrize(("old", "new", "key", "write"), WRONG.values(), ids=WRONG)
def test_a_problem_names_line_key_and_what_to_write(read: Read, old: str, new: str, key: str, write: str) -> None:
    text = GOOD.replace(
        "    environment: test\n    options", "    environment: test\n    every_s: 5\n    direction: both\n    options"
    )
    head, _, national = text.partition("  national:")
    found = read(head + "  national:" + national.replace(old, new, 1))
    assert found.config is None
    said = [problem for problem in found.problems if key in problem.key]
    assert said, [str(problem) for problem in found.problems]
    assert write in str(said[0])
    first = head.count("\n") + 1
    assert first <= said[0].line <= first + 7


@pytest.mark.parametrize("host", ["10.1.2.3", "127.0.0.1.example.invalid", "localhost.example.invalid"])
def test_a_demo_reaches_this_machine_only(read: Read, host: str) -> None:
    text = GOOD.replace("environment: test", "environment: demo")
    assert read(text).config is not None
    problems = read(text.replace("127.0.0.1", host)).problems
    assert {problem.key for problem in problems} == {
        "portals.province.options.base_url",
        "portals.national.options.base_url",
    }
    assert all(host in str(problem) and "127.0.0.1:PORT" in str(problem) for problem in problems)


def test_a_test_environment_may_reach_the_test_server_of_a_portal(read: Read) -> None:
    assert read(GOOD.replace("127.0.0.1", "test.portal.example.invalid")).problems == ()


def test_all_problems_come_at_once_and_in_the_order_of_the_file(read: Read) -> None:
    text = (
        GOOD.replace("agency_code", "agency").replace("group_id: 1", "group_id: -1").replace("npsp/v2-2024", "npsp/v9")
    )
    text = text.replace("[province]", "[provnce]").replace("to: national", "to: nation")
    keys = [problem.key for problem in read(text).problems]
    assert {"province.agency", "province.agency_code", "portals.province.options.group_id"} <= set(keys)
    assert {"portals.national.mapping", "ownership.handlers[0]", "routes[0].to"} <= set(keys)
    lines = [problem.line for problem in read(text).problems]
    assert lines == sorted(lines)


def test_one_wrong_key_of_an_entry_does_not_hide_its_other_problems(read: Read) -> None:
    text = GOOD.replace("  national:\n", "  national:\n    every_s: -1\n").replace("${PASSWORD}", "${ABSENT}")
    keys = {problem.key for problem in read(text).problems}
    assert {
        "portals.national.every_s",
        "portals.national.options.password",
        "portals.province.options.password",
    } <= keys


def test_a_password_in_the_file_is_refused_without_being_repeated(read: Read) -> None:
    for wrong in ('password: "hunter2"', 'pasword: "hunter2"', 'password: "${PASSWORD}", token: "hunter2"'):
        problems = read(GOOD.replace('password: "${PASSWORD}"', wrong, 1)).problems
        assert problems
        assert not [problem for problem in problems if "hunter2" in str(problem)]


SYNTAX = {
    "no YAML": ("portals:\n  a: [1\n", "YAML", 3),
    "a doubled key": ("environment: test\nportals: {}\nportals: {}\n", "second time", 3),
    "a tab": ("environment:\n\ttest\n", "YAML", 2),
    "nothing": ("", "no keys", 1),
    "a list": ("- 1\n", "no keys", 1),
}


@pytest.mark.parametrize(("text", "wrong", "line"), SYNTAX.values(), ids=SYNTAX)
def test_a_file_that_is_no_configuration_is_named_with_its_line(read: Read, text: str, wrong: str, line: int) -> None:
    problem = read(text).problems[0]
    assert wrong in problem.wrong
    assert problem.line == line


def test_a_file_that_is_not_utf_8_or_not_there_is_said(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(b"environment: test\nx: \xff\n")
    assert "UTF-8" in inspect(file, {}).problems[0].wrong
    assert inspect(file, {}).problems[0].line == 2
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "other.yaml", {})


def test_a_key_that_yaml_takes_for_a_number_must_be_quoted(read: Read) -> None:
    text = GOOD.replace("group_id: 1,", "group_id: 1, templates: {1.001230: T},")
    problems = [problem for problem in read(text).problems if "templates" in problem.key]
    assert [problem.write[:5] for problem in problems] == ["write"]


def test_aliases_that_blow_up_are_refused(read: Read) -> None:
    lines = ["a: &a [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]" for old, new in zip("abcde", "bcdef", strict=True)]
    assert any("too large" in problem.wrong for problem in read("\n".join(lines)).problems)


@pytest.mark.parametrize("day", ["20261123", "2026-W27-3"])
def test_a_day_in_another_spelling_is_a_problem(read: Read, day: str) -> None:
    """Days are compared as text: such a route began on another day than it says."""
    problems = read(GOOD.replace("to: national}", f"to: national, when: {{from_on: '{day}'}}}}")).problems
    assert [problem.key for problem in problems] == ["routes[0].when.from_on"]


def test_a_day_that_does_not_exist_is_a_problem_and_not_a_crash(read: Read) -> None:
    problems = read(GOOD.replace("to: national}", "to: national, when: {from_on: 2026-13-01}}")).problems
    assert [problem.key for problem in problems] == ["routes[0].when.from_on"]


OVERLAPS = {
    "the same conditions": ("{}", "{}", True),
    "other procedures": ("{procedures: ['1.*']}", "{procedures: ['2.*']}", False),
    "patterns that meet": ("{procedures: ['1.00*']}", "{procedures: ['*.001193']}", True),
    "one after the other": ("{to_on: 2026-06-30}", "{from_on: 2026-07-01}", False),
    "a shared day": ("{to_on: 2026-07-01}", "{from_on: 2026-07-01}", True),
    "other statuses": ("{statuses: [accepted]}", "{statuses: [completed]}", False),
}


@pytest.mark.parametrize(("one", "two", "wrong"), OVERLAPS.values(), ids=OVERLAPS)
def test_two_routes_to_one_portal_may_not_hold_at_once_and_differ(read: Read, one: str, two: str, wrong: bool) -> None:
    routes = (
        f"  - {{name: a, to: national, when: {one}}}\n  - {{name: b, to: national, rows: [accepted], when: {two}}}\n"
    )
    problems = read(GOOD.replace("  - {name: all, to: national}\n", routes)).problems
    assert bool(problems) is wrong


@pytest.mark.parametrize(
    ("one", "two", "meet"),
    [
        ("*", "x", True),
        ("a*", "*b", True),
        ("a*c", "b*", False),
        ("1.00", "1.00", True),
        ("", "*", True),
        ("", "a", False),
    ],
)
def test_patterns_meet_when_some_text_fits_both(one: str, two: str, meet: bool) -> None:
    assert _both(one, two) is meet
    assert _both(two, one) is meet


def test_a_handler_that_is_never_read_and_a_route_to_one_that_is_only_read_are_problems(read: Read) -> None:
    text = GOOD.replace("  province:\n", "  province:\n    direction: push\n").replace(
        "  national:\n", "  national:\n    direction: pull\n"
    )
    assert {problem.key for problem in read(text).problems} == {"ownership.handlers[0]", "routes[0].to"}


def test_a_second_province_needs_an_entry_and_nothing_else(read: Read) -> None:
    second = GOOD[GOOD.index("  province:") : GOOD.index("  national:")]
    second = second.replace("  province:", "  second_province:").replace("18081", "18085")
    text = GOOD.replace("  national:", second + "  national:").replace("[province]", "[province, second_province]")
    config = read(text).config
    assert config is not None
    assert config.ownership.handlers == ("province", "second_province")


def test_the_same_portal_twice_is_a_problem(read: Read) -> None:
    second = GOOD[GOOD.index("  province:") : GOOD.index("  national:")].replace("  province:", "  again:")
    keys = [problem.key for problem in read(GOOD.replace("  national:", second + "  national:")).problems]
    assert keys == ["portals.again.options"]


def test_every_value_in_force_is_explained_with_its_source_and_no_secret(read: Read) -> None:
    found = read(GOOD)
    assert found.config is not None
    rows = {row.key: row for row in explain(found.document, found.config, ENVIRON)}
    assert rows["environment"].source == "config.yaml:1"
    assert rows["portals.national.every_s"].source == "default"
    secret = rows["portals.national.options.password"]
    assert (secret.value, secret.is_set, secret.source) == ("${PASSWORD}", True, "config.yaml:15")
    assert "kept-away" not in str(rows)


def test_secrets_may_stand_in_a_file_that_only_its_owner_reads(read: Read, tmp_path: Path) -> None:
    text = GOOD.replace("${PASSWORD}", "${FROM_FILE}").replace("portals:", "secrets_file: secrets.env\nportals:")
    file = tmp_path / "secrets.env"
    file.write_text("# comment\nFROM_FILE='one two'\n")
    file.chmod(0o644)
    assert any("0644" in problem.wrong for problem in read(text).problems)
    file.chmod(0o600)
    assert read(text).problems == ()


def test_who_calls_no_portal_needs_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(GOOD)
    assert inspect(file, {}).config is None
    assert inspect(file, {}, secrets=False).config is not None


def test_problems_are_told_in_vietnamese(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_LANG", "vi")
    problem = read(GOOD.replace("agency_code: H99", "agency_code: 5")).problems[0]
    assert "phải là văn bản" in str(problem)


STAGES = {
    "a mirror in a group": ("group: g", "", {"routes[0].group"}),
    "a mirror with a timer": ("timers: {sent_within_h: 1}", "", {"routes[0].timers"}),
    "a mirror that cancels": ("cancel: [halted]", "", {"routes[0].cancel"}),
    "a group that is not there": ("kind: forward, group: g", "", {"routes[0].group"}),
    "a group nobody belongs to": ("kind: forward", GROUP := "groups: {g: {when_all: {act: completed}}}", {"groups.g"}),
    "an end that the group decides": (
        "kind: forward, group: g, results: {completed: {act: completed}}",
        GROUP,
        {"routes[0].results.completed"},
    ),
    "a route with its group": (
        "kind: forward, group: g, cancel: [halted], results: {supplement_requested: {act: supplement_requested}}",
        GROUP,
        set(),
    ),
    "no time at all": ("kind: forward, timers: {sent_within_h: 0}", "", {"routes[0].timers.sent_within_h"}),
    "no limit": ("kind: forward, timers: {sent_within_h: null}", "", set()),
    "timers by procedure": (
        "kind: forward, timers: [{procedures: [1.*], sent_within_h: 1}, {sent_within_h: 2, completed_within_h: 9}]",
        "",
        set(),
    ),
    "no time at all in a list": (
        "kind: forward, timers: [{sent_within_h: 1}, {accepted_within_h: 0}]",
        "",
        {"routes[0].timers[1].accepted_within_h"},
    ),
    "an unknown fact": ("kind: forward, timers: [{send_within_h: 1}]", "", {"routes[0].timers[0].send_within_h"}),
    "neither a rule nor a list": ("kind: forward, timers: 24", "", {"routes[0].timers"}),
    "a rule that names no fact": ("kind: forward, timers: [{procedures: [1.*]}]", "", {"routes[0].timers[0]"}),
    "a rule that never counts": (
        "kind: forward, timers: [{procedures: [1.*], sent_within_h: 1}, {procedures: [1.00*], sent_within_h: 2}]",
        "",
        {"routes[0].timers[1].sent_within_h"},
    ),
    "a rule behind one for all": (
        "kind: forward, timers: [{sent_within_h: 1}, {procedures: [1.*], sent_within_h: 2, accepted_within_h: 3}]",
        "",
        {"routes[0].timers[1].sent_within_h"},
    ),
    "a rule for all behind one for every name": (
        'kind: forward, timers: [{procedures: ["*"], sent_within_h: 1}, {sent_within_h: 2}]',
        "",
        {"routes[0].timers[1].sent_within_h"},
    ),
    "a rule that counts for one of its procedures": (
        "kind: forward, timers: [{procedures: [1.*], sent_within_h: 1}, {procedures: [1.0*, 2.*], sent_within_h: 2}]",
        "",
        set(),
    ),
    "a rule behind one of which nobody can say what it covers": (
        'kind: forward, timers: [{procedures: ["1.?"], sent_within_h: 1}, {procedures: [1.*], sent_within_h: 2}]',
        "",
        set(),
    ),
    "a rule for what the route does not carry": (
        "kind: forward, when: {procedures: [1.*]}, timers: {procedures: [2.*], sent_within_h: 1}",
        "",
        {"routes[0].timers.procedures"},
    ),
}


@pytest.mark.parametrize(("said", "more", "wrong"), STAGES.values(), ids=STAGES)
def test_what_is_said_of_stages_fits_together(read: Read, said: str, more: str, wrong: set[str]) -> None:
    text = GOOD.replace("to: national}", f"to: national, {said}}}") + f"{more}\n"
    assert {problem.key for problem in read(text).problems if problem.key.startswith(("routes", "groups"))} == wrong
    assert bool(read(text).problems) == bool(wrong)


def test_timers_of_a_partner_are_checked_with_their_line(read: Read) -> None:
    forward = GOOD.replace("to: national}", "to: national, kind: forward}")
    at = "    mapping: npsp/v2-2024\n"
    assert at in forward

    def problems(text: str, rules: str) -> list[Problem]:
        return list(read(text.replace(at, f"{at}    timers:\n{rules}")).problems)

    good = "      - {procedures: [1.*], accepted_within_h: 8}\n      - {accepted_within_h: 24}\n"
    assert problems(forward, good) == []
    (unused,) = problems(GOOD, good)
    assert (unused.key, "forward" in unused.wrong) == ("portals.national.timers", True)
    (hidden,) = problems(forward, good + "      - {procedures: [2.*], accepted_within_h: 1}\n")
    lines_ = forward.replace(at, f"{at}    timers:\n{good}").splitlines()
    first = next(number for number, line in enumerate(lines_, 1) if "accepted_within_h: 24" in line)
    assert (hidden.key, hidden.line) == ("portals.national.timers[2].accepted_within_h", first + 1)
    assert f"line {first}" in hidden.wrong
    assert "move it above" in hidden.write
    (far,) = problems(forward, "      - {accepted_within_h: -1}\n")
    assert (far.key, far.line) == ("portals.national.timers[0].accepted_within_h", first - 1)


def test_of_timers_is_explained_what_is_named(read: Read, tmp_path: Path) -> None:
    said = "kind: forward, timers: {accepted_within_h: 24, received_within_h: null}"
    found = read(GOOD.replace("to: national}", f"to: national, {said}}}"))
    assert found.config is not None
    rows = {row.key: row for row in explain(found.document, found.config, {}) if "timers" in row.key}
    assert {key: row.value for key, row in rows.items() if key.startswith("routes")} == {
        "routes[0].timers.accepted_within_h": 24,
        "routes[0].timers.received_within_h": None,
    }
    assert all(row.source.startswith("config.yaml:") for key, row in rows.items() if key.startswith("routes"))


def test_the_signing_keys_are_a_file_of_their_own(read: Read) -> None:
    text = GOOD.replace("portals:", "store: {signing_keys: var/keys.ring}\nportals:", 1)
    assert [problem.key for problem in read(text).problems] == ["store.signing_keys"]


def test_the_rules_of_the_page_about_stages_are_rules(project_root: Path, tmp_path: Path) -> None:
    text = (project_root / "docs" / "stages.md").read_text("utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        (tmp_path / "rules.yaml").write_text(block, "utf-8")
        said = lines.read(tmp_path / "rules.yaml")[0].plain
        routes = [RouteConfig.model_validate(route) for route in said["routes"]]
        groups = {name: GroupConfig.model_validate(group) for name, group in said.get("groups", {}).items()}
        for portal in said.get("portals", {}).values():
            assert len(PortalConfig.model_validate({"kind": "k", "mapping": "m", **portal}).timers) == 2
        assert {route.group for route in routes} - {""} == set(groups)
