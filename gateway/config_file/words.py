"""What pydantic found wrong, in words a person can act on: what was found, what was expected, what to write."""

from __future__ import annotations

import difflib
import types
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.config import TIME_OF_DAY
from gateway.config_file.lines import Document
from gateway.config_file.problem import Place, Problem
from gateway.language import t

SHOWN = 40
_BRANCHES = ("one", "many")
_LIMITS = {
    "greater_than": ("gt", "greater than", "lớn hơn"),
    "greater_than_equal": ("ge", "at least", "ít nhất là"),
    "less_than": ("lt", "less than", "nhỏ hơn"),
    "less_than_equal": ("le", "at most", "nhiều nhất là"),
}


def problems_of(error: ValidationError, document: Document, model: type[BaseModel], at: Place = ()) -> list[Problem]:
    """One problem per error; `at` is where in the file the model's values stand."""
    return [_problem(found, document, model, at) for found in error.errors(include_url=False)]


def _problem(found: ErrorDetails, document: Document, model: type[BaseModel], at: Place) -> Problem:
    inside = tuple(part for part in found["loc"] if part != "[key]")
    place = _written(document, (*at, *inside), found["type"])
    wrong, write = _words(found, model, inside)
    return document.problem(place, wrong, write)


def _written(document: Document, place: Place, kind: str) -> Place:
    """The place without the branch names of a union; a missing key keeps its own name."""
    if kind == "missing":
        return place
    kept: Place = ()
    for part in place:
        if (*kept, part) in document.lines:
            kept = (*kept, part)
        elif part not in _BRANCHES:
            break
    return kept


def _words(found: ErrorDetails, model: type[BaseModel], inside: Place) -> tuple[str, str]:
    kind, context, value = found["type"], found.get("ctx", {}), found["input"]
    if kind == "missing":
        return t("is missing", "còn thiếu"), t("add this key", "hãy thêm khoá này")
    if kind == "extra_forbidden":
        return t("is not a key of this section", "không phải là khoá của mục này"), _nearest(model, inside)
    if kind in ("literal_error", "enum"):
        expected = context["expected"]
        return (
            t(f"found {_shown(value)}, which is none of the values", f"thấy {_shown(value)}, không thuộc các giá trị"),
            t(f"write {expected}", f"hãy viết {expected}".replace(" or ", " hoặc ")),
        )
    if kind in _LIMITS:
        name, en, vi = _LIMITS[kind]
        return (
            t(
                f"found {_shown(value)}, must be {en} {context[name]:g}",
                f"thấy {_shown(value)}, phải {vi} {context[name]:g}",
            ),
            t(f"write a number that is {en} {context[name]:g}", f"hãy viết một số {vi} {context[name]:g}"),
        )
    if kind == "value_error":
        return _ours(str(context["error"]))
    return _shape(kind, found)


def _ours(said: str) -> tuple[str, str]:
    """Our own validators say "what is wrong: what to do", or only one of the two."""
    if said.startswith("write "):
        return t("is not what may stand here", "không được viết ở đây như vậy"), said
    wrong, _, write = said.partition(": ")
    return wrong, write or t("change it", "hãy sửa lại")


def _shape(kind: str, found: ErrorDetails) -> tuple[str, str]:
    value = found["input"]
    got = t(f"found {_type(value)}", f"thấy {_type(value)}")
    if kind == "string_type":
        return got + t(", must be text", ", phải là văn bản"), t("put it in quotes", "hãy đặt trong dấu nháy")
    if kind == "string_pattern_mismatch":
        pattern = found["ctx"]["pattern"]
        if pattern == TIME_OF_DAY:
            write = t('write a time of day such as "07:30"', 'hãy viết giờ trong ngày, ví dụ "07:30"')
            return t("is not a time of day", "không phải giờ trong ngày"), write
        return t("has the wrong form", "sai dạng"), t(f"write it as {pattern}", f"hãy viết theo dạng {pattern}")
    if kind.startswith(("int", "float")):
        return got + t(", must be a number", ", phải là một số"), t("write a number", "hãy viết một số")
    if kind.startswith("bool"):
        return got + t(", must be true or false", ", phải là true hoặc false"), t(
            "write true or false", "true hoặc false"
        )
    if kind in ("tuple_type", "list_type"):
        return got + t(", must be a list", ", phải là danh sách"), t("write [first, second]", "hãy viết [một, hai]")
    if kind in ("model_type", "dict_type"):
        return got + t(", must be a section", ", phải là một mục"), t(
            "write keys below it", "hãy viết các khoá bên dưới"
        )
    return found["msg"], t("change it", "hãy sửa lại")


def _shown(value: Any) -> str:
    """Numbers, truths and short words; nothing that could be a secret reaches here (literals and numbers only)."""
    text = repr(value) if isinstance(value, (int, float, str)) else _type(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _type(value: Any) -> str:
    names = {
        "dict": t("a section", "một mục"),
        "list": t("a list", "một danh sách"),
        "str": t("text", "văn bản"),
        "int": t("a number", "một số"),
        "float": t("a number", "một số"),
        "bool": t("true or false", "true hoặc false"),
        "NoneType": t("nothing", "trống"),
    }
    return names.get(type(value).__name__, type(value).__name__)


def _nearest(model: type[BaseModel], inside: Place) -> str:
    section = _model_at(model, inside[:-1])
    if section is None:
        return t("remove it", "hãy bỏ khoá này")
    keys = [field.alias or name for name, field in section.model_fields.items()]
    close = difflib.get_close_matches(str(inside[-1]), keys, n=1)
    if close:
        return t(f"write {close[0]}, or remove it", f"hãy viết {close[0]}, hoặc bỏ khoá này")
    listed = ", ".join(keys)
    return t(f"remove it; the keys here are {listed}", f"hãy bỏ khoá này; các khoá ở đây là {listed}")


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model whose fields stand at a place, through dicts, lists and optional sections."""
    annotation: Any = model
    for part in place:
        found = next((m for m in _choices(annotation) if _is_model(m)), None)
        if found is not None:
            named = {field.alias or name: field for name, field in found.model_fields.items()}
            if part not in named:
                continue
            annotation = named[str(part)].annotation
        else:
            annotation = next(
                (get_args(choice)[-1 if _is_dict(choice) else 0] for choice in _choices(annotation)), None
            )
    return next((m for m in _choices(annotation) if _is_model(m)), None)


def _choices(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _choices(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [choice for one in get_args(annotation) if one is not type(None) for choice in _choices(one)]
    return [annotation] if _is_model(annotation) or get_args(annotation) else []


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_dict(annotation: Any) -> bool:
    return get_origin(annotation) is dict
