"""`lienthong receipt`: our signed statements about hand-overs; a partner's own receipt is what it signs."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer

from gateway.cli.dossier import Code, one_dossier
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, NotThereError, opened
from gateway.cli.printing import as_json, table
from gateway.signing import verified
from gateway.store.rows import ReceiptRow
from gateway.sync.signatures import Kept, kept_row
from gateway.sync.signatures import opened as open_kept
from gateway.sync.views import instant
from gateway.vault import SealError
from schemas.errors import GatewayError

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)
Number = Annotated[int, typer.Argument(metavar="ID", help=t("Number of the receipt.", "Số của biên nhận."))]


class NotProvenError(GatewayError):
    """A signature does not fit."""


@app.command("list", help=t("List our statements about a dossier.", "Liệt kê xác nhận của ta về một hồ sơ."))
def list_(code: Code, config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Oldest first, with whose word proves each."""
    with opened(config, calls=False) as gateway:
        dossier_id = one_dossier(gateway, code)
        rows = gateway.store.read(lambda tx: tx.receipts_of(dossier_id))
    views = [_view(row) for row in rows]
    if json:
        as_json({"receipts": views})
        return
    keys = ("id", "portal", "fact", "at", "proven_by", "words")
    heads = ("id", t("portal", "cổng"), t("fact", "sự việc"), t("at", "lúc"), t("by", "theo"), t("words", "căn cứ"))
    rest = (t("signed by the partner", "đối tác ký"), t("our key", "khoá của ta"))
    table(
        (*heads, *rest),
        [[*(view[key] for key in keys), _signer(view["signed"]), view["key"]] for view in views],
    )


@app.command(help=t("Show one statement, word for word.", "Hiện nguyên văn một xác nhận."))
def show(number: Number, config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """The signed bytes, made readable."""
    row, _ = _found(number, config)
    said = orjson.loads(row.statement)
    if json:
        as_json({"statement": said, "sha256": row.digest, "signature": row.signature.hex(), "key": row.key_id})
        return
    as_json(said)
    signed = said["proof"].get("signed")
    if signed:
        signer = _signer(signed)
        typer.echo(t(f"proven by the partner's own signature: {signer}", f"căn cứ chữ ký của chính đối tác: {signer}"))
    typer.echo(t(f"signed by our key {row.key_id}", f"ký bằng khoá {row.key_id} của ta") + f"  SHA-256 {row.digest}")


@app.command(help=t("Write a statement with its signature.", "Ghi một xác nhận kèm chữ ký ra tệp."))
def export(
    number: Number,
    folder: Annotated[Path, typer.Argument(help=t("Where to.", "Thư mục đích."))],
    with_reply: Annotated[
        bool,
        typer.Option(
            "--with-reply",
            help=t(
                "Also what the partner signed, word for word. It holds personal data: the folder must be yours alone.",
                "Kèm nguyên văn điều đối tác đã ký. Có dữ liệu cá nhân: chỉ riêng bạn được vào thư mục.",
            ),
        ),
    ] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Three files: the signed bytes, the signature, the public key. docs/receipts.md says how to verify them.

    With --with-reply two more: the partner's signed message as it came, and the certificate of its signer.
    """
    row, pem = _found(number, config)
    parts = {".json": row.statement, ".sig": row.signature, ".pem": pem}
    check = ""
    if with_reply:
        message = _partners_message(row, config)
        parts |= {"-partner.xml": message.document, "-partner.pem": _as_pem(message.certificate)}
        check = f"xmlsec1 --verify --pubkey-cert-pem receipt-{number}-partner.pem receipt-{number}-partner.xml"
        _of_mine_alone(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for ending, content in parts.items():
        file = folder / f"receipt-{number}{ending}"
        _write(file, content, private=ending.startswith("-partner"))
        files.append(str(file))
    if json:
        as_json({"files": files} | ({"verify_partner": check} if check else {}))
        return
    typer.echo("\n".join(files))
    if check:
        typer.echo(t(f"the partner's own signature: {check}", f"chữ ký của chính đối tác: {check}"))


def _partners_message(row: ReceiptRow, config: Path) -> Kept:
    """What the partner signed.

    Raises:
        NotThereError: Nothing the partner signed proves this, or it cannot be opened any more.
    """
    signed = orjson.loads(row.statement)["proof"].get("signed")
    if not signed:
        raise NotThereError(
            t("nothing that the partner has signed proves this", "không có gì do đối tác ký làm căn cứ cho việc này")
        )
    name = str(signed["message_sha256"])
    with opened(config, calls=False) as gateway:
        found = gateway.store.read(lambda tx: kept_row(tx, row.dossier_id, row.portal, row.route, name))
        try:
            return open_kept(gateway.vault, found) if found is not None else _gone()
        except (KeyError, SealError):
            return _gone()


def _gone() -> NoReturn:
    raise NotThereError(
        t("the partner's message is not kept any more: its dossier was erased", "thông điệp của đối tác đã bị xoá")
    )


def _of_mine_alone(folder: Path) -> None:
    """Make the folder, or see that nobody else may look into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        raise NotThereError(
            t(
                f"{folder}: others may look into it, and the message is personal: chmod 700, or name a new folder",
                f"{folder}: người khác vào được, mà thông điệp có dữ liệu cá nhân: chmod 700, hoặc chọn thư mục mới",
            )
        )


def _write(file: Path, content: bytes, *, private: bool) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if private else 0o666), "wb") as out:
        out.write(content)


def _as_pem(certificate: bytes) -> bytes:
    return ssl.DER_cert_to_PEM_cert(certificate).encode()


@app.command(help=t("Verify a statement from its files.", "Kiểm tra một xác nhận từ các tệp của nó."))
def verify(
    file: Annotated[Path, typer.Argument(help=t("The .json file; .sig lies beside it.", "Tệp .json, cạnh tệp .sig."))],
    key: Annotated[
        Path | None,
        typer.Option("--key", help=t("Public key got from us, PEM.", "Khoá công khai do ta trao, dạng PEM.")),
    ] = None,
    json: AsJson = False,
) -> None:
    """Needs no configuration. Without --key the .pem beside it is used, which proves only that the three fit."""
    try:
        message, signature = file.read_bytes(), file.with_suffix(".sig").read_bytes()
        pem = (key or file.with_suffix(".pem")).read_bytes()
    except OSError as error:
        raise NotThereError(t(f"{error.filename}: cannot be read", f"{error.filename}: không đọc được")) from None
    signer = verified(pem, message, signature)
    if not signer:
        raise NotProvenError(t("the signature does NOT fit", "chữ ký KHÔNG khớp"))
    said = _statement(message)
    if said.get("key") != signer:
        raise NotProvenError(t("it names another key than the one that signed it", "ghi một khoá khác với khoá đã ký"))
    if json:
        as_json({"verified": True, "key": signer, "statement": said})
    else:
        typer.echo(t(f"verified: signed by {signer}", f"hợp lệ: do khoá {signer} ký"))


def _statement(message: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(message)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        raise NotProvenError(
            t("what was signed is no statement of ours", "nội dung được ký không phải xác nhận của ta")
        )
    return said


def _found(number: int, config: Path) -> tuple[ReceiptRow, bytes]:
    with opened(config, calls=False) as gateway:
        row = gateway.store.read(lambda tx: tx.receipt(number))
        pem = next((key.pem() for key in gateway.signer.all() if row is not None and key.id == row.key_id), b"")
    if row is None:
        raise NotThereError(t(f"there is no receipt {number}", f"không có biên nhận {number}"))
    if not pem:
        raise NotThereError(
            t(f"key {row.key_id} is not in the ring any more", f"khoá {row.key_id} không còn trong tệp khoá")
        )
    return row, pem


def _view(row: ReceiptRow) -> dict[str, Any]:
    said = orjson.loads(row.statement)
    proof = said["proof"]
    return {
        "id": row.id,
        "portal": row.portal,
        "route": row.route,
        "fact": row.fact,
        "at": said["at"],
        "made_at": instant(row.at),
        "proven_by": proof["by"],
        "words": proof.get("words") or proof.get("wire") or proof.get("status") or "",
        "signed": proof.get("signed"),
        "key": row.key_id,
        "sha256": row.digest,
    }


def _signer(signed: dict[str, Any] | None) -> str:
    """Whose signature proves it: its holder's name, or the beginning of the certificate's fingerprint."""
    if not signed:
        return ""
    return signed["holder"] or f"sha256:{signed['certificate_sha256'][:16]}"
