"""The HTTP server beside the runner: what `lienthong run` starts where the configuration has a section `server`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def addresses(gateway: Gateway, http: HttpServer | None) -> list[tuple[str, str]]:
    """(portal, address) of each place where a portal may call; a secret word shows as its reference."""
    if http is None:
        return []
    found = []
    for name, listed in receivers(gateway).items():
        inbound = gateway.config.portals[name].inbound
        if inbound is None:
            continue
        for prefix in (f"/in/{name}", *inbound.at):
            begin = f"{http.public_url}{prefix}" + (f"/{inbound.secret}" if inbound.secret else "")
            found += [(name, f"{begin}/{path}".rstrip("/")) for one in listed for path in one.paths]
    inboxes = [name for name, portal in gateway.portals.items() if portal.adapter.abilities.collected]
    return found + [(name, f"{http.public_url}/v1/inbox") for name in inboxes]
