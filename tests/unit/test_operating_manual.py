"""The operating manual names every configuration key, every verb and every log event."""

import ast
import re
import shlex
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pytest
import typer

from gateway.cli.nouns import NOUNS, load
from gateway.config import Config

LOGGERS = {"log", "logger"}
LEVELS = {"debug", "info", "warning", "error", "critical"}


@pytest.fixture
def manual(project_root: Path) -> str:
    return (project_root / "docs" / "operating.md").read_text("utf-8")


def models(annotation: Any) -> Iterator[type[Any]]:
    """The sections an annotation holds, through dicts, lists and unions."""
    if get_origin(annotation) in (Union, types.UnionType, dict, tuple, list) or get_args(annotation):
        for inner in get_args(annotation):
            yield from models(inner)
    elif hasattr(annotation, "model_fields"):
        yield annotation


def keys(model: type[Any]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in models(field.annotation):
            yield from keys(inner)


def test_each_configuration_key_is_in_the_manual(manual: str) -> None:
    section = manual.partition("## The configuration")[2].partition("### Who is told")[0]
    documented = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", section))))
    assert set(keys(Config)) - documented == set()


def verbs() -> Iterator[str]:
    for name, noun in NOUNS.items():
        command = load(name, noun.target)
        inner = getattr(command, "commands", None)
        yield from (f"{name} {verb}" for verb in inner) if inner else (name,)


@pytest.mark.parametrize("verb", tuple(verbs()))
def test_each_verb_is_in_the_table_of_commands_and_takes_json(manual: str, verb: str) -> None:
    noun, _, rest = verb.partition(" ")
    rows = [line for line in manual.splitlines() if line.startswith(f"| `lienthong {noun}")]
    assert any(re.search(rf"\b{rest}\b", row.split("|")[1]) for row in rows)
    command = load(noun, NOUNS[noun].target)
    leaf = command.commands[rest] if rest else command
    assert any("--json" in parameter.opts for parameter in leaf.params)
    assert rest == "" or leaf.help or isinstance(leaf, typer.core.TyperGroup)


@pytest.mark.parametrize("verb", tuple(verbs()))
def test_each_verb_shows_examples_in_its_help_that_it_understands(verb: str) -> None:
    """Parsed, not run; the verbs look at files and portals only when they run."""
    noun, _, rest = verb.partition(" ")
    command = load(noun, NOUNS[noun].target)
    leaf = command.commands[rest] if rest else command
    lines = [line.strip() for line in leaf.epilog.splitlines() if line.startswith("  ")]
    assert lines
    for line in lines:
        said = shlex.split(line)
        words = 2 if rest else 1
        assert said[: words + 1] == ["lienthong", *verb.split()]
        leaf.make_context(verb, said[words + 1 :])


def events(root: Path) -> Iterator[str]:
    for file in (root / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in LOGGERS
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield str(node.args[0].value)


def test_each_log_event_is_in_the_manual_and_in_the_past_tense(manual: str, project_root: Path) -> None:
    found = set(events(project_root))
    assert {"gateway_started", "job_ended"} <= found
    section = manual.partition("### Log events")[2]
    assert {event for event in found if f"`{event}`" not in section} == set()
    assert {event for event in found if not re.search(r"(ed|began|lost|said|sent|made)$", event)} == set()
