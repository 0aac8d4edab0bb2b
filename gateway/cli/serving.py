"""The HTTP server beside the runner: what `lienthong run` starts where the configuration has a section `server`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from adapters.receiving import Receiver, Receives
from gateway.bootstrap import Gateway
from gateway.secret_values import Secrets

if TYPE_CHECKING:
    from gateway.access import Access
    from gateway.server.doors import Receive
    from gateway.server.entrance import AsgiApp
    from gateway.server.http import HttpServer


def serve(gateway: Gateway, receive: Receive) -> HttpServer | None:
    """Start the server, or None where nothing is to listen.

    Raises:
        ListenError: The address cannot be listened at.
        ConfigError: The TLS files cannot be used.
    """
    server = gateway.config.server
    if server is None:
        return None
    from gateway.access import Access
    from gateway.access.networks import networks
    from gateway.inbox.keys import StoredKeys
    from gateway.server.app import build_app
    from gateway.server.http import HttpServer

    http = HttpServer(server)
    access = Access(gateway.clock, keys=StoredKeys(gateway.store), trusted_proxies=networks(server.trusted_proxies))
    app = build_app(
        gateway.config,
        receivers(gateway),
        receive,
        access=access,
        clock=gateway.clock,
        resolve=Secrets(gateway.config.secrets_file).resolve,
        ready=lambda: not gateway.store.failure,
        public_url=lambda: http.public_url,
        mounts=_inboxes(gateway, receive, access),
    )
    return http.start(app)


def _inboxes(gateway: Gateway, receive: Receive, access: Access) -> Mapping[str, AsgiApp]:
    """The interface for ministries that collect, where there is one."""
    if not any(portal.adapter.abilities.collected for portal in gateway.portals.values()):
        return {}
    from gateway.inbox.answers import Answers
    from gateway.inbox.items import Items
    from gateway.server.inbox import PREFIX, inbox_app

    shop = gateway.engine.shop
    items = Items(shop, gateway.inbound.desk.files)
    answers = Answers(shop, items, receive)
    return {PREFIX: inbox_app(gateway.config, items, answers, access=access, clock=gateway.clock)}


def receivers(gateway: Gateway) -> Mapping[str, Iterable[Receiver]]:
    """The endpoints of every portal that may call us."""
    return {
        name: cast("Receives", portal.adapter).receivers()
        for name, portal in gateway.portals.items()
        if portal.config.inbound is not None
    }


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint that a portal may call. A secret word shows as its reference.

    `address` is the plainest; `every` are all that lead here. `behind`: what may stand before its last part, and
    `below`: what may stand in the place of `/in/<portal>`.
    """

    portal: str
    receiver: str
    address: str
    every: tuple[str, ...]
    behind: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


def endpoints(gateway: Gateway, http: HttpServer | None) -> list[Endpoint]:
    """Everything that may be called, each receiver once for each path that is no other with something before it."""
    if http is None:
        return []
    found = []
    for name, listed in receivers(gateway).items():
        inbound = gateway.config.portals[name].inbound
        if inbound is None:
            continue
        word = f"/{inbound.secret}" if inbound.secret else ""
        roots = [f"{http.public_url}{prefix}{word}" for prefix in (f"/in/{name}", *inbound.at)]
        for one in listed:
            for path, behind in folded(one.paths).items():
                paths = (path, *("/".join(filter(None, (before, path))) for before in behind))
                every = tuple(f"{root}/{inner}".rstrip("/") for root in roots for inner in paths)
                found.append(Endpoint(name, one.name, every[0], every, behind, inbound.at))
    inboxes = [name for name, portal in gateway.portals.items() if portal.adapter.abilities.collected]
    at = f"{http.public_url}/v1/inbox"
    return [*found, *(Endpoint(name, "inbox", at, (at,)) for name in inboxes)]


def folded(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Each path that does not end in another, with what stands before it in those that do."""
    every = sorted(paths, key=len)
    found: dict[str, tuple[str, ...]] = {}
    for path in every:
        plain = next((one for one in found if not one or path.endswith(f"/{one}")), None)
        if plain is None:
            found[path] = ()
        else:
            found[plain] = (*found[plain], path.removesuffix(plain).rstrip("/"))
    return found
