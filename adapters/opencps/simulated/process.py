"""The configured process: there is no transition table in the portal, only actions between steps (provincial.md 3.2).

Step and action numbers follow those seen in the sources where one is attested (1300 hand over, 3200 linked dossier,
4000 complete, 9000 rollback; 300 return the result, 400 done); the others are this simulator's configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """A step and the status its configuration gives."""

    code: str
    name: str
    status: str
    sub_status: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """(pre-step, action) -> post-step, with the date options of provincial.md 3.2."""

    code: str
    name: str
    before: tuple[str, ...]
    after: str
    dates: tuple[int, ...] = ()


STEPS = (
    Step("110", "Chờ tiếp nhận", "receiving"),
    Step("120", "Yêu cầu sửa đổi", "correcting"),
    Step("121", "Từ chối tiếp nhận", "denied"),
    Step("130", "Đã tiếp nhận", "new"),
    Step("131", "Chờ bổ sung", "waiting"),
    Step("132", "Chờ nộp phí", "paying"),
    Step("133", "Thu thập giấy tờ", "collecting"),
    Step("200", "Thụ lý", "processing"),
    Step("201", "Thẩm định", "processing", "tham_dinh"),
    Step("202", "Tạm dừng", "pausing"),
    Step("210", "Đang liên thông", "interoperating"),
    Step("220", "Bàn giao", "handover"),
    Step("300", "Trả kết quả", "releasing"),
    Step("302", "Chuyển bưu chính", "posting"),
    Step("310", "Yêu cầu rút", "cancelling"),
    Step("400", "Hoàn thành", "done"),
    Step("410", "Đã rút", "cancelled"),
    Step("420", "Không giải quyết", "unresolved"),
)

_OPEN = ("110", "120", "130", "131", "132", "133", "200", "201", "202", "210", "220")
_WORK = ("200", "201", "210", "220")

ACTIONS = (
    Action("1100", "Tiếp nhận hồ sơ", ("110", "120"), "130"),
    Action("1101", "Tiếp nhận và chuyển xử lý", ("110", "120"), "200"),
    Action("1110", "Chuyển xử lý", ("130", "133"), "200"),
    Action("1120", "Thu thập giấy tờ", ("130",), "133"),
    Action("1200", "Từ chối tiếp nhận", ("110", "120", "130"), "121"),
    Action("1300", "Bàn giao", ("200", "201"), "220"),
    Action("1400", "Yêu cầu sửa đổi", ("110",), "120"),
    Action("1401", "Công dân nộp lại", ("120",), "110"),
    Action("2000", "Yêu cầu bổ sung", ("110", "130", "133", *_WORK), "131", (1,)),
    Action("2001", "Đã bổ sung", ("131",), "200", (3,)),
    Action("2100", "Yêu cầu nộp phí", ("130", *_WORK), "132"),
    Action("2101", "Đã nộp phí", ("132",), "200"),
    Action("2200", "Tạm dừng", ("200", "201"), "202", (1,)),
    Action("2201", "Tiếp tục xử lý", ("202",), "200", (6,)),
    Action("3000", "Chuyển thẩm định", ("200", "210", "220"), "201"),
    Action("3200", "Chuyển liên thông", ("130", "200", "201"), "210"),
    Action("3201", "Nhận kết quả liên thông", ("210",), "200"),
    Action("3300", "Có kết quả", _WORK, "300"),
    Action("3301", "Không giải quyết", _WORK, "420"),
    Action("3400", "Chuyển bưu chính", ("300",), "302"),
    Action("4000", "Trả kết quả", ("300", "302"), "400"),
    Action("5000", "Yêu cầu rút hồ sơ", _OPEN, "310"),
    Action("5001", "Đồng ý cho rút", ("310",), "410"),
    Action("5002", "Không đồng ý cho rút", ("310",), "200"),
)


class Process:
    """The steps and actions of one portal."""

    def __init__(self, steps: tuple[Step, ...] = STEPS, actions: tuple[Action, ...] = ACTIONS) -> None:
        self.steps = {step.code: step for step in steps}
        self.actions = {action.code: action for action in actions}
        self._next = {
            code: tuple(action for action in actions if code in action.before and action.after in self.steps)
            for code in self.steps
        }

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Process:
        """Read `{"steps": [[code, name, status, sub]], "actions": [[code, name, [before], after, [dates]]]}`.

        Given steps and actions replace those of the same code and are added to the others.
        """
        if not given:
            return cls()
        steps = {step.code: step for step in STEPS} | {row[0]: Step(*row) for row in given.get("steps", ())}
        actions = {action.code: action for action in ACTIONS}
        for code, name, before, after, *dates in given.get("actions", ()):
            actions[code] = Action(code, name, tuple(before), after, tuple(dates[0]) if dates else ())
        return cls(tuple(steps.values()), tuple(actions.values()))

    def allowed(self, step: str) -> tuple[Action, ...]:
        """Actions that may be done in a step."""
        return self._next.get(step, ())

    def find(self, step: str, code: str) -> Action | None:
        """The action of that code, if the step allows it."""
        return next((action for action in self.allowed(step) if action.code == code), None)

    def leading_to(self, step: str, status: str) -> Action | None:
        """The first action from a step whose post-step has the status."""
        return next((action for action in self.allowed(step) if self.steps[action.after].status == status), None)
