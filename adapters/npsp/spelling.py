"""How the simulated portal spells its answers: the oddities of codes, names, wrapping and content types."""

from __future__ import annotations

from typing import Any

import orjson

from adapters.base import JsonValue
from adapters.npsp.switches import Switches
from adapters.simulation import Reply

_BOM = b"\xef\xbb\xbf"


def written(switches: Switches, operation: str, code: JsonValue, text: str) -> Reply:
    """The answer to a write: code and text, or the text alone."""
    if operation in switches.plain_text:
        return _reply(switches, text.encode())
    return _wrapped(switches, _code(switches, code) | {"message": text})


def listed(switches: Switches, rows: list[dict[str, Any]], text: str = "Thành công") -> Reply:
    """The answer to a read, `result` in the shape the switch asks for."""
    body = _code(switches, 0) | {"message": text}
    match switches.read_shape:
        case "array":
            body["result"] = rows
        case "data":
            body["data"] = rows
        case "null":
            body["result"] = None
        case "object":
            body["result"] = rows[0] if rows else {}
        case "string":
            body["result"] = orjson.dumps(rows).decode()
    return _wrapped(switches, body)


def logged_in(switches: Switches, session: str) -> Reply:
    """The answer to an accepted login."""
    return _reply(switches, orjson.dumps(_code(switches, 0) | {"session": session, "message": "Đăng nhập thành công"}))


def in_message(reply: Reply) -> Reply:
    """A facade's read answer: the portal's own answer as text inside `message` (case 5)."""
    body = orjson.dumps({"message": reply.body.decode("utf-8-sig")})
    return Reply(reply.status, body, content_type=reply.content_type)


def _code(switches: Switches, code: JsonValue) -> dict[str, Any]:
    match switches.code_form:
        case "missing":
            return {}
        case "null":
            return {switches.code_key: None}
        case "text":
            return {switches.code_key: str(code)}
        case "spaced":
            return {switches.code_key: f" {code} "}
        case "double_zero":
            return {switches.code_key: "00" if code == 0 else str(code)}
    return {switches.code_key: code}


def _wrapped(switches: Switches, body: dict[str, Any]) -> Reply:
    match switches.wrapping:
        case "string":
            return _reply(switches, orjson.dumps(orjson.dumps(body).decode()))
        case "message":
            return _reply(switches, orjson.dumps({"message": orjson.dumps(body).decode()}))
        case "response":
            outer = {"code": "200", "status": "OK", "correlationId": "simulated", "response": body}
            return _reply(switches, orjson.dumps(outer))
    return _reply(switches, orjson.dumps(body))


def _reply(switches: Switches, body: bytes) -> Reply:
    return Reply(200, (_BOM if switches.byte_order_mark else b"") + body, content_type=switches.content_type)
