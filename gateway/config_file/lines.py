"""A YAML 1.2 file as plain values, with the line each of them stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from gateway.config_file.problem import Place, Problem
from gateway.language import t

MAX_BYTES = 1_000_000
MAX_VALUES = 50_000


class _Texts(RoundTripConstructor):
    """YAML reads 2026-01-01 as a date, even where there is no such day; in our file it is the text a person wrote."""


_Texts.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


@dataclass(frozen=True, slots=True)
class Document:
    """`plain`: dicts, lists, texts, numbers and truths. `lines`: place -> line, counted from 1."""

    file: str
    plain: Any
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest place above it that is written in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, place: Place, wrong: str, write: str) -> Problem:
        """A problem at a place of this file."""
        return Problem(self.file, self.line(place), place, wrong, write)


def read(path: Path) -> tuple[Document, list[Problem]]:
    """Read a file. What cannot be read at all gives an empty document and the one problem YAML stopped at."""
    file = path.name
    try:
        source = path.read_bytes()
        if len(source) > MAX_BYTES:
            return Document(file, None, {}), [_too_large(file)]
        yaml = YAML(typ="rt", pure=True)
        yaml.Constructor = _Texts
        loaded = yaml.load(source.decode("utf-8"))
    except OSError as error:
        return Document(file, None, {}), [_unreadable(path, error)]
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        wrong = t("is not UTF-8 text", "không phải văn bản UTF-8")
        return Document(file, None, {}), [Problem(file, line, (), wrong, t("save it as UTF-8", "hãy lưu dạng UTF-8"))]
    except YAMLError as error:
        return Document(file, None, {}), [_not_yaml(file, error)]
    plain = _Plain(file)
    return Document(file, plain.of(loaded, ()), plain.lines), plain.problems


class _Plain:
    """Takes ruamel's objects apart; `lines` and `problems` fill up on the way."""

    def __init__(self, file: str) -> None:
        self.lines: dict[Place, int] = {(): 1}
        self.problems: list[Problem] = []
        self._file = file
        self._values = 0

    def of(self, value: Any, place: Place) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            if self._values == MAX_VALUES + 1:
                self.problems.append(_too_large(self._file))
            return None
        if isinstance(value, CommentedMap):
            return self._map(value, place)
        if isinstance(value, CommentedSeq):
            return self._list(value, place)
        return _scalar(value)

    def _map(self, value: CommentedMap, place: Place) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, inner in value.items():
            where = value.lc.data.get(key) if value.lc.data else None
            at = (*place, str(key))
            self.lines[at] = where[0] + 1 if where else self.lines[place]
            if not isinstance(key, str):
                self.problems.append(
                    Problem(
                        self._file,
                        self.lines[at],
                        at,
                        t("the key is not text for YAML", "khoá không phải văn bản đối với YAML"),
                        t(f'write it in quotes: "{key}":', f'hãy đặt trong dấu nháy: "{key}":'),
                    )
                )
            plain[str(key)] = self.of(inner, at)
        return plain

    def _list(self, value: CommentedSeq, place: Place) -> list[Any]:
        plain = []
        for number, inner in enumerate(value):
            where = value.lc.data.get(number) if value.lc.data else None
            self.lines[(*place, number)] = where[0] + 1 if where else self.lines[place]
            plain.append(self.of(inner, (*place, number)))
        return plain


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    return str(value)


def _not_yaml(file: str, error: YAMLError) -> Problem:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    line = mark.line + 1 if mark is not None else 1
    if isinstance(error, DuplicateKeyError):
        wrong = t("a key stands here for the second time", "một khoá xuất hiện lần thứ hai ở đây")
        return Problem(file, line, (), wrong, t("keep one of the two", "hãy giữ lại một trong hai"))
    said = str(getattr(error, "problem", "") or "").strip()
    wrong = t(f"is not YAML here ({said})", f"không đúng cú pháp YAML tại đây ({said})")
    write = t(
        "check indentation (spaces, no tabs), colons and quotes on this line and the one above",
        "hãy kiểm tra thụt dòng (dấu cách, không dùng tab), dấu hai chấm và dấu nháy ở dòng này và dòng trên",
    )
    return Problem(file, line, (), wrong, write)


def _unreadable(path: Path, error: OSError) -> Problem:
    wrong = t(f"cannot be read ({error.strerror})", f"không đọc được ({error.strerror})")
    write = t(
        f"give the right file with --config, or copy the example to {path.name}",
        f"hãy chỉ đúng tệp bằng --config, hoặc sao chép tệp ví dụ thành {path.name}",
    )
    return Problem(str(path), 1, (), wrong, write)


def _too_large(file: str) -> Problem:
    return Problem(
        file,
        1,
        (),
        t("is too large for a configuration", "quá lớn so với một tệp cấu hình"),
        t(f"keep it below {MAX_BYTES} bytes, without nested aliases", f"hãy giữ dưới {MAX_BYTES} byte, không bí danh"),
    )
