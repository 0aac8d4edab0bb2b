"""What faces show: urgency by rule, and nothing personal."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from gateway.config import Config
from gateway.masking import initials, masked
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow, DossierRow, LaneRow, WantedFileRow
from gateway.store.sqlite import SqliteStore
from gateway.sync.dossiers import Held
from gateway.sync.standing import Urgency, status
from gateway.sync.views import dossier_view, find_dossiers
from gateway.vault import KeyRing

NOW = 1_800_000_000.0
CONFIG = Config.model_validate(
    {
        "environment": "test",
        "province": {"agency_code": "H99"},
        "portals": {"p": {"kind": "npsp", "mapping": "m", "silent_after_s": 3600}},
        "ownership": {"handlers": ["p"]},
    }
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.db")
    yield made
    made.close()


def portal(tx: Tx, **values: object) -> None:
    row = tx.portal("p")
    for name, value in {"mode": "live", "heard_at": NOW, **values}.items():
        setattr(row, name, value)
    tx.put_portal(row)


def lane(tx: Tx, state: str, reason: str = "", due_at: float | None = NOW, dossier_due: float | None = None) -> None:
    tx.put_dossiers([DossierRow("d", dossier_code="H99-1", status="in_progress", due_at=dossier_due)])
    tx.put_lanes([LaneRow("p", "d", due_at=due_at, state=state, reason=reason)])


def delivery(tx: Tx, state: str) -> None:
    tx.put_delivery(DeliveryRow("k", "u", "p", "d", "append", "progress", state=state, open=False))


def wanted_file(tx: Tx, state: str) -> None:
    tx.put_wanted([WantedFileRow("d", "p", "f", state=state, next_at=NOW)])


SOON, HOUR = Urgency.SOON, 3600.0
CASES = {
    "nothing to say": (lambda tx: portal(tx), Urgency.CALM),
    "owed and far from due": (lambda tx: (portal(tx), lane(tx, "owed", dossier_due=NOW + 99 * HOUR)), Urgency.CALM),
    "owed and due soon": (lambda tx: (portal(tx), lane(tx, "owed", dossier_due=NOW + 9 * HOUR)), SOON),
    "owed and overdue": (lambda tx: (portal(tx), lane(tx, "owed", dossier_due=NOW - HOUR)), Urgency.NOW),
    "newly due and overdue": (lambda tx: (portal(tx), lane(tx, "calm", dossier_due=NOW - HOUR)), Urgency.NOW),
    "overdue at a portal only watched": (
        lambda tx: (portal(tx, mode="watch"), lane(tx, "owed", dossier_due=NOW - HOUR)),
        Urgency.CALM,
    ),
    "silent": (lambda tx: portal(tx, heard_at=NOW - 2 * HOUR), Urgency.NOW),
    "login refused": (lambda tx: portal(tx, doc={"login": {"since": NOW}}), Urgency.NOW),
    "paused": (lambda tx: portal(tx, paused="by a person"), SOON),
    "all paused": (lambda tx: (portal(tx), tx.put_setting("paused", "by a person")), SOON),
    "parked": (lambda tx: (portal(tx), delivery(tx, "parked")), SOON),
    "unproven": (lambda tx: (portal(tx), delivery(tx, "unproven")), SOON),
    "a file given up": (lambda tx: (portal(tx), wanted_file(tx, "given_up")), SOON),
    "a file waited for": (lambda tx: (portal(tx), wanted_file(tx, "wanted")), Urgency.CALM),
    "drift given up": (lambda tx: (portal(tx), lane(tx, "drift_given_up", due_at=None)), SOON),
    "breaker open": (lambda tx: portal(tx, breaker={"until": NOW + 60, "reason": "timeout"}), SOON),
}


@pytest.mark.parametrize(("given", "urgency"), CASES.values(), ids=CASES)
def test_the_urgency_of_a_state(store: SqliteStore, given: object, urgency: Urgency) -> None:
    store.write(given)  # type: ignore[arg-type]
    assert status(store, CONFIG, NOW).urgency is urgency


def test_waiting_lanes_are_counted_by_reason(store: SqliteStore) -> None:
    def put(tx: Tx) -> None:
        portal(tx)
        tx.put_lanes([LaneRow("p", str(n), state="waiting", reason="the number") for n in range(3)])
        tx.put_lanes([LaneRow("p", "x", due_at=NOW, state="owed", reason="retry")])

    store.write(put)
    (found,) = status(store, CONFIG, NOW).portals
    assert found.waiting == {"the number": 3, "retry": 1}
    assert found.owed == 1


PERSON = ("CÔNG DÂN THỬ NGHIỆM 01", "096012000000", "0900000000", "a@example.invalid", "Ấp Thử Nghiệm", "bí mật")


def test_a_dossier_is_shown_without_anything_personal(store: SqliteStore, tmp_path: Path) -> None:
    name, number, phone, email, address, note = PERSON
    facts = {
        "dossier_code": "H99-1",
        "applicant": {
            "name": name,
            "kind": "citizen",
            "identity_number": number,
            "phone": phone,
            "email": email,
            "address": {"text": address, "province_code": "96"},
        },
        "abstract": f"của {name}",
        "note": note,
        "documents": [{"name": f"CCCD {number}"}],
        "received_at": "2026-07-01T00:00:00+00:00",
    }
    vault = KeyRing(tmp_path / "keys.ring")
    vault.ensure(["d"])
    row = DossierRow("d", dossier_code="H99-1", handler="p")
    held = Held({"facts": {"p": facts}, "texts": {"e": {"note": note}}})
    row.sealed = vault.seal(row.id, held.plain())
    store.write(lambda tx: tx.put_dossiers([row]))
    view = dossier_view(store, vault, CONFIG, find_dossiers(store, "H99-1")[0].id)
    vault.close()
    shown = orjson.dumps(view).decode()
    assert [value for value in PERSON if value in shown] == []
    assert view is not None
    assert view["facts"]["applicant"]["name"] == "C.D.T.N.0."
    assert view["facts"]["applicant"]["address"] == {"text": "•••", "province_code": "96"}
    assert view["facts"]["received_at"] == "2026-07-01T00:00:00+00:00"


def test_masking_keeps_absence_absent() -> None:
    assert masked({"name": "", "phone": None, "identities": []}) == {"name": "", "phone": None, "identities": []}
    assert initials("Đặng  Ánh") == "Đ.Á."
