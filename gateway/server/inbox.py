"""`/v1/inbox`: how a ministry without an interface collects its dossiers (docs/inbox.md).

Routes only: who calls is decided before (`inbox_door`), what it means behind (`gateway.inbox`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, cast
from urllib.parse import quote

from fastapi import APIRouter, Body, Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from adapters.inbox.problems import MEDIA_TYPE, PROBLEMS, body_of
from gateway import __version__
from gateway.access import Access
from gateway.config import Config, ServerConfig
from gateway.inbox.answers import Answers
from gateway.inbox.cursor import PATTERN
from gateway.inbox.items import Item, Items, RefusedError
from gateway.server.inbox_description import TEXT, described, problems
from gateway.server.inbox_door import COME_AGAIN_S, PORTAL, InboxDoor, rules_of
from gateway.server.inbox_models import (
    AcknowledgementBody,
    AcknowledgementReply,
    AttachmentSummary,
    ItemDetail,
    ItemPage,
    ItemSummary,
    RefusalBody,
    ReportBody,
    ReportReply,
)
from schemas.clock import Clock

PREFIX = "/v1"
_AT_ONCE = 200
_STATUSES = {400: "malformed", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}

After = Annotated[str, Query(pattern=PATTERN, description="`next` of your last page", examples=["1f-09c3ab"])]
Limit = Annotated[int, Query(ge=1, le=_AT_ONCE, description="Most items at once")]
Known = Annotated[str | None, Header(alias="If-None-Match", description="An ETag you hold", max_length=2000)]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{8,128}$",
        description="Names this report: repeat it with the report until you have an answer",
        examples=["2026-000123-completed"],
    ),
]


async def _said(request: Request) -> bytes:
    return await request.body()


def _only_json(request: Request) -> None:
    if not _is_json(request):
        raise RefusedError("media_type")


Said = Annotated[bytes, Depends(_said)]
"""The caller's body, byte for byte."""


class Interface:
    """The routes; each asks the inbox of the ministry that calls."""

    def __init__(self, items: Items, answers: Answers, clock: Clock) -> None:
        self._items = items
        self._answers = answers
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes with their descriptions."""
        router = APIRouter(prefix="/inbox", tags=["inbox"])
        add = router.add_api_route
        read = (400, 401, 403, 429, 503)
        add(
            "/items",
            self.page,
            response_model=ItemPage,
            summary="List",
            responses=problems(*read, 409, known=True, lists=True),
        )
        one = (*read, 404)
        add(
            "/items/{item_id}",
            self.item,
            response_model=ItemDetail,
            summary="Fetch one item",
            responses=problems(*one, known=True),
        )
        add(
            "/items/{item_id}/content",
            self.content,
            response_class=Response,
            summary="Fetch its content, byte for byte",
            responses=problems(*one, known=True, content="application/json"),
        )
        add(
            "/items/{item_id}/attachments/{attachment_id}",
            self.attachment,
            response_class=Response,
            summary="Fetch a file",
            responses=problems(*one, known=True, content="*/*"),
        )
        told = (*one, 409, 413, 415, 422)
        add(
            "/items/{item_id}/acknowledgement",
            self.acknowledge,
            dependencies=[Depends(_only_json)],
            methods=["POST"],
            response_model=AcknowledgementReply,
            summary="Say that you have it",
            responses=problems(*told),
        )
        add(
            "/items/{item_id}/refusal",
            self.refuse,
            dependencies=[Depends(_only_json)],
            methods=["POST"],
            response_model=ReportReply,
            status_code=202,
            summary="Say that you do not take it, and why",
            responses=problems(*told),
        )
        add(
            "/items/{item_id}/reports",
            self.report,
            dependencies=[Depends(_only_json)],
            methods=["POST"],
            response_model=ReportReply,
            status_code=202,
            summary="Report how your stage stands",
            responses=problems(*told),
        )
        return router

    def page(
        self, request: Request, after: After = "", limit: Limit = 50, waiting: bool = True, known: Known = None
    ) -> Response:
        """Items behind `after`, oldest first. `waiting=false` lists those that are settled as well."""
        found = self._items.page(_portal(request), after, limit, waiting=waiting)
        page = ItemPage(items=[ItemSummary(**_summary(item)) for item in found.items], next=found.next, more=found.more)
        return _tagged(page.model_dump_json(exclude_none=True).encode(), known)

    def item(self, request: Request, item_id: str, known: Known = None) -> Response:
        """What it is, where its content and files are, and what you may report."""
        portal = _portal(request)
        item = self._items.item(portal, item_id)
        here = f"{PREFIX}/inbox/items/{item.id}"
        detail = ItemDetail(
            **_summary(item),
            content_path=f"{here}/content",
            attachments=[
                AttachmentSummary(
                    attachment_id=file.id,
                    name=file.name,
                    media_type=file.media_type,
                    size=file.size,
                    sha256=file.sha256,
                    path=f"{here}/attachments/{file.id}",
                )
                for file in self._items.attachments(portal, item)
            ],
            reportable=[status.value for status in self._items.adapter(portal).options.statuses],
        )
        return _tagged(detail.model_dump_json(exclude_none=True).encode(), known)

    def content(self, request: Request, item_id: str, known: Known = None) -> Response:
        """The dossier. SHA-256 over these bytes is the item's digest."""
        item, body = self._items.content(_portal(request), item_id)
        return _tagged(body, known, tag=item.digest)

    def attachment(self, request: Request, item_id: str, attachment_id: str, known: Known = None) -> Response:
        """One file, streamed."""
        file, slices = self._items.open(_portal(request), item_id, attachment_id)
        if _holds(known, file.sha256):
            return Response(status_code=304, headers={"ETag": f'"{file.sha256}"'})
        headers = {
            "ETag": f'"{file.sha256}"',
            "Content-Length": str(file.size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        }
        return StreamingResponse(slices, media_type=file.media_type, headers=headers)

    def acknowledge(
        self, request: Request, item_id: str, told: Annotated[AcknowledgementBody, Body()], body: Said
    ) -> Response:
        """Say it only when you have stored the content: it is our proof that you have it. Repeats are harmless."""
        said = self._answers.acknowledge(_portal(request), item_id, told.digest, body)
        reply = AcknowledgementReply(
            acknowledgement_id=said.id, item_id=said.item, digest=said.digest, acknowledged_at=said.at
        )
        return Response(reply.model_dump_json(), media_type="application/json")

    def refuse(self, request: Request, item_id: str, told: Annotated[RefusalBody, Body()], body: Said) -> Response:
        """Instead of an acknowledgement. The province and the citizen hear your reason."""
        now = self._clock.now()
        reply = self._answers.refuse(_portal(request), item_id, told.digest, told.reason, now, body)
        return Response(reply.body, reply.status, dict(reply.headers), reply.media_type)

    def report(self, request: Request, item_id: str, key: Key, told: Annotated[ReportBody, Body()]) -> Response:
        """As often as your stage moves. The same key with other content corrects the earlier report."""
        plain = told.model_dump(exclude_none=True, exclude={"results"})
        results = [_result(result.model_dump(exclude_none=True)) for result in told.results]
        plain |= {"results": results} if results else {}
        reply = self._answers.report(_portal(request), item_id, key, plain, self._clock.now())
        return Response(reply.body, reply.status, dict(reply.headers), reply.media_type)


def inbox_app(config: Config, items: Items, answers: Answers, *, access: Access, clock: Clock) -> InboxDoor:
    """The whole interface, to be mounted at `/v1`; its description stands at `/v1/openapi.json`."""
    app = FastAPI(
        title="Liên Thông: inbox of a ministry",
        version=__version__,
        description=TEXT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would send the caller, with his key, to whatever host his call names
        max_body_size=(config.server or ServerConfig()).max_body_bytes,
    )
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.include_router(Interface(items, answers, clock).router())
    app.openapi = described(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return InboxDoor(app, access, rules_of(config), clock)


def _portal(request: Request) -> str:
    return cast("str", request.scope["state"][PORTAL])


def _summary(item: Item) -> dict[str, Any]:
    names = ("operation", "state", "dossier_code", "digest", "offered_at", "settled_at")
    return {"item_id": item.id, **{name: getattr(item, name) for name in names}}


def _result(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if name == "issued_on" else value for name, value in result.items()}


def _tagged(body: bytes, known: str | None, tag: str = "") -> Response:
    tag = tag or hashlib.sha256(body).hexdigest()
    headers = {"ETag": f'"{tag}"'}
    if _holds(known, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _holds(known: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` names this tag."""
    named = {part.strip().removeprefix("W/").strip('"') for part in (known or "").split(",")}
    return tag in named or "*" in named


def _answer(
    code: str, detail: str = "", errors: Sequence[dict[str, str]] = (), headers: dict[str, str] | None = None
) -> Response:
    return Response(body_of(code, detail, errors), PROBLEMS[code].status, headers, MEDIA_TYPE)


def _refused(_request: Request, error: Exception) -> Response:
    refused = cast("RefusedError", error)
    return _answer(refused.code, refused.detail)


def _http(request: Request, error: Exception) -> Response:
    found = cast("HTTPException", error)
    if found.status_code == 400 and not _is_json(request):
        return _answer("media_type")
    code = _STATUSES.get(found.status_code, "come_again" if found.status_code >= 500 else "malformed")
    headers = dict(found.headers or {})
    if code == "come_again":
        headers["Retry-After"] = str(COME_AGAIN_S)
    return _answer(code, headers=headers)


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    plain = request.headers.get("content-encoding", "identity").strip().lower() in ("", "identity")
    return kind == "application/json" and plain


def _not_valid(request: Request, error: Exception) -> Response:
    """Which fields, by which rule; never what stood there."""
    if request.method == "POST" and not _is_json(request):
        return _answer("media_type")
    found = cast("RequestValidationError", error).errors()
    errors = [{"field": ".".join(map(str, one["loc"])), "rule": str(one["type"])} for one in found[:50]]
    places = {str(one["loc"][0]) for one in found}
    if any(one["type"] == "json_invalid" for one in found):
        return _answer("malformed", "the body is not JSON")
    if any(one["loc"][-1] == "Idempotency-Key" for one in found):
        return _answer("idempotency_key_missing", errors=errors)
    if any(one["loc"] == ("query", "after") for one in found):
        return _answer("cursor_unknown")
    return _answer("invalid" if places == {"body"} else "malformed", errors=errors)
