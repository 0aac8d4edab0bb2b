"""`lienthong demo`: a whole province of simulated portals, officers at work, faults, kills, and an oracle."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import AsJson
from gateway.cli.printing import as_json, progress_bar
from gateway.demo.outcome import Outcome
from gateway.demo.page import figures, page
from gateway.demo.run import run_demo
from gateway.demo.wish import Wish


class Faults(StrEnum):
    """How much goes wrong."""

    NONE = "none"
    LIGHT = "light"
    HEAVY = "heavy"


def demo(
    dossiers: Annotated[int, typer.Option(min=1, max=20_000, help=t("New dossiers.", "Số hồ sơ mới."))] = 200,
    pushes: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=20_000,
            help=t(
                "Dossiers submitted at the national portal besides; a tenth of --dossiers by default.",
                "Số hồ sơ nộp tại Cổng quốc gia, ngoài ra; mặc định bằng một phần mười --dossiers.",
            ),
        ),
    ] = None,
    faults: Annotated[Faults, typer.Option(help=t("How much goes wrong.", "Mức độ lỗi."))] = Faults.LIGHT,
    seed: Annotated[int, typer.Option(help=t("The same seed, the same world.", "Cùng số, cùng kịch bản."))] = 1,
    kill: Annotated[
        int, typer.Option(min=0, help=t("SIGKILL the gateway so often.", "Số lần giết tiến trình (SIGKILL)."))
    ] = 0,
    page_path: Annotated[
        Path | None, typer.Option("--page", help=t("Where to write the page.", "Nơi ghi trang kết quả."))
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help=t("Where store and logs lie; kept.", "Nơi đặt kho và nhật ký; giữ lại.")),
    ] = None,
    json: AsJson = False,
) -> None:
    """Exit 0 when all ends agree and nothing was lost, doubled, invented or moved; else 1."""
    place = folder or Path(tempfile.mkdtemp(prefix="lienthong-demo-"))
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    wish = Wish(dossiers, dossiers // 10 if pushes is None else pushes, faults.value, seed, kill)
    with progress_bar(t("demo", "diễn tập")) as bar:
        outcome = run_demo(wish, place, lambda _phase, done, of: bar(done, of) if bar else None)
    written = page_path or place / "page.html"
    written.write_text(page(outcome), "utf-8")
    due = place / "due.jsonl"
    names = ("portal", "dossier", "class", "key")
    due.write_bytes(b"".join(orjson.dumps(dict(zip(names, one, strict=True))) + b"\n" for one in outcome.each_due))
    if json:
        as_json(outcome.as_json() | {"page": str(written), "each_due": str(due)})
    else:
        _show(outcome, written)
    raise typer.Exit(ExitCode.OK if outcome.good else ExitCode.ERROR)


def _show(outcome: Outcome, written: Path) -> None:
    """A summary for people."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    said: Any = Table(show_header=False, box=None, pad_edge=False)
    for name, value in figures(outcome):
        said.add_row(name, value)
    good = t("all ends agree", "mọi cổng khớp nhau") if outcome.good else t("something is wrong", "có sai lệch")
    colour = "green" if outcome.good else "red"
    counted = t(f"{outcome.dossiers} new dossiers", f"{outcome.dossiers} hồ sơ mới")
    console.print(f"[bold {colour}]{good}[/]  {counted}, {outcome.seconds} s")
    console.print(said)
    for finding in outcome.findings[:20]:
        console.print(f"  {finding}", style="red", markup=False)
    console.print(t("page: ", "trang: ") + str(written), markup=False, soft_wrap=True)
