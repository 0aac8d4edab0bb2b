"""The application: liveness, readiness and the interfaces of other rooms, behind the entrance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from adapters.receiving import Receiver
from gateway import __version__
from gateway.access import Access
from gateway.config import Config, ServerConfig
from gateway.server.doors import Receive, doors
from gateway.server.entrance import AsgiApp, Entrance
from schemas.clock import Clock


def build_app(
    config: Config,
    receivers: Mapping[str, Iterable[Receiver]],
    receive: Receive,
    *,
    access: Access,
    clock: Clock,
    resolve: Callable[[str], str],
    ready: Callable[[], bool],
    public_url: Callable[[], str],
    routers: Iterable[APIRouter] = (),
    mounts: Mapping[str, AsgiApp] = MappingProxyType({}),
    openapi_url: str | None = None,
) -> Entrance:
    """Everything that can be called.

    Args:
        config: Its `server` section must be there.
        receivers: By portal; those of portals without `inbound` are not reachable.
        receive: Takes a portal's call in.
        access: Lets callers in; other rooms' routers ask the same one.
        clock: Wall time for calls, monotonic time for rates.
        resolve: Gives the secret behind a reference such as `${INBOUND_SECRET}`.
        ready: Whether a call could be stored now.
        public_url: How callers reach us, without a closing slash.
        routers: Interfaces of other rooms.
        mounts: By prefix, interfaces that stand on their own, with a description and a door-keeper of theirs.
        openapi_url: Where their description stands; None for nowhere.
    """
    server = config.server or ServerConfig()
    behind = FastAPI(
        title="Liên Thông",
        version=__version__,
        openapi_url=openapi_url,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=server.max_body_bytes,
    )
    behind.add_exception_handler(HTTPException, _plain)
    behind.include_router(_health(ready))
    for router in routers:
        behind.include_router(router)
    return Entrance(
        doors(config, receivers, resolve),
        _beside(behind, mounts),
        access=access,
        receive=receive,
        config=server,
        clock=clock,
        public_url=public_url,
    )


def _beside(behind: AsgiApp, mounts: Mapping[str, AsgiApp]) -> AsgiApp:
    """Gives each prefix to its application; Starlette's own mounts let a path with a line break through to the rest."""

    async def choose(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        for prefix, app in mounts.items():
            if f"{path}/".startswith(f"{prefix}/"):
                await app({**scope, "root_path": scope.get("root_path", "") + prefix}, receive, send)
                return
        await behind(scope, receive, send)

    return choose


def _plain(_: Request, error: Exception) -> PlainTextResponse:
    """No such address, or not with this verb: in one line, as at the portals' addresses."""
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = error.headers if isinstance(error, HTTPException) else None
    return PlainTextResponse(f"{status.value} {status.phrase}\n", status, headers)


def _health(ready: Callable[[], bool]) -> APIRouter:
    router = APIRouter()

    @router.api_route("/health", methods=["GET", "HEAD"], include_in_schema=False)
    def health() -> PlainTextResponse:
        """The process answers."""
        return PlainTextResponse("ok\n")

    @router.api_route("/ready", methods=["GET", "HEAD"], include_in_schema=False)
    def readiness() -> PlainTextResponse:
        """A call could be stored."""
        if ready():
            return PlainTextResponse("ready\n")
        return PlainTextResponse("not ready\n", HTTPStatus.SERVICE_UNAVAILABLE)

    return router
