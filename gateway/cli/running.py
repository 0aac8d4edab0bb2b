"""`lienthong run`: the gateway in the foreground until SIGTERM or SIGINT."""

from __future__ import annotations

import fcntl
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import typer

from gateway import __version__, log
from gateway.bootstrap import Gateway
from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, NotThereError, opened
from gateway.cli.printing import as_json, table, when
from gateway.cli.serving import Endpoint, endpoints, serve
from gateway.notify import Notices
from gateway.runner.cores import Cores
from gateway.runner.local import LocalRunner
from gateway.sync.retention import expire

WAIT_S = 1.0


def _upkeep(gateway: Gateway) -> None:
    """T6 of everything that is kept for a time only."""
    gateway.inbound.upkeep()
    expire(gateway.store, gateway.clock.now().timestamp())


def run(config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Exit 0 after a clean stop, 1 when the store could no longer be written."""
    log.configure()
    logger = log.get_logger()
    with opened(config) as gateway, alone(Path(gateway.config.store.path)):
        notices = Notices(gateway.store, gateway.config, gateway.clock)
        inbound = gateway.inbound
        runner = LocalRunner(
            gateway.engine,
            gateway.store,
            gateway.holds,
            gateway.clock,
            notices.watch,
            taker=inbound.taker,
            upkeep=partial(_upkeep, gateway),
            fetchers=gateway.fetchers,
        )
        gateway.waker.listener, gateway.waker.ear, gateway.waker.porter = runner.wake, runner.hear, runner.fetch
        inbound.replay()
        _stop_on_signals(runner)
        http = serve(gateway, inbound.intake.receive)
        try:
            _summary(gateway, endpoints(gateway, http), http.url if http else "", json=json)
            logger.info("gateway_started", version=__version__, portals=len(gateway.portals))
            cores = Cores(gateway.config.cores)
            runner.start()
            while not runner.ended.wait(WAIT_S):
                cores.look()
                if http is not None and not http.is_up:
                    break
        finally:
            fallen = http is not None and not http.is_up
            if http is not None:
                http.stop()
            runner.stop()
        failure = runner.failure or (t("the HTTP server ended", "máy chủ HTTP đã dừng") if fallen else "")
        logger.info("gateway_stopped", reason=failure or "asked to")
    if failure:
        typer.echo(f"lienthong: {failure}", err=True)
        raise typer.Exit(ExitCode.ERROR)


def _stop_on_signals(runner: LocalRunner) -> None:
    """The handler only sets a flag: the main thread does the stopping."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.ended.set())


@contextmanager
def alone(store: Path) -> Iterator[None]:
    """One `run` per store: two would each keep their own call budget at every portal."""
    with store.with_name(f"{store.name}.run").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NotThereError(
                t(
                    f"another 'lienthong run' works on {store.name}: stop it first",
                    f"một 'lienthong run' khác đang dùng {store.name}: hãy dừng nó trước",
                )
            ) from None
        yield


def _summary(gateway: Gateway, inbound: list[Endpoint], url: str, *, json: bool) -> None:
    """What this process will do, and what it will not."""
    config = gateway.config
    state = gateway.store.read(
        lambda tx: (tx.setting("paused") or "", {name: tx.portal(name) for name in config.portals})
    )
    paused, rows = state
    portals = [
        (
            name,
            entry.kind,
            gateway.portals[name].pulls,
            _writes(gateway, name, rows[name].mode, rows[name].paused or paused),
            rows[name].heard_at,
        )
        for name, entry in config.portals.items()
    ]
    if json:
        keys = ("portal", "kind", "reads", "writes", "heard_at")
        listed = [dict(zip(keys, portal, strict=True)) for portal in portals]
        about = {"version": __version__, "environment": config.environment, "store": config.store.path}
        calls = [
            {"portal": one.portal, "receiver": one.receiver, "address": address}
            for one in inbound
            for address in one.every
        ]
        as_json({**about, "portals": listed, "listens": url, "inbound": calls})
        return
    typer.echo(f"lienthong {__version__}  {config.environment}  {config.store.path}")
    heads = ("portal", t("kind", "loại"), t("reads", "đọc"), t("writes", "gửi"), t("heard", "liên lạc lần cuối"))
    words = {True: t("yes", "có"), False: t("no", "không")}
    table(heads, [(name, kind, words[reads], writes, when(heard)) for name, kind, reads, writes, heard in portals])
    if url:
        typer.echo(t(f"listens at {url}", f"nhận lời gọi tại {url}"))
    if inbound:
        called = (t("called by", "cổng gọi tới"), t("for", "để"), t("address", "địa chỉ"))
        table(called, [(one.portal, one.receiver, one.address) for one in inbound])
        for line in dict.fromkeys(filter(None, map(_elsewhere, inbound))):
            typer.echo(line)


def _elsewhere(one: Endpoint) -> str:
    """Under which other addresses a portal finds the same; "" where there is one only."""
    said = []
    if one.behind:
        listed = ", ".join(f"{before}/" for before in one.behind)
        said.append(t(f"with {listed} before the last part", f"thêm {listed} trước phần cuối"))
    if one.below:
        listed = ", ".join(one.below)
        said.append(t(f"with {listed} for /in/{one.portal}", f"dùng {listed} thay cho /in/{one.portal}"))
    also = t("the same address also", "cũng nhận tại địa chỉ đó khi")
    return f"{one.portal}: {also} {'; '.join(said)} (--json)" if said else ""


def _writes(gateway: Gateway, name: str, mode: str, paused: str) -> str:
    if not gateway.portals[name].pushes:
        return t("no: only read", "không: chỉ đọc")
    if mode != "live":
        return t("no: watched, see adopt", "không: chỉ theo dõi, xem adopt")
    return t(f"no: paused, {paused}", f"không: tạm dừng, {paused}") if paused else t("yes", "có")
