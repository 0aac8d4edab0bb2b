"""The floor: a hand-written job that makes the same requests and the same durable writes as the gateway's pull.

It writes into the gateway's own tables, indexes and triggers, row for row and column for column: dossier (timeline and
sealed facts), portal record, one lane due, sealed raw bytes and one leaf with a salted commitment; 200 records and the
cursor in one transaction, WAL and FULL; keys of new dossiers are on disk before. A record whose bytes are the stored
ones only moves `read_at`, as in the gateway. Files of both end within a few per cent of each other
(`python -m benchmarks` prints them), so neither is leaner in what it stores.

What it leaves out is what the gateway adds by thinking: no mapping language, no linking, no comparing of events, no
decisions, no routes, no union with what was held, no models. Fields are picked by hand; the code knows this one feed.

`python -m benchmarks.floor URL FOLDER VERSION` prints one JSON line.
"""

from __future__ import annotations

import gc
import hashlib
import os
import secrets
import sqlite3
import sys
import time
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.measuring import Measured, sizes
from gateway.store.schema import create, revision

PAGE = 200
RAW_DAYS_S = 90 * 86400.0
KEYS = "CREATE TABLE IF NOT EXISTS owner_key (owner TEXT PRIMARY KEY, key BLOB, erased_at REAL) WITHOUT ROWID"
HELD = """SELECT external_id, raw_digest, dossier_id, leaf FROM portal_record
WHERE portal = 'province' AND external_id IN (SELECT value FROM json_each(?))"""
DOSSIER = """INSERT INTO dossier VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET version = version + 1, status = excluded.status, wire = excluded.wire,
received_at = excluded.received_at, due_at = excluded.due_at, changed_at = excluded.changed_at,
timeline = excluded.timeline, sealed = excluded.sealed"""
RECORD = "INSERT OR REPLACE INTO portal_record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
TOUCH = "UPDATE portal_record SET read_at = ? WHERE portal = 'province' AND external_id = ?"
LANE = """INSERT INTO lane VALUES ('national', ?, ?, 1, 0.0, '', 'calm', '', ?, '{}')
ON CONFLICT (dossier_id, portal) DO UPDATE SET mark = mark + 1, due_at = min(due_at, excluded.due_at)"""
RAW = "INSERT INTO raw VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"
LEAF = "INSERT INTO leaf VALUES (?, ?, ?, ?, ?, ?, NULL)"
CURSOR = "INSERT OR REPLACE INTO cursor VALUES ('province', 'pull', ?)"


def seconds(text: str) -> float:
    """An instant in seconds."""
    return datetime.fromisoformat(text).timestamp()


def utc(text: str) -> str:
    """An instant as the gateway keeps it."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


class Floor:
    """One store with its keys."""

    def __init__(self, folder: Path) -> None:
        self.store = _opened(folder / "store.db")
        if revision(self.store) is None:
            create(self.store)
        self.keys = _opened(folder / "keys.ring")
        self.keys.execute(KEYS)

    def page(self, records: list[dict[str, Any]], after: int | None) -> None:
        """Store one page; a record's `raw` are the bytes to seal, where they are not the record itself."""
        now = time.time()
        store = self.store
        names = orjson.dumps([record["reference"] for record in records]).decode()
        held = {row[0]: row[1:] for row in store.execute(HELD, (names,))}
        changed, same = [], []
        for record in records:
            raw = record.pop("raw", None) or orjson.dumps(record)
            digest = hashlib.sha256(raw).hexdigest()[:32]
            was = held.get(record["reference"])
            if was is not None and was[0] == digest:
                same.append((now, record["reference"]))
            else:
                owner = was[1] if was else f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
                changed.append((record, raw, digest, owner, was[2] if was else ""))
        keys = self._keys([found[3] for found in changed]) if changed else {}
        rows: tuple[list[Any], ...] = ([], [], [], [], [])
        for found in changed:
            self._rows(*found, keys[found[3]], now, rows)
        store.execute("BEGIN IMMEDIATE")
        for statement, values in zip((DOSSIER, RECORD, LANE, RAW, LEAF), rows, strict=True):
            store.executemany(statement, values)
        store.executemany(TOUCH, same)
        store.execute(CURSOR, (str(after),))
        store.execute("COMMIT")

    def _keys(self, owners: list[str]) -> dict[str, bytes]:
        names = orjson.dumps(owners).decode()
        asked = "SELECT owner, key FROM owner_key WHERE owner IN (SELECT value FROM json_each(?))"
        held: dict[str, bytes] = dict(self.keys.execute(asked, (names,)))
        new = [(owner, os.urandom(32)) for owner in owners if owner not in held]
        if new:
            self.keys.execute("BEGIN IMMEDIATE")
            self.keys.executemany("INSERT INTO owner_key (owner, key) VALUES (?, ?)", new)
            self.keys.execute("COMMIT")
        return {**held, **dict(new)}

    def _rows(
        self,
        record: dict[str, Any],
        raw: bytes,
        digest: str,
        owner: str,
        prev: str,
        key: bytes,
        now: float,
        rows: tuple[list[Any], ...],
    ) -> None:
        name, head = record["reference"], b"\x01" + hashlib.blake2b(key, digest_size=4).digest()
        entries = [_entry(name, "log", row, now) for row in record["log"]]
        act = {"id": record["act"], "status": record["status"], "at": record["at"]}
        entries.insert(0, {**_entry(name, "act", act, now), "nth": 1})
        timeline = orjson.dumps(entries).decode()
        texts = {
            e["id"]: {"note": r["note"], "officer": r["officer"]}
            for e, r in zip(entries[1:], record["log"], strict=True)
        }
        texts[entries[0]["id"]] = {"note": record["note"], "officer": record["officer"]}
        box, bound = AESGCM(key), head + owner.encode()
        sealed = _seal(box, head, bound, orjson.dumps({"facts": {"province": _facts(record)}, "texts": texts}))
        salt = os.urandom(16)
        commitment = hashlib.sha256(salt + raw).hexdigest()
        leaf = orjson.dumps(
            {
                "at": round(now, 3),
                "commitment": commitment,
                "decisions": [[entry["id"], "advance"] for entry in entries],
                "dossier": owner,
                "due": ["national"],
                "kind": "observation",
                "portal": "province",
                "prev": prev,
                "read_at": round(now, 3),
                "record": name,
                "removed": False,
                "unknown": [],
                "v": 1,
            }
        )
        leaf_digest = hashlib.sha256(leaf).hexdigest()
        person = hashlib.blake2b(record["person"].encode(), key=b"0" * 32, digest_size=16).hexdigest()
        code, procedure, agency, status = record["code"], record["procedure"], record["agency"], record["status"]
        times = (None, seconds(record["received"]), seconds(record["due"]), now)
        columns = (owner, 1, "", code, procedure, agency, person, status, status, "province")
        rows[0].append((*columns, *times, "[]", timeline, sealed))
        counts = orjson.dumps({"acts": {record["act"]: 1}, "act": record["act"], "pos": 1, "last_at": entries[0]["at"]})
        placed = ("province", name, owner, code, "", name, person, procedure, agency)
        whole = hashlib.sha256(raw).hexdigest()
        rows[1].append((*placed, whole, "", digest, now, 1, 0, 0, counts.decode(), leaf_digest))
        rows[2].append((owner, now, now))
        packed = _seal(box, head, bound, salt + zlib.compress(raw, 1))
        rows[3].append(("province", name, owner, packed, commitment, now, now + RAW_DAYS_S))
        rows[4].append(("observation", leaf, leaf_digest, now, owner, "province"))


def _opened(path: Path) -> sqlite3.Connection:
    made = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -16384", "temp_store = MEMORY"):
        made.execute(f"PRAGMA {pragma}")
    return made


def _entry(name: str, kind: str, row: dict[str, Any], now: float) -> dict[str, Any]:
    return {
        "id": f"province|{name}|{kind}:{row['id']}" + (":1" if kind == "act" else ""),
        "portal": "province",
        "record": name,
        "stage": "",
        "kind": kind,
        "status": row["status"],
        "wire": row["status"],
        "at": seconds(row["at"]),
        "pos": int(row["id"]),
        "heard": now,
    }


def _facts(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "reference": record["reference"],
        "dossier_code": record["code"],
        "abstract": record["abstract"],
        "received_at": utc(record["received"]),
        "due_at": utc(record["due"]),
        "documents": [{"document_id": p["id"], "name": p["name"], "url": p["url"]} for p in record["papers"]],
        "procedure": {
            "procedure_code": record["procedure"],
            "name": record["procedure_name"],
            "sector_code": record["sector"],
        },
        "handling_agency": {"agency_code": record["agency"], "name": record["agency_name"]},
        "applicant": {
            "name": record["name"],
            "identity_number": record["person"],
            "phone": record["phone"],
            "email": record["email"],
            "address": {"text": record["address"]},
        },
    }


def _seal(box: AESGCM, head: bytes, bound: bytes, plain: bytes) -> bytes:
    nonce = os.urandom(12)
    return head + nonce + box.encrypt(nonce, plain, bound)


def pages(client: httpx.Client, url: str, version: str) -> Iterable[dict[str, Any]]:
    """The requests: every page of the feed, one after another."""
    after: int | None = 0
    while after is not None:
        found = orjson.loads(client.get(f"{url}/feed?from={after}&size={PAGE}&version={version}").content)
        after = found["next"]
        yield found


def main() -> None:
    """Pull the whole feed once."""
    url, folder, version = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    floor = Floor(folder)
    gc.set_threshold(20_000, 20, 100)  # as the gateway does
    count = 0
    with Measured() as measured, httpx.Client() as client:
        for page in pages(client, url, version):
            floor.page(page["data"], page["next"])
            count += len(page["data"])
    sys.stdout.write(orjson.dumps({"records": count, **measured.figures, **sizes(folder)}).decode() + "\n")


if __name__ == "__main__":
    main()
