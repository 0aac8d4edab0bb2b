"""What a pushed dossier says: its number, what kind of call it is, whether it can be read, and its digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import normalize

from adapters.base import JsonValue
from adapters.npsp.contract import contract, problems
from adapters.npsp.receiving.body import Fields, Told, UnreadableBodyError, text_of
from adapters.npsp.receiving.files import REFERENCE, stable
from adapters.npsp.receiving.options import Kind, PushOptions
from adapters.npsp.receiving.times import is_readable
from adapters.npsp.reply import field_of
from schemas.canonical import digest

EVENT = "SuKien"
"""The field of a record that says what happened; made here, because the wire says it in different places."""
LONGEST_NUMBER = 100
_OURS = frozenset({EVENT.casefold(), REFERENCE.casefold()})
_AMENDED = "ThongTinSuaDoi"


def without_ours(value: JsonValue) -> JsonValue:
    """The same value without fields that carry our own names: nobody outside may set them."""
    if isinstance(value, Mapping):
        return {name: without_ours(item) for name, item in value.items() if name.strip().casefold() not in _OURS}
    return [without_ours(item) for item in value] if isinstance(value, list) else value


def number_of(fields: Mapping[str, JsonValue], options: PushOptions) -> str:
    """The national number, trimmed and in NFC.

    Raises:
        UnreadableBodyError: None, too long, with blanks or signs that no number has, a truth, or two different ones.
    """
    said = {text_of(fields, (name,)) for name in options.number} - {""}
    if any(isinstance(field_of(fields, name), bool) for name in options.number):
        said.clear()
    number = said.pop() if len(said) == 1 else ""
    if not _is_code(number):
        raise UnreadableBodyError("number", "no usable dossier number")
    return number


def kind_of(fields: Mapping[str, JsonValue], told: Told, options: PushOptions) -> Kind:
    """What the call is: by a field's word, else a supplement where the envelope updates, else a submission."""
    for name in options.said_in:
        kind = options.says.get(text_of(fields, (name,)))
        if kind is not None:
            return kind
    return "supplement" if told.updating or field_of(fields, _AMENDED) else "submission"


def check(part: Fields, kind: Kind, options: PushOptions) -> None:
    """Refuse what no mapping could read or no province create; said at once, so that the portal can mend it.

    Raises:
        UnreadableBodyError: A required field is empty, a field has another type or form than the contract's.
    """
    missing = [name for name in options.required if not text_of(part, (name,))] if kind == "submission" else []
    if missing:
        raise UnreadableBodyError("missing", f"empty: {', '.join(missing)}")
    for names in (options.procedure, options.agency):  # kept in plain: a name in their place would be, too
        if (code := text_of(part, names)) and not _is_code(code):
            raise UnreadableBodyError("fields", f"{names[0]}: không đúng định dạng")
    schema = contract(options.contract)
    broken = next(problems(part, schema), None) or next(_unreadable_times(part, schema), None)
    if broken:
        raise UnreadableBodyError("fields", broken)


def give_agency(part: Fields, options: PushOptions) -> str:
    """The agency that handles it: as named, else as configured for its procedure; written into the part."""
    named = text_of(part, options.agency)
    if not named and options.agencies:
        named = options.agencies.get(text_of(part, options.procedure)) or options.agencies.get("*", "")
        if named:
            part[options.agency[0]] = named
    return named


def event_of(part: Mapping[str, JsonValue], kind: Kind, said: str, options: PushOptions) -> Fields:
    """What happened: an identity of its own, so that hearing it again is harmless, and its own time where told.

    A submission happens once; a supplement or a withdrawal with other content is another one.
    """
    times = options.submitted_at if kind == "submission" else options.acted_at
    event = {"Ma": kind if kind == "submission" else f"{kind}:{said[:16]}", "Loai": kind}
    at, note = text_of(part, times), text_of(part, options.reason)
    return event | ({"ThoiDiem": at} if at else {}) | ({"NoiDung": note} if note and kind != "submission" else {})


def message_of(part: Mapping[str, JsonValue], options: PushOptions) -> str:
    """The mapping message to read it with: a promotion's supplement has a shape of its own (npsp.md 3.7)."""
    return "supplement" if _AMENDED in part else options.message


def digest_of(part: Mapping[str, JsonValue], kind: Kind, options: PushOptions) -> str:
    """Digest of what was said: case of names, blanks, nulls, addresses' time stamps and volatile fields left out."""
    return digest([kind, _steady(part, options, frozenset(name.casefold() for name in options.volatile))])


def _steady(value: JsonValue, options: PushOptions, volatile: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        known = {name.strip().casefold(): _steady(item, options, volatile) for name, item in value.items()}
        if REFERENCE.casefold() in known:  # the stored file says it all; its address may be new at each push
            known = {name: item for name, item in known.items() if not _is_address(item)}
        return {name: item for name, item in known.items() if name not in volatile and item not in (None, "", [], {})}
    if isinstance(value, list):
        return [_steady(item, options, volatile) for item in value]
    text = normalize("NFC", value).strip() if isinstance(value, str) else value
    return stable(text, options) if _is_address(text) else text


def _is_address(value: JsonValue) -> bool:
    return isinstance(value, str) and value[:8].lower().startswith(("http://", "https://")) and " " not in value


def _is_code(text: str) -> bool:
    return 0 < len(text) <= LONGEST_NUMBER and text.isprintable() and " " not in text


def _unreadable_times(part: JsonValue, schema: Mapping[str, Any]) -> Iterator[str]:
    known = schema.get("properties", {})
    for name, value in part.items() if isinstance(part, Mapping) else ():
        if known.get(name, {}).get("format") == "local-time" and value and not is_readable(str(value)):
            yield f"{name}: không đúng định dạng"
