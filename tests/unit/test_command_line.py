"""The root of the command line: nouns on demand, exit codes, languages, and what `--help` may import."""

import resource
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise

import pytest
import typer

from gateway import __version__
from gateway.cli.app import run
from gateway.cli.exit_codes import ExitCode
from gateway.cli.nouns import NOUNS, Noun, load
from gateway.cli.printing import table
from schemas.errors import ConfigError, PortalUnavailableError

HELP_MAY_IMPORT = {"annotated_doc", "gateway", "schemas", "shellingham", "typer"}
"""Top-level names beside the standard library; anything else is loaded by the noun that needs it."""
HELP_MAY_NOT_IMPORT = {"asyncio", "importlib.metadata", "schemas.settings", "sqlite3", "ssl"}
HELP_TIMES_BARE_PYTHON = 8
MODULES_LOADED = """
import atexit, sys
before = set(sys.modules)
atexit.register(lambda: print(*sorted(set(sys.modules) - before), sep="\\n", file=sys.stderr))
sys.argv = ["lienthong", "--help"]
from gateway.__main__ import main
main()
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lienthong(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command line in this process and give exit code, output and errors."""

    def call(*arguments: str, nouns: dict[str, Noun] = NOUNS) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            run(list(arguments), nouns)
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return call


def greet(name: str) -> None:
    typer.echo(f"xin chào {name}")


def fail_on_config() -> None:
    raise ConfigError(["config.yaml:3: portals: unknown key", "config.yaml:9: every_s: must be at least 10"])


def fail_at_portal() -> None:
    raise PortalUnavailableError("ca_mau", "timeout")


HERE = {name: Noun(f"{__name__}:{name}", "A noun.") for name in ("greet", "fail_on_config", "fail_at_portal")}


def test_version_is_printed(lienthong: Run) -> None:
    assert lienthong("--version") == (ExitCode.OK, f"lienthong {__version__}\n", "")


def test_no_arguments_show_the_help_and_end_as_a_usage_error(lienthong: Run) -> None:
    code, output, errors = lienthong()
    assert code == ExitCode.USAGE
    assert "Usage: lienthong" in output + errors


def test_an_unknown_noun_is_a_usage_error(lienthong: Run) -> None:
    code, _, errors = lienthong("tham-nhung")
    assert code == ExitCode.USAGE
    assert "tham-nhung" in errors


def test_help_lists_each_noun_without_importing_it(lienthong: Run) -> None:
    code, output, _ = lienthong("--help", nouns={"broken": Noun("no.such.module:app", "Its line.")})
    assert code == ExitCode.OK
    assert "broken" in output
    assert "Its line." in output


def test_a_noun_is_loaded_when_it_is_used(lienthong: Run) -> None:
    assert lienthong("greet", "Liên Thông", nouns=HERE) == (ExitCode.OK, "xin chào Liên Thông\n", "")


def test_the_help_of_a_noun_is_its_own(lienthong: Run) -> None:
    code, output, _ = lienthong("greet", "--help", nouns=HERE)
    assert code == ExitCode.OK
    assert "Usage: lienthong greet" in output


def test_every_problem_of_the_configuration_is_printed_on_a_line_of_its_own(lienthong: Run) -> None:
    code, _, errors = lienthong("fail_on_config", nouns=HERE)
    assert code == ExitCode.CONFIG
    assert len(errors.splitlines()) == 2


def test_an_error_we_know_ends_in_one_line_without_a_traceback(lienthong: Run) -> None:
    assert lienthong("fail_at_portal", nouns=HERE) == (ExitCode.ERROR, "", "lienthong: ca_mau: timeout\n")


def test_each_noun_in_the_list_can_be_loaded_and_has_a_line_of_help() -> None:
    assert [load(name, noun.target).name for name, noun in NOUNS.items() if noun.help] == list(NOUNS)


@pytest.mark.parametrize(("chosen", "word"), [("vi", "Giữ mọi hồ sơ"), ("en", "Keeps every dossier"), ("", "Keeps")])
def test_the_language_is_chosen_by_lienthong_lang(
    lienthong: Run, monkeypatch: pytest.MonkeyPatch, chosen: str, word: str
) -> None:
    monkeypatch.setenv("LIENTHONG_LANG", chosen)
    assert word in lienthong("--help")[1]


def test_exit_codes_keep_their_numbers() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "ERROR": 1,
        "USAGE": 2,
        "SOON": 3,
        "NOW": 4,
        "CONFIG": 5,
    }


def test_help_imports_only_what_its_budget_lists() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MODULES_LOADED], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Usage: lienthong" in done.stdout
    loaded = set(done.stderr.split())
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    assert foreign <= HELP_MAY_IMPORT
    assert not loaded & HELP_MAY_NOT_IMPORT


def test_help_takes_at_most_eight_times_bare_python() -> None:
    """Processor time, least of nine runs each: a busy machine makes a run longer, never shorter."""
    bare = least_cpu_s([sys.executable, "-c", "pass"])
    assert least_cpu_s([sys.executable, "-m", "gateway", "--help"]) <= HELP_TIMES_BARE_PYTHON * bare


def least_cpu_s(command: list[str]) -> float:
    marks = [children_cpu_s()]
    for _ in range(9):
        subprocess.run(command, capture_output=True, timeout=60, check=True)
        marks.append(children_cpu_s())
    return min(after - before for before, after in pairwise(marks))


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_cell_of_a_table_stays_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    table(["key"], [["a\nb\x9b31m\u202ec"]])
    assert capsys.readouterr().out == "key\na�b�31m�c\n"
