"""What is kept for a time only goes when its time has come, while the gateway runs (T6)."""

from __future__ import annotations

import signal
from contextlib import closing

from gateway.store.base import Tx
from gateway.store.rows import RawRow
from gateway.store.sqlite import SqliteStore
from tests.integration.cli.conftest import Rehearsal
from tests.integration.cli.test_running import adopted, process, stop, until


def test_raw_records_that_have_had_their_day_are_removed_by_a_running_gateway(rehearsal: Rehearsal) -> None:
    rehearsal.handed_in()
    adopted(rehearsal)
    path = rehearsal.folder / "var" / "lienthong.db"

    def age(tx: Tx) -> list[int]:
        return tx.put_raw([RawRow("province", f"old{number}", "d", b"x", "0" * 64, 1.0, 2.0) for number in range(2500)])

    def held() -> int:
        with closing(SqliteStore(path)) as store:
            return store.read(lambda tx: tx.counts())["raw"]

    kept = held()
    with closing(SqliteStore(path)) as store:
        store.write(age)
    assert held() == kept + 2500
    with process(rehearsal, "run") as started:
        until(lambda: held() == kept)
        _, _, err = stop(started, signal.SIGTERM)
    assert '"raw_expired"' in err
