"""Do the stages that are handed over fit together? One problem per finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.config import RouteConfig
from gateway.config_file.lines import Document
from gateway.config_file.problem import Problem
from gateway.language import t
from schemas.status import STAGE_ENDS


def check_stages(document: Document, groups: Sequence[str], routes: Mapping[int, RouteConfig]) -> Iterator[Problem]:
    """What only a forward may say, and what a group decides instead of its routes."""
    for number, route in routes.items():
        for name in ("group", "cancel", "accepted_by", "timers"):
            if route.kind == "mirror" and name in route.model_fields_set:
                yield document.problem(
                    ("routes", number, name),
                    t("a mirror hands no stage over", "tuyến mirror không chuyển giai đoạn"),
                    t(f"write kind: forward, or remove {name}", f"hãy viết kind: forward, hoặc bỏ {name}"),
                )
        if not route.group:
            continue
        if route.group not in groups:
            known = ", ".join(sorted(groups)) or "-"
            yield document.problem(
                ("routes", number, "group"),
                t(f"there is no group '{route.group}'", f"không có nhóm '{route.group}'"),
                t(f"write one of {known}, or add it to groups", f"hãy viết một trong {known}, hoặc thêm vào groups"),
            )
        for status in sorted(STAGE_ENDS & set(route.results)):
            yield document.problem(
                ("routes", number, "results", status.value),
                t(
                    f"the group '{route.group}' decides what the end of its stages does",
                    f"nhóm '{route.group}' quyết định khi các giai đoạn kết thúc",
                ),
                t("remove it here; write it at the group", "hãy bỏ ở đây; ghi ở nhóm"),
            )
    used = {route.group for route in routes.values()}
    for name in groups:
        if name not in used:
            yield document.problem(
                ("groups", name),
                t("no route belongs to it", "không có tuyến nào thuộc nhóm này"),
                t("write it at its routes (group), or remove it", "hãy ghi ở các tuyến (group), hoặc bỏ"),
            )
