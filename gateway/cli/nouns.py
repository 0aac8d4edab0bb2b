"""The nouns of the command line, and how each is loaded only when it is used."""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand

from gateway.cli.language import t


class Noun(NamedTuple):
    """Where a noun's command lives and the line `lienthong --help` shows for it."""

    target: str
    """`module:attribute`: a `typer.Typer` with verbs of its own, or a function that is the only verb."""
    help: str


NOUNS: dict[str, Noun] = {
    "run": Noun(
        "gateway.cli.running:run", t("Run the gateway until it is stopped.", "Chạy hệ thống đến khi có lệnh dừng.")
    ),
    "sync": Noun(
        "gateway.cli.sync:sync", t("Read and send once, or until rest.", "Đọc và gửi một lượt, hoặc đến khi hết việc.")
    ),
    "status": Noun(
        "gateway.cli.status:show", t("How everything stands; for cron.", "Tình hình chung; dùng được trong cron.")
    ),
    "dossier": Noun("gateway.cli.dossier:app", t("Show a dossier; link its records.", "Xem hồ sơ; liên kết bản ghi.")),
    "lanes": Noun(
        "gateway.cli.lanes:show", t("What waits at which portal, and why.", "Hồ sơ nào đang chờ ở cổng nào, vì sao.")
    ),
    "parked": Noun(
        "gateway.cli.parked:app", t("Decide what waits for a person.", "Xử lý những việc cần người quyết định.")
    ),
    "quarantine": Noun(
        "gateway.cli.quarantine:app",
        t("Records we could not read or place.", "Bản ghi không đọc được hoặc chưa rõ thuộc hồ sơ nào."),
    ),
    "calls": Noun(
        "gateway.cli.calls:app", t("What portals told us by calling.", "Những gì các cổng đã gọi tới báo cho ta.")
    ),
    "reconcile": Noun(
        "gateway.cli.comparing:reconcile",
        t("Compare a portal; name every difference.", "Đối soát với một cổng; nêu mọi điểm khác."),
    ),
    "backfill": Noun(
        "gateway.cli.comparing:backfill", t("Read everything a portal holds.", "Đọc toàn bộ dữ liệu của một cổng.")
    ),
    "adopt": Noun(
        "gateway.cli.adopting:adopt",
        t("Let a portal be written, from a day on.", "Cho phép gửi tới một cổng, kể từ một ngày."),
    ),
    "pause": Noun(
        "gateway.cli.brakes:pause",
        t("Send nothing to a portal, or to none.", "Tạm ngừng gửi tới một cổng, một tuyến hoặc tất cả."),
    ),
    "resume": Noun("gateway.cli.brakes:resume", t("Send again.", "Cho gửi trở lại.")),
    "mapping": Noun(
        "gateway.cli.mapping:app", t("Check, try and compare mapping files.", "Kiểm tra, thử, so sánh tệp ánh xạ.")
    ),
    "route": Noun(
        "gateway.cli.routes:app", t("Who must hear of a dossier, and why.", "Một hồ sơ được gửi tới đâu, vì sao.")
    ),
    "handover": Noun(
        "gateway.cli.handovers:app",
        t("What ministries have, and what is late.", "Hồ sơ đã chuyển cho bộ, việc quá hạn."),
    ),
    "files": Noun(
        "gateway.cli.files:app",
        t("Files that other portals hold: waited for, given up.", "Tệp do cổng khác giữ: đang chờ, không lấy được."),
    ),
    "receipt": Noun(
        "gateway.cli.receipts:app",
        t("Our signed statements about hand-overs.", "Xác nhận có chữ ký về việc chuyển hồ sơ."),
    ),
    "keys": Noun("gateway.cli.keys:app", t("Keys that sign.", "Các khoá ký.")),
    "config": Noun(
        "gateway.cli.configuration:app", t("Check or explain the configuration.", "Kiểm tra, giải thích cấu hình.")
    ),
    "backup": Noun("gateway.cli.backups:backup", t("Write a checked backup.", "Sao lưu, có kiểm tra.")),
    "restore": Noun(
        "gateway.cli.backups:restore",
        t("Put a backup back; nothing is sent.", "Phục hồi từ bản sao lưu; không gửi gì."),
    ),
    "inbox": Noun(
        "gateway.cli.inbox:app",
        t("Ministries that collect: keys, what waits.", "Bộ nhận qua hộp thư: khoá truy cập, hồ sơ đang chờ."),
    ),
    "simulate": Noun(
        "gateway.cli.simulate:simulate", t("Simulated portals for rehearsals.", "Cổng mô phỏng để diễn tập.")
    ),
    "demo": Noun("gateway.cli.demo:demo", t("A whole province, simulated.", "Diễn tập trọn một tỉnh mô phỏng.")),
    "doctor": Noun("gateway.cli.doctor:doctor", t("Check this installation.", "Kiểm tra bản cài đặt này.")),
}
"""Every noun in the order `--help` lists them. A noun that is not built yet is absent."""


class OnDemand(TyperCommand):
    """Stands in for a noun: `--help` reads its one line, and its module is imported only to run it."""

    def __init__(self, name: str, noun: Noun) -> None:
        super().__init__(name, help=noun.help, rich_markup_mode=None)
        self._target = noun.target

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Import the noun and let the real command read the arguments; its help begins with the line of the list."""
        command = load(str(self.name), self._target)
        command.help = self.help
        return command.make_context(*args, **kwargs)


def load(name: str, target: str) -> Any:
    """Import `target` and return it as a command called `name`, with examples in its help."""
    from gateway.cli.examples import show_examples

    module, attribute = target.split(":")
    found = getattr(import_module(module), attribute)
    app = found if isinstance(found, typer.Typer) else single_verb(found, name)
    command = typer.main.get_command(app)
    command.name = name
    show_examples(command, name)
    return command


def single_verb(function: Any, name: str) -> typer.Typer:
    """Wrap a function that is the only verb of its noun."""
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(name)(function)
    return app
