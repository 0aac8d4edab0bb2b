"""A report that came after the backup is not lost by the restore: its ministry heard "received" and sends it once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from gateway.bootstrap import open_gateway
from gateway.cli.inbox_room import PASSWORD, InboxRoom
from gateway.inbox.items import Items
from gateway.store.backup import backup
from gateway.store.base import Tx
from gateway.store.restore import restore
from gateway.store.rows import NoticeRow
from gateway.sync.dossiers import Held
from tests.integration.inbox.conftest import Client

CERTIFICATE = "JVBERi0xLjQKJSBTeW50aGV0aWMgcmVzdWx0LgolJUVPRgo="


@pytest.mark.parametrize("lost", [False, True], ids=["the replaced store is there", "the disk is gone"])
def test_a_cursor_of_after_the_backup_holds_and_passes_over_nothing_that_is_offered_later(
    tmp_path: Path, lost: bool
) -> None:
    with InboxRoom(tmp_path / "room", ministries={"transport": {}}) as room:
        client = Client(room.url, room.key("transport"))
        room.hand_over(1)
        config = room.gateway.engine.shop.config
        store = Path(config.store.path)
        manifest = backup(store, tmp_path / "backups", datetime.now(UTC))
        room.hand_over(3)
        cursor = client.get("/v1/inbox/items").json()["next"]
    if lost:
        for file in store.parent.glob(f"{store.name}*"):
            file.unlink()

    restore(manifest, store, datetime.now(UTC), actor="test")
    with open_gateway(config, environ={"PROVINCE_PASSWORD": PASSWORD}) as gateway:
        items = Items(gateway.engine.shop, gateway.inbound.desk.files)
        assert items.page("transport", cursor, 50, waiting=True).items == []
        assert len(items.page("transport", "", 50, waiting=True).items) == 1

        def offer(tx: Tx) -> None:
            ((_, known),) = tx.items("transport", waiting=True)
            again = replace(known, id=None, key=f"{known.key}+", key_uuid="0" * 32)
            tx.put_delivery(again)
            tx.offer(NoticeRow("transport", again.key_uuid, again.key, again.dossier_id))

        gateway.store.write(offer)
        (found,) = items.page("transport", cursor, 50, waiting=True).items
        assert found.id == "0" * 32
    structlog.reset_defaults()


def test_a_report_of_after_the_backup_is_told_again_from_the_journal(tmp_path: Path) -> None:
    with InboxRoom(tmp_path / "room", ministries={"transport": {}}) as room:
        client = Client(room.url, room.key("transport"))
        room.hand_over(1)
        (item,) = client.items()
        assert client.acknowledge(item).status == 200
        config = room.gateway.engine.shop.config
        store = Path(config.store.path)
        manifest = backup(store, tmp_path / "backups", datetime.now(UTC))
        told = {"status": "completed", "occurred_at": datetime.now(UTC).isoformat(), "note": "Đã cấp giấy phép"}
        result = {"name": "Giấy phép.pdf", "content": CERTIFICATE}
        assert client.report(item, "report-after-backup", **told, results=[result]).status == 202
        room.turn()

    restore(manifest, store, datetime.now(UTC), actor="test")
    with open_gateway(config, environ={"PROVINCE_PASSWORD": PASSWORD}) as gateway:
        calls = gateway.store.read(lambda tx: tx.list_inbound(portal="transport"))
        assert [row.key for row in calls if row.endpoint == "reports"] == []
        assert gateway.inbound.replay() >= 1
        assert gateway.inbound.replay() == 0, "once for each restored store"
        gateway.inbound.taker.run("transport")
        (row,) = gateway.store.read(lambda tx: list(tx.iter_dossiers()))
        held = Held.open(row, gateway.vault)
        facts = held.facts["transport"]
        assert [paper["name"] for paper in facts["results"]] == ["Giấy phép.pdf"]
        (file,) = gateway.store.read(lambda tx: [one for one in tx.files_of(row.id) if one.portal == "transport"])
        assert b"".join(gateway.inbound.desk.files.open(file)).startswith(b"%PDF-1.4")
        assert any("Đã cấp giấy phép" in str(text) for text in held.texts.values())
    structlog.reset_defaults()
