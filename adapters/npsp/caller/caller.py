"""The portal calls the province: pushes with repeats, changes and faults of its own, payments, withdrawals."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import orjson
from pydantic import Field

from adapters.npsp.caller import citizens
from adapters.npsp.caller.answers import SILENCE, AnswerBook
from adapters.npsp.caller.citizens import Submitting
from adapters.npsp.caller.dialling import SENDING_FAULTS, dial

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0)]
What = tuple[str, str]
"""Sort of call (`push`, `payment`, `fees`), and what it says."""
Online = Callable[[dict[str, Any], str], None]
"""Told of each dossier as the portal now shows it, and by what (`online`, `citizen`)."""


class Calling(Submitting):
    """How the province is told.

    `url` is the province's inbound address, `path` follows it. `count` dossiers; of them `repeated` are pushed again
    after their answer, `concurrent` are pushed by three callers at once, `changed` are pushed again with other content.
    `faults`: share of sendings hurt on the portal's own side, by `kinds`. A call without a whole answer, or answered
    -1, is made again after `pause_s`, at most `tries` times. `rate`: new dossiers a second (None: as fast as may be).
    `headers` and `query` go with every call. `wait` false: the work goes on in the background (screen `calling`), also
    that of the verbs which make a single call.
    """

    url: str = Field(pattern=r"^http://(127\.0\.0\.1|localhost)[:/]")
    path: str = "nhanhsdvcqg"
    paid_path: str = "kpdvcqg/dpthongbaothanhtoan"
    fees_path: str = "kpdvcqg/dptracuuthanhtoanhs"
    query: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    count: int = Field(default=1, ge=0)
    repeated: Share = 0.0
    concurrent: Share = 0.0
    changed: Share = 0.0
    faults: Share = 0.0
    kinds: tuple[str, ...] = SENDING_FAULTS
    workers: int = Field(default=8, ge=1, le=64)
    tries: int = Field(default=40, ge=1)
    pause_s: Seconds = 0.05
    patience_s: Seconds = 10.0
    rate: Seconds | None = None
    amount_vnd: int = 150_000
    wait: bool = True


class Caller:
    """The calling side of one simulated portal. `answers` is its book. Thread-safe."""

    verbs = frozenset({"submit", "supplement", "withdraw", "pay", "ask_fees"})

    def __init__(self, online: Online) -> None:
        self.answers = AnswerBook()
        self._online = online
        self._lock = threading.Lock()
        self._under_way = 0
        self._sent = 0
        self._stopped = threading.Event()

    def act(self, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Do one verb; see the kind's README.

        Raises:
            ValueError: An argument is unknown or wrong.
        """
        plan = Calling.model_validate(orjson.loads(orjson.dumps(dict(arguments))))
        if verb == "submit":
            return self._submit(plan)
        place = plan.start
        match verb:
            case "supplement":
                return self._single(plan, plan.path, ("push", verb), citizens.supplement(plan, place, plan.seed))
            case "withdraw":
                body = citizens.withdrawal(plan, place)
                self._online(_shown(body), "citizen")
                return self._single(plan, plan.path, ("push", "withdrawal"), body)
            case "pay":
                body = citizens.payment(plan, place, plan.amount_vnd)
                return self._single(plan, plan.paid_path, ("payment", "payment"), body)
        body = {"MaHoSo": citizens.number_of(plan, place)}
        return self._single(plan, plan.fees_path, ("fees", "fees"), body)

    def calling(self) -> dict[str, Any]:
        """What is under way."""
        with self._lock:
            return {"under_way": self._under_way, "sent": self._sent}

    def stop(self) -> None:
        """Give up what is under way."""
        self._stopped.set()

    def _submit(self, plan: Calling) -> dict[str, Any]:
        with self._lock:
            self._under_way += plan.count
        if not plan.wait:
            threading.Thread(target=self._all, args=(plan,), name="npsp-caller", daemon=True).start()
            return {"started": plan.count}
        self._all(plan)
        numbers = [citizens.number_of(plan, place) for place in _places(plan)]
        unanswered = [number for number in numbers if not _answered(self.answers.told(number))]
        return {"submitted": plan.count, "unanswered": unanswered, "problems": self.answers.problems()}

    def _all(self, plan: Calling) -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(plan.workers, thread_name_prefix="npsp-caller") as pool:
            for turn, place in enumerate(_places(plan)):
                if plan.rate:
                    time.sleep(max(0.0, began + turn / plan.rate - time.monotonic()))
                pool.submit(self._one, plan, place)

    def _one(self, plan: Calling, place: int) -> None:
        """One dossier: submitted, told, and told again as the lot has it."""
        lot = random.Random(plan.seed * 7_919 + place)
        try:
            body = citizens.dossier(plan, place)
            number = body["MaHoSo"]
            self._online(_shown(body), "online")
            together = 3 if lot.random() < plan.concurrent else 1
            again, other = lot.random() < plan.repeated, lot.random() < plan.changed
            path, first = plan.path, ("push", "submission")
            self._together([lambda: self._tell(plan, path, first, number, body, lot)] * together)
            if again:
                anew = citizens.addresses_anew(body, lot.randrange(1, 999))
                self._tell(plan, path, ("push", "again"), number, anew, lot)
            if other:
                self._tell(plan, path, ("push", "changed"), number, citizens.changed(body, lot.randrange(999)), lot)
        finally:
            with self._lock:
                self._under_way -= 1

    def _together(self, calls: list[Callable[[], Any]]) -> None:
        """All at once, or the only one here."""
        others = [threading.Thread(target=call, daemon=True) for call in calls[1:]]
        for thread in others:
            thread.start()
        calls[0]()
        for thread in others:
            thread.join()

    def _single(self, plan: Calling, path: str, what: What, body: dict[str, Any]) -> dict[str, Any]:
        number = citizens.number_of(plan, plan.start)
        lot = random.Random(plan.seed)
        if plan.wait:
            return {"MaHoSo": number, "said": self._tell(plan, path, what, number, body, lot)}

        def work() -> None:
            try:
                self._tell(plan, path, what, number, body, lot)
            finally:
                with self._lock:
                    self._under_way -= 1

        with self._lock:
            self._under_way += 1
        threading.Thread(target=work, name="npsp-caller", daemon=True).start()
        return {"started": 1}

    def _tell(
        self, plan: Calling, path: str, what: What, number: str, body: dict[str, Any], lot: random.Random
    ) -> int | str:
        """Call until there is a whole answer that is no refusal, as a portal repeats after silence."""
        url = f"{plan.url.rstrip('/')}/{path}" + (f"?{plan.query}" if plan.query else "")
        data = orjson.dumps(body)
        headers = {"Content-Type": "application/json", **plan.headers}
        answer: int | str = SILENCE
        for turn in range(plan.tries):
            if turn:
                self._stopped.wait(plan.pause_s)
            if self._stopped.is_set():
                break
            fault = lot.choice(plan.kinds) if plan.kinds and lot.random() < plan.faults else ""
            with self._lock:
                self._sent += 1
            heard = dial(url, data, headers, fault=fault, patience_s=plan.patience_s)
            answer = self.answers.note(number, *what, heard, fault)
            if isinstance(answer, int) and (answer >= 0 or what[0] == "fees"):
                break
        return answer


def _places(plan: Calling) -> range:
    return range(plan.start, plan.start + plan.count)


def _answered(told: list[int | str]) -> bool:
    return any(said in (0, 1) for said in told)


def _shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """A submitted dossier as this portal's own look-up shows it; papers' bytes stay with the citizen."""
    return {"TrangThaiHoSo": "1"} | {name: value for name, value in body.items() if not isinstance(value, list | dict)}
