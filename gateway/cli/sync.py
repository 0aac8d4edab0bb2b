"""`lienthong sync`: rounds in the foreground; with `--dry-run` only what would be written."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated

import typer

from gateway.bootstrap import Gateway
from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, chosen, opened
from gateway.cli.previewing import print_writes
from gateway.cli.printing import as_json, instant_of, progress_bar, table, when
from gateway.sync.context import ANSWERED, note_heard

NAP_S = 0.2

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[PORTAL]...", help=t("All by default.", "Mặc định: tất cả."))
]


@dataclass(slots=True)
class Rounds:
    """What rounds came to, per portal; `reasons` says why one was not read or written to the end."""

    rounds: int = 0
    read: dict[str, Counter[str]] = field(default_factory=dict)
    written: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    at_rest: bool = False


def sync(
    names: Names = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=t("Write nothing; name each write.", "Không gửi; nêu từng việc sẽ gửi."))
    ] = False,
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            help=t(
                "With --dry-run: as if watched portals were adopted from this day.",
                "Dùng với --dry-run: như thể các cổng đang theo dõi được tiếp nhận từ ngày này.",
            ),
        ),
    ] = "",
    until_rest: Annotated[
        bool,
        typer.Option("--until-rest", help=t("Rounds until nothing is owed.", "Lặp lại đến khi không còn gì phải gửi.")),
    ] = False,
    for_s: Annotated[
        float,
        typer.Option(
            "--for", min=0, help=t("Seconds at most, with --until-rest.", "Số giây tối đa, dùng với --until-rest.")
        ),
    ] = 600.0,
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Exit 0 when nothing is owed afterwards, 3 when something is, 1 when a portal could not be read."""
    line = instant_of(from_) if from_ else None
    if line is not None and not dry_run:
        raise typer.BadParameter(t("--from goes with --dry-run", "--from chỉ dùng với --dry-run"))
    with opened(config) as gateway:
        portals = chosen(gateway.config, list(names or ()))
        if dry_run:
            _preview(gateway, portals, line, json=json)
            return
        found = run_rounds(gateway, portals, until_rest=until_rest, for_s=for_s)
    if json:
        as_json(found)
    else:
        _print(found)
    raise typer.Exit(_code(found))


def run_rounds(gateway: Gateway, portals: list[str], *, until_rest: bool, for_s: float) -> Rounds:
    """One round, or rounds until rest: every portal is read, then every portal is written."""
    found = Rounds()
    clock = gateway.clock
    ends = clock.monotonic() + for_s
    while True:
        moved = _round(gateway, portals, found)
        found.owed = _owed(gateway, [name for name in portals if _may_write(gateway, name)])
        found.at_rest = not moved and not any(found.owed.values())
        if found.at_rest or not until_rest or clock.monotonic() >= ends:
            return found
        if not moved:
            clock.sleep(min(NAP_S, max(ends - clock.monotonic(), 0.0)))


def _owed(gateway: Gateway, names: list[str]) -> dict[str, int]:
    return gateway.store.read(lambda tx: {name: tx.due_lanes(name) for name in names})


def _may_write(gateway: Gateway, name: str) -> bool:
    """A portal that is only watched or paused owes nothing by itself: a person decides."""
    row, everything = gateway.store.read(lambda tx: (tx.portal(name), tx.setting("paused")))
    return gateway.portals[name].pushes and row.mode == "live" and not row.paused and not everything


def _round(gateway: Gateway, portals: list[str], found: Rounds) -> int:
    """Gives how much was new or sent."""
    found.rounds += 1
    found.reasons, found.unread = {}, []
    moved = 0
    for name in portals:
        if name in gateway.inbound.receivers:
            moved += gateway.inbound.taker.run(name)
        if gateway.portals[name].pulls and not _is_held(gateway, name, found):
            moved += _pull(gateway, name, found)
    moved += _write(gateway, portals, found)
    fetched = sum(_fetch(gateway, name) for name in gateway.fetchers if not _is_held(gateway, name, found))
    return moved + (_write(gateway, portals, found) if fetched else 0)


def _write(gateway: Gateway, portals: list[str], found: Rounds) -> int:
    """Deliver what is due everywhere; gives how much was sent."""
    names = [name for name in portals if gateway.portals[name].pushes and not _is_held(gateway, name, found)]
    return sum(_deliver(gateway, name, found) for name in names)


def _fetch(gateway: Gateway, name: str) -> int:
    """Fetch the files that deliveries wait for; gives how many were settled."""
    found = gateway.fetchers[name].run()
    if found.reason:
        gateway.holds[name].learn(found.reason)
    counts = found.counts
    return counts["held"] + counts["given_up"]


def _is_held(gateway: Gateway, name: str, found: Rounds) -> bool:
    """A refused login is not tried again before its delay has passed."""
    until = gateway.holds[name].until()
    if until:
        reason = t(
            f"the login was refused; not tried again before {when(until)} unless the secret is changed",
            f"bị từ chối đăng nhập; không thử lại trước {when(until)} trừ khi mật khẩu được sửa",
        )
        found.reasons[name] = [reason]
        found.unread = list(dict.fromkeys((*found.unread, name)))
    return bool(until)


def _pull(gateway: Gateway, name: str, found: Rounds) -> int:
    with progress_bar(f"{name} ←") as progress:
        report = gateway.engine.pull(name, progress=progress)
    counts = {
        "records": report.records,
        "new": report.new,
        "changed": report.changed,
        "quarantined": report.quarantined,
    }
    found.read.setdefault(name, Counter()).update(counts)
    gateway.holds[name].learn(report.reason)
    if report.reason:
        found.unread.append(name)
        found.reasons.setdefault(name, []).append(report.reason)
    else:
        note_heard(gateway.store, name, gateway.clock.now().timestamp())
    return report.new + report.changed


def _deliver(gateway: Gateway, name: str, found: Rounds) -> int:
    with ThreadPoolExecutor(gateway.portals[name].config.workers) as pool:
        report = gateway.engine.deliver(name, pool=pool)
    found.written.setdefault(name, Counter()).update(report.counts)
    if any(report.counts[what] for what in ANSWERED):
        note_heard(gateway.store, name, gateway.clock.now().timestamp())
    if report.reason and report.reason not in found.reasons.get(name, ()):
        found.reasons.setdefault(name, []).append(report.reason)
    return report.claimed


def _code(found: Rounds) -> ExitCode:
    if found.unread:
        return ExitCode.ERROR
    return ExitCode.SOON if any(found.owed.values()) else ExitCode.OK


def _print(found: Rounds) -> None:
    rows = []
    for name in dict.fromkeys((*found.read, *found.written)):
        read, written = found.read.get(name, Counter()), found.written.get(name, Counter())
        sent = ", ".join(f"{what} {count}" for what, count in sorted(written.items()) if count)
        rows.append((name, read["records"], read["new"], read["changed"], sent, found.owed.get(name, 0)))
    heads = (
        t("portal", "cổng"),
        t("read", "đã đọc"),
        t("new", "mới"),
        t("changed", "thay đổi"),
        t("sent", "đã gửi"),
        t("owed", "còn phải gửi"),
    )
    table(heads, rows)
    for name, reasons in found.reasons.items():
        typer.echo(f"{name}: {'; '.join(reasons)}")
    typer.echo(t(f"rounds: {found.rounds}", f"số vòng: {found.rounds}"))


def _preview(gateway: Gateway, portals: list[str], line: float | None, *, json: bool) -> None:
    writes = gateway.engine.preview([name for name in portals if gateway.portals[name].pushes], line=line)
    if json:
        as_json({"calls": len(writes), "writes": writes})
        return
    print_writes(writes)
    for name in portals:
        if gateway.portals[name].pushes and not _may_write(gateway, name):
            typer.echo(
                t(
                    f"{name}: only watched or paused: nothing would be sent ('lienthong adopt', 'lienthong resume')",
                    f"{name}: chỉ theo dõi hoặc tạm dừng, không gửi gì ('lienthong adopt', 'lienthong resume')",
                )
                if line is None
                else t(
                    f"{name}: only watched or paused: sent only after 'lienthong adopt' or 'lienthong resume'",
                    f"{name}: chỉ theo dõi hoặc tạm dừng: chỉ gửi sau 'lienthong adopt' hoặc 'lienthong resume'",
                )
            )
    typer.echo(t(f"{len(writes)} calls would be made; nothing was sent", f"sẽ gọi {len(writes)} lần; chưa gửi gì"))
