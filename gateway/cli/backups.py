"""`lienthong backup` and `lienthong restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, Actor, AsJson, ConfigPath, this_person
from gateway.cli.printing import as_json, progress_bar
from gateway.config_file import load
from schemas.clock import SystemClock


def backup(
    folder: Annotated[Path, typer.Argument(help=t("Where to write it.", "Nơi lưu."))],
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """The store in one checked file with its manifest; the key ring is not in it."""
    from gateway.store.backup import backup as write
    from gateway.store.backup import read_manifest

    store = Path(load(config, secrets=False).store.path)
    with progress_bar(folder.name) as progress:
        manifest = write(store, folder, SystemClock().now(), progress=progress)
    described = read_manifest(manifest)
    if json:
        as_json({"manifest": str(manifest), **described.model_dump(mode="json")})
        return
    typer.echo(t(f"{manifest}: written and read back whole", f"{manifest}: đã ghi và kiểm tra lại"))
    typer.echo(
        t(
            "the key ring is not in it: without its own copy the backup cannot be opened",
            "không kèm tệp khoá: phải có bản sao tệp khoá mới mở được bản sao lưu này",
        )
    )


def restore(
    source: Annotated[Path, typer.Argument(help=t("The backup's manifest.", "Tệp mô tả của bản sao lưu."))],
    config: ConfigPath = DEFAULT_CONFIG,
    actor: Actor = "",
    json: AsJson = False,
) -> None:
    """Checked first; begun as a new epoch in which nothing is sent until each portal was compared."""
    from gateway.store.restore import restore as put_back

    store = Path(load(config, secrets=False).store.path)
    done = put_back(source, store, SystemClock().now(), actor=actor or this_person())
    if json:
        as_json(done)
        return
    typer.echo(t(f"restored; epoch {done.epoch}", f"đã phục hồi; kỷ nguyên {done.epoch}"))
    if done.kept:
        typer.echo(t(f"the replaced store is kept: {done.kept}", f"kho cũ được giữ lại: {done.kept}"))
    typer.echo(
        t(
            "every portal watches only: 'lienthong reconcile PORTAL', then 'lienthong adopt PORTAL --from DATE'",
            "mọi cổng ở chế độ watch: chạy 'lienthong reconcile CỔNG', rồi 'lienthong adopt CỔNG --from NGÀY'",
        )
    )
