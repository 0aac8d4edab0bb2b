"""`lienthong keys`: the keys that sign receipts and checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, NotThereError, opened
from gateway.cli.printing import as_json, table, when
from gateway.signing import Purpose, SigningKey
from gateway.sync.views import instant

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.command("list", help=t("List the signing keys.", "Liệt kê các khoá ký."))
def list_(config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Public halves only; a retired key still verifies what it signed."""
    with opened(config, calls=False) as gateway:
        keys = gateway.signer.all()
    if json:
        as_json({"keys": [_view(key) for key in keys]})
        return
    heads = (t("key", "khoá"), t("signs", "ký"), t("made", "tạo lúc"), t("retired", "ngừng lúc"))
    ended = [when(key.retired_at) if key.retired_at is not None else "" for key in keys]
    table(heads, [(key.id, key.purpose, when(key.created_at), end) for key, end in zip(keys, ended, strict=True)])


@app.command(help=t("Retire a key and make a new one.", "Ngừng dùng một khoá và tạo khoá mới."))
def rotate(
    purpose: Annotated[Purpose, typer.Argument(help=t("What it signs.", "Khoá dùng để ký gì."))],
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """A running gateway signs with the new one from its next statement on."""
    with opened(config, calls=False) as gateway:
        made = gateway.signer.rotate(purpose)
    if json:
        as_json(_view(made))
    else:
        typer.echo(t(f"{made.id} signs {purpose} from now on", f"từ nay {made.id} ký {purpose}"))


@app.command(help=t("Write public keys for others.", "Ghi khoá công khai để trao cho bên khác."))
def export(
    folder: Annotated[Path, typer.Argument(help=t("Where to.", "Thư mục đích."))],
    key: Annotated[str, typer.Option("--key", help=t("Only this key.", "Chỉ khoá này."))] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """One PEM file for each key, named by purpose and key."""
    with opened(config, calls=False) as gateway:
        keys = [one for one in gateway.signer.all() if key in ("", one.id)]
    if not keys:
        raise NotThereError(t(f"there is no key '{key}'", f"không có khoá '{key}'"))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for one in keys:
        file = folder / f"{one.purpose}-{one.id}.pem"
        file.write_bytes(one.pem())
        written.append(str(file))
    if json:
        as_json({"files": written})
    else:
        typer.echo("\n".join(written))


def _view(key: SigningKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "purpose": key.purpose.value,
        "created_at": instant(key.created_at),
        "retired_at": instant(key.retired_at) if key.retired_at is not None else None,
        "public": key.pem().decode(),
    }
