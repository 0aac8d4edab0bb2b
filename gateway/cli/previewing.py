"""How writes that would be made are shown: one line a call, by dossier and field."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.cli.language import t
from gateway.cli.printing import table
from gateway.sync.preview import PlannedWrite


def print_writes(writes: Sequence[PlannedWrite]) -> None:
    """A table of planned writes."""
    heads = (
        t("portal", "cổng"),
        t("dossier", "hồ sơ"),
        t("class", "loại"),
        t("call", "lời gọi"),
        t("rows", "số dòng"),
        t("reason", "lý do"),
        t("fields", "trường"),
    )
    table(heads, [_line(one) for one in writes])


def _line(one: PlannedWrite) -> list[object]:
    return [one.portal, one.dossier_code, one.klass, one.operation, one.members, one.reason, ", ".join(one.fields)]
