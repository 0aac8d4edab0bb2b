"""The description of `/v1/inbox` as OpenAPI 3.1: what FastAPI cannot see from the routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from adapters.inbox.problems import MEDIA_TYPE, PROBLEMS, TYPE
from gateway.server.inbox_models import ProblemBody

TEXT = """Collect the dossiers that a province hands over to you, and report what becomes of them.

1. `GET /inbox/items`: what waits, in order. Keep `next` and give it as `after`.
2. `GET /inbox/items/{item_id}` and its content and files. SHA-256 over the content is the item's digest.
3. `POST .../acknowledgement` when you have stored it, or `.../refusal` with your reason.
4. `POST .../reports` whenever your stage moves, each with an `Idempotency-Key` of its own.

All answers may be asked for again, all calls may be repeated. Times are RFC 3339 with zone. Errors are problem+json
with stable codes; docs/inbox.md says what to do about each."""

_OF_CURSORS = ("cursor_unknown", "cursor_foreign")
_CONFLICT = 409
_PROBLEM = {"$ref": "#/components/schemas/ProblemBody"}


def problems(
    *statuses: int, known: bool = False, content: str = "", lists: bool = False
) -> dict[int | str, dict[str, Any]]:
    """The answers of one operation that its model does not tell. `lists`: it takes a cursor."""
    found: dict[int | str, dict[str, Any]] = {status: _problem(status, lists=lists) for status in sorted(statuses)}
    if known:
        found[304] = {"description": "You hold it already"}
    if content:
        found[200] = {"description": "The bytes", "content": {content: {"schema": {}}}}
    return found


def _problem(status: int, *, lists: bool) -> dict[str, Any]:
    here = {code: one for code, one in PROBLEMS.items() if one.status == status and _is_told(code, status, lists=lists)}
    examples = {
        code: {"value": {"type": TYPE + code, "title": one.title, "status": status, "code": code, "detail": one.todo}}
        for code, one in here.items()
    }
    text = "; ".join(f"`{code}`: {one.title}" for code, one in here.items())
    return {"description": text, "content": {MEDIA_TYPE: {"schema": _PROBLEM, "examples": examples}}}


def _is_told(code: str, status: int, *, lists: bool) -> bool:
    """Codes of cursors only where there are cursors; of conflicts nothing else there."""
    return lists if code in _OF_CURSORS else not (lists and status == _CONFLICT)


def described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What gives the description of an application; made once."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(_made(app))
        return made

    return openapi


def _made(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        servers=[{"url": "/v1"}],
    )
    parts = made["components"]
    for name in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(name, None)
    parts["schemas"]["ProblemBody"] = ProblemBody.model_json_schema()
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key that the province gave you"},
        "certificate": {"type": "mutualTLS", "description": "Your client certificate, where it is agreed"},
    }
    made["security"] = [{"key": []}, {"certificate": []}]
    for path in made["paths"].values():
        for operation in path.values():
            if operation["responses"].get("422", {}).get("description") == "Validation Error":
                del operation["responses"]["422"]
    return made
