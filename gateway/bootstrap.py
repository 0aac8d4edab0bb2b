"""Config -> running objects below the faces; the only module that knows every part."""

from __future__ import annotations

import ctypes
import gc
import hashlib
import random
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from adapters import registry
from adapters.base import PortalContext
from adapters.receiving import Receiver, Receives
from gateway.config import Config, PortalConfig
from gateway.config_file.portals import SECRET, texts
from gateway.config_file.vocabulary import vocabulary
from gateway.files.fetching import Fetcher
from gateway.inbound.answers import Answers
from gateway.inbound.files import FileStore
from gateway.inbound.intake import Desk, Intake
from gateway.inbound.journal import Journal
from gateway.inbound.replay import replay, replay_call
from gateway.inbound.stored import StoredFiles
from gateway.inbound.take_in import Taker
from gateway.inbound.upkeep import upkeep
from gateway.secret_values import Secrets
from gateway.signing import SigningRing
from gateway.store.base import Store, Vault
from gateway.store.opening import open_store
from gateway.store.sqlite import SqliteStore
from gateway.sync.case import Workshop
from gateway.sync.context import LoginHold, StoredKnown, StoredSessions, TokenBucket
from gateway.sync.engine import Engine
from gateway.sync.operate import Operator
from gateway.sync.portal import Breaker, Portal
from gateway.sync.right_of_way import RightOfWay
from gateway.vault import KeyRing
from schemas.clock import Clock, SystemClock

_M_ARENA_MAX = -8  # of malloc.h


class Waker:
    """Passes "this portal has lanes due" on to whoever runs jobs; until someone listens it is said to nobody.

    `ear` hears in the same way that calls of a portal wait to be taken in, `porter` that files of it are wanted.
    """

    def __init__(self) -> None:
        self.listener: Callable[[str], None] | None = None
        self.ear: Callable[[str], None] | None = None
        self.porter: Callable[[str], None] | None = None

    def wanted(self, portal: str) -> None:
        """Wake the portal's job that fetches files."""
        if self.porter is not None:
            self.porter(portal)

    def heard(self, portal: str) -> None:
        """Wake the portal's inbound job."""
        if self.ear is not None:
            self.ear(portal)

    def __call__(self, portal: str) -> None:
        """Wake the portal's deliver job."""
        if self.listener is not None:
            self.listener(portal)


@dataclass(frozen=True, slots=True)
class Inbound:
    """What takes calls in: `receivers` are endpoints by portal and name."""

    desk: Desk
    intake: Intake
    taker: Taker
    journal: Journal
    receivers: Mapping[str, Mapping[str, Receiver]]

    def replay(self) -> int:
        """After a restore, store what the journal holds and the store lacks; says how many calls."""
        return replay(self.desk, self.receivers)

    def replay_call(self, quarantine_id: int, plain: bytes) -> str:
        """Judge a quarantined call afresh; says "replayed", or why not."""
        return replay_call(self.desk, self.receivers, quarantine_id, plain)

    def upkeep(self) -> None:
        """Remove what has had its day."""
        upkeep(self.desk)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything below the faces. Close it, or use it as a context manager."""

    config: Config
    store: SqliteStore
    vault: KeyRing
    portals: Mapping[str, Portal]
    holds: Mapping[str, LoginHold]
    engine: Engine
    operator: Operator
    clock: Clock
    waker: Waker
    inbound: Inbound
    signer: SigningRing
    fetchers: Mapping[str, Fetcher]
    """By portal, of those whose files can be asked for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back connections, finish what was submitted, close the files; each even if another fails."""
        with ExitStack() as last:
            last.callback(self.vault.close)
            last.callback(self.store.close)
            for portal in self.portals.values():
                last.callback(portal.adapter.close)
            last.callback(self.inbound.journal.close)


def new_id() -> str:
    """An id that sorts by the time it was made: 48 bits of milliseconds, 80 random ones, in hexadecimal."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def collect_rarely() -> None:
    """Let Python look for dead cycles about once a page instead of once every few records.

    Pages are trees without cycles, freed at once by their counts; looking through them at the default pace took a fifth
    of a pull (docs/performance.md). Peak memory is the same.
    """
    gc.set_threshold(20_000, 20, 100)


def share_arenas() -> None:
    """Let all threads take memory from one pool of the C library, where it is glibc.

    Left alone it makes a pool for almost every thread, and each keeps its highest water: ten thousand broken calls made
    the process larger by 60 MiB so, and by 20 MiB with one pool, though nothing more was in use.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def open_gateway(
    config: Config,
    *,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
    rng: random.Random | None = None,
    ids: Callable[[], str] = new_id,
) -> Gateway:
    """Open store and key ring, build every portal's adapter and the engine; nothing is called at any portal.

    Raises:
        ConfigError: A kind, its options or a mapping cannot be used, or the key ring is open to others.
        StoreError: The store cannot be opened.
    """
    collect_rarely()
    share_arenas()
    clock = clock or SystemClock()
    known = Secrets(config.secrets_file, environ)
    with ExitStack() as undo:
        for path in (Path(config.store.path), Path(config.store.key_ring), config.store.signing_path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        vault = KeyRing(Path(config.store.key_ring))
        undo.callback(vault.close)
        store = open_store(Path(config.store.path))
        undo.callback(store.close)
        signer = SigningRing(config.store.signing_path, clock)
        holds = {name: _hold(name, entry, store, vault, clock, known) for name, entry in config.portals.items()}
        portals: dict[str, Portal] = {}
        right_of_way = RightOfWay()
        for name, entry in config.portals.items():
            portals[name] = _portal(name, entry, config, store, vault, clock, known, holds[name], right_of_way)
            undo.callback(portals[name].adapter.close)
        waker = Waker()
        shop = Workshop(
            config=config,
            store=store,
            vault=vault,
            portals=portals,
            clock=clock,
            random=rng or random.Random(),
            new_id=ids,
            wake=waker,
            signer=signer,
            fetch=waker.wanted,
            right_of_way=right_of_way,
        )
        engine = Engine(shop)
        inbound = _inbound(engine, shop, waker)
        kept = inbound.desk.files
        fetchers = {name: Fetcher(shop, portal, kept) for name, portal in portals.items() if portal.opens_files}
        undo.pop_all()
    operator = Operator(engine)
    return Gateway(config, store, vault, portals, holds, engine, operator, clock, waker, inbound, signer, fetchers)


def _inbound(engine: Engine, shop: Workshop, waker: Waker) -> Inbound:
    files = FileStore(Path(shop.config.store.files), shop.vault)
    journal = Journal(Path(shop.config.store.journal), shop.vault)
    answers = Answers(shop.config, shop.store, shop.vault, files, shop.clock)
    desk = Desk(
        shop.config,
        shop.store,
        shop.vault,
        files,
        journal,
        shop.portals,
        shop.clock,
        answers,
        waker.heard,
        right_of_way=shop.right_of_way,
    )
    receivers = {
        name: {receiver.name: receiver for receiver in portal.adapter.receivers()}
        for name, portal in shop.portals.items()
        if isinstance(portal.adapter, Receives)
    }
    taker = Taker(engine, shop.store, shop.vault, receivers, desk.fresh)
    return Inbound(desk, Intake(desk), taker, journal, receivers)


def _hold(name: str, entry: PortalConfig, store: Store, vault: Vault, clock: Clock, known: Secrets) -> LoginHold:
    """The hold of refused logins; its mark is a keyed hash of the portal's secrets as they are now."""
    references = [f"${{{found}}}" for _, text in texts(entry.options, ()) for found in SECRET.findall(text)]

    def mark() -> str:
        values = known.values()
        held = orjson.dumps([values.get(reference[2:-1], "") for reference in references])
        return vault.blind(hashlib.sha256(held).hexdigest())[:16]

    return LoginHold(name, store, clock, mark)


def _portal(
    name: str,
    entry: PortalConfig,
    config: Config,
    store: Store,
    vault: Vault,
    clock: Clock,
    known: Secrets,
    hold: LoginHold,
    right_of_way: RightOfWay,
) -> Portal:
    context = PortalContext(
        portal=name,
        clock=clock,
        budget=TokenBucket(entry.budget, clock, right_of_way),
        sessions=StoredSessions(name, store, vault, clock, hold),
        known=StoredKnown(name, store),
        secret=known.resolve,
        call_timeout_s=entry.call_timeout_s,
        agency_code=config.province.agency_code,
        open_stored=StoredFiles(tuple(config.portals), store, FileStore(Path(config.store.files), vault)),
    )
    adapter = registry.build(entry.kind, context, entry.options)
    state = store.read(lambda tx: tx.portal(name)).breaker
    breaker = Breaker(entry.breaker, clock, state)
    return Portal(name, entry, adapter, vocabulary(entry.mapping), clock, breaker=breaker)
