"""`lienthong mapping`: check mapping files, try one on a payload, compare two on samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import AsJson, NotThereError
from gateway.cli.printing import as_json, table
from gateway.masking import masked
from gateway.sync.views import OPEN_FACTS
from mappings import Mapping, Message, Normalised, load, packaged
from mappings.records import Field, Record, dig
from schemas.errors import ConfigError, RecordInvalidError

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

File = Annotated[Path, typer.Argument(help=t("A payload: JSON or XML.", "Một gói tin: JSON hoặc XML."))]
MappingName = Annotated[
    str, typer.Option("--mapping", help=t("A packaged name or a .yaml file.", "Tên có sẵn hoặc tệp .yaml."))
]
MessageName = Annotated[
    str, typer.Option("--message", help=t("Without it, the one that fits best.", "Bỏ trống: thông điệp phù hợp nhất."))
]
Unmasked = Annotated[bool, typer.Option("--personal", help=t("Show personal values too.", "Hiện cả dữ liệu cá nhân."))]


@app.command(help=t("Check mapping files; name every problem at once.", "Kiểm tra tệp ánh xạ; nêu mọi lỗi một lần."))
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help=t("All packaged ones by default.", "Mặc định: tất cả."))
    ] = None,
    json: AsJson = False,
) -> None:
    """Exit 0 when all are in order, 5 when one is not."""
    releases: dict[str, str] = {}
    problems: dict[str, list[str]] = {}
    for name in names or packaged():
        try:
            releases[name] = load(name).release
        except ConfigError as error:
            problems[name] = list(error.problems)
    if json:
        as_json({"ok": not problems, "releases": releases, "problems": problems})
    else:
        if releases:
            table((t("mapping", "ánh xạ"), t("release", "phiên bản")), list(releases.items()))
        for said in problems.values():
            for problem in said:
                typer.echo(f"lienthong: {problem}", err=True)
    raise typer.Exit(ExitCode.CONFIG if problems else ExitCode.OK)


@app.command(
    "try", help=t("Read a payload; say which rule made each field.", "Đọc thử gói tin; nêu quy tắc của từng trường.")
)
def try_(
    file: File, mapping: MappingName, message: MessageName = "", personal: Unmasked = False, json: AsJson = False
) -> None:
    """Exit 0 when the payload was read, 1 when not; unknown wire fields are named."""
    found, read = _read(load(mapping), wire_of(file), message)
    rules = [
        {"field": path, "wire": wire, "codec": codec, "value": _shown(path, value, personal=personal)}
        for path, wire, codec, value in rules_of(found.record, read.values)
    ]
    if json:
        as_json({"message": found.name, "rules": rules, "unknown": read.unknown, "spelled": sorted(read.spelled)})
        return
    typer.echo(t(f"read as message '{found.name}'", f"đọc theo thông điệp '{found.name}'"))
    heads = ("field", "wire", "codec", "value")
    table(heads, [[rule[head] for head in heads] for rule in rules])
    for name in read.unknown:
        typer.echo(t(f"no rule for wire field {name}", f"không có quy tắc cho trường {name}"))
    for pointer in read.spelled:
        typer.echo(t(f"spelled otherwise than we write it: {pointer}", f"viết khác cách hệ thống ghi: {pointer}"))


@app.command(help=t("Read samples under two mappings; name what differs.", "Đọc mẫu bằng hai ánh xạ; nêu điểm khác."))
def diff(
    first: Annotated[str, typer.Argument(metavar="A")],
    second: Annotated[str, typer.Argument(metavar="B")],
    samples: Annotated[list[Path], typer.Argument(help=t("Payloads, or folders of them.", "Gói tin, hoặc thư mục."))],
    message: MessageName = "",
    personal: Unmasked = False,
    json: AsJson = False,
) -> None:
    """Exit 0 when both read every sample alike, 1 when not."""
    mappings = (load(first), load(second))
    rows = [
        {
            "sample": sample.name,
            "field": path,
            "a": _shown(path, a, personal=personal),
            "b": _shown(path, b, personal=personal),
        }
        for sample in _files(samples)
        for path, a, b in _differences(sample, mappings, message)
    ]
    if json:
        as_json({"differences": rows})
    elif rows:
        heads = ("sample", "field", "a", "b")
        table(heads, [[row[head] for head in heads] for row in rows])
    else:
        typer.echo(t("no difference", "không có điểm khác"))
    raise typer.Exit(ExitCode.ERROR if rows else ExitCode.OK)


def wire_of(file: Path) -> Any:
    """A payload as mappings read it: JSON values, or bytes of XML."""
    try:
        source = file.read_bytes()
    except OSError as error:
        raise NotThereError(f"{file}: {error.strerror}") from None
    if source.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return source
    try:
        return orjson.loads(source.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        wrong = t("is neither JSON nor XML", "không phải JSON cũng không phải XML")
        raise NotThereError(f"{file.name}:{error.lineno}: {wrong}") from None


def _files(samples: list[Path]) -> Iterator[Path]:
    for sample in samples:
        yield from sorted(one for one in sample.iterdir() if one.is_file()) if sample.is_dir() else (sample,)


def _read(mapping: Mapping, wire: Any, name: str) -> tuple[Message, Normalised]:
    """The named message, or of those that read the payload the one that leaves least unread."""
    if name and name not in mapping.messages:
        there = ", ".join(mapping.messages)
        raise NotThereError(t(f"no message '{name}'; there are {there}", f"không có '{name}'; hiện có {there}"))
    is_xml = isinstance(wire, bytes)
    candidates = [mapping.messages[name]] if name else list(mapping.messages.values())
    readings: list[tuple[Message, Normalised]] = []
    refusals: list[str] = []
    for message in candidates:
        if (message.direction == "write" and not name) or (message.xml is not None) != is_xml:
            continue
        try:
            readings.append((message, message.normalise(wire)))
        except RecordInvalidError as error:
            refusals.append(error.reason)
    if not readings:
        raise NotThereError("; ".join(refusals) or t("no message is of this form", "không thông điệp nào có dạng này"))
    return min(readings, key=lambda one: (len(one[1].unknown), -len(list(rules_of(one[0].record, one[1].values)))))


def rules_of(record: Record, values: Any, under: str = "") -> Iterator[tuple[str, str, str, Any]]:
    """Canonical path, wire place, codec and value of every field that a payload filled."""
    for field in record.fields:
        value = dig(values, field.path) if field.carries else None
        if value in (None, "", (), [], {}):
            continue
        inner = field.nested.item if field.nested is not None else None
        path, wire = under + _path(field), "/".join(str(part) for part in field.wire)
        if not isinstance(inner, Record):
            yield path, wire, field.codec.name, value
            continue
        for number, row in enumerate(value if field.many else (value,)):
            place = f"{path}[{number}]." if field.many else f"{path}." if field.path else under
            yield from ((at, f"{wire}/{below}", codec, one) for at, below, codec, one in rules_of(inner, row, place))


def _path(field: Field) -> str:
    return ".".join(str(part) for part in field.path)


def _differences(sample: Path, mappings: tuple[Mapping, Mapping], message: str) -> Iterator[tuple[str, Any, Any]]:
    first, second = (_values(mapping, sample, message) for mapping in mappings)
    for path in sorted({*first, *second}):
        if first.get(path) != second.get(path):
            yield path, first.get(path), second.get(path)


def _values(mapping: Mapping, sample: Path, message: str) -> dict[str, Any]:
    try:
        found, read = _read(mapping, wire_of(sample), message)
    except NotThereError as error:
        return {"": str(error)}
    values = {path: value for path, _, _, value in rules_of(found.record, read.values)}
    return {**values, **{f"unknown {name}": True for name in read.unknown}}


def _shown(path: str, value: Any, *, personal: bool) -> Any:
    """Personal values masked; statuses, codes and dates as they are."""
    first = path.partition(".")[0].partition("[")[0]
    open_ = first in OPEN_FACTS or (first == "state" and not path.endswith(("note", "officer"))) or not first
    plain = value if isinstance(value, (str, int, float, bool, list, dict)) or value is None else str(value)
    last = path.rpartition(".")[2]
    shown = plain if personal or open_ or path.startswith("unknown ") else masked(plain, last)
    return str(shown) if isinstance(shown, (list, dict)) else shown
