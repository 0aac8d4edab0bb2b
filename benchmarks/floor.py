"""The floor: a hand-written job that makes the same requests and the same durable writes as the gateway's pull.

Per record it writes what the gateway writes: dossier (columns, timeline, sealed facts), portal record, one lane due,
sealed raw bytes and one leaf with a salted commitment; 200 records and the cursor in one transaction, WAL and FULL;
keys of new dossiers are on disk before. No mapping language, no linking, no decisions, no models: fields are picked by
hand and the code is allowed to know this one feed.

`python -m benchmarks.floor URL FOLDER VERSION` prints one JSON line.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sqlite3
import sys
import time
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

DDL = """
CREATE TABLE IF NOT EXISTS dossier(id TEXT PRIMARY KEY, version INT, code TEXT, procedure TEXT, agency TEXT,
  applicant TEXT, status TEXT, received REAL, due REAL, changed REAL, timeline BLOB, sealed BLOB);
CREATE INDEX IF NOT EXISTS dossier_code ON dossier(code);
CREATE TABLE IF NOT EXISTS record(portal TEXT, external TEXT, dossier TEXT, digest TEXT, read REAL, counts BLOB,
  leaf TEXT, PRIMARY KEY(portal, external));
CREATE TABLE IF NOT EXISTS lane(portal TEXT, dossier TEXT, due REAL, mark INT, doc BLOB, PRIMARY KEY(portal, dossier));
CREATE TABLE IF NOT EXISTS raw(id INTEGER PRIMARY KEY, portal TEXT, external TEXT, sealed BLOB, at REAL);
CREATE TABLE IF NOT EXISTS leaf(id INTEGER PRIMARY KEY, kind TEXT, body BLOB, digest TEXT);
CREATE TABLE IF NOT EXISTS cursor(portal TEXT PRIMARY KEY, value TEXT);
"""


def seconds(text: str) -> float:
    """An instant in seconds."""
    return datetime.fromisoformat(text).timestamp()


class Floor:
    """One store with its keys."""

    def __init__(self, folder: Path) -> None:
        self.store = self._open(folder / "floor.db")
        self.store.executescript(DDL)
        self.keys = self._open(folder / "floor.keys")
        self.keys.execute("CREATE TABLE IF NOT EXISTS key(owner TEXT PRIMARY KEY, value BLOB)")

    def _open(self, path: Path) -> sqlite3.Connection:
        made = sqlite3.connect(path, isolation_level=None)
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("PRAGMA synchronous=FULL")
        return made

    def page(self, records: list[dict[str, Any]], after: int | None) -> None:
        """Store one page."""
        now = time.time()
        store = self.store
        names = [record["reference"] for record in records]
        marks = ",".join("?" * len(names))
        held = dict(store.execute(f"SELECT external, digest FROM record WHERE external IN ({marks})", names).fetchall())
        changed = []
        for record in records:
            raw = orjson.dumps(record)
            digest = hashlib.sha256(raw).hexdigest()
            if held.get(record["reference"]) != digest:
                changed.append((record, raw, digest))
        keys = self._keys([record["reference"] for record, _, _ in changed])
        rows: tuple[list[Any], ...] = ([], [], [], [], [])
        for record, raw, digest in changed:
            self._rows(record, raw, digest, keys[record["reference"]], now, rows)
        store.execute("BEGIN IMMEDIATE")
        store.executemany("INSERT OR REPLACE INTO dossier VALUES(?,?,?,?,?,?,?,?,?,?,?,?)", rows[0])
        store.executemany("INSERT OR REPLACE INTO record VALUES(?,?,?,?,?,?,?)", rows[1])
        store.executemany("INSERT OR REPLACE INTO lane VALUES(?,?,?,?,?)", rows[2])
        store.executemany("INSERT INTO raw(portal, external, sealed, at) VALUES(?,?,?,?)", rows[3])
        store.executemany("INSERT INTO leaf(kind, body, digest) VALUES(?,?,?)", rows[4])
        store.execute("INSERT OR REPLACE INTO cursor VALUES('province', ?)", (str(after),))
        store.execute("COMMIT")

    def _keys(self, owners: list[str]) -> dict[str, bytes]:
        marks = ",".join("?" * len(owners))
        held = dict(self.keys.execute(f"SELECT owner, value FROM key WHERE owner IN ({marks})", owners).fetchall())
        new = [(owner, os.urandom(32)) for owner in owners if owner not in held]
        if new:
            self.keys.execute("BEGIN IMMEDIATE")
            self.keys.executemany("INSERT INTO key VALUES(?,?)", new)
            self.keys.execute("COMMIT")
        return {**held, **dict(new)}

    def _rows(
        self, record: dict[str, Any], raw: bytes, digest: str, key: bytes, now: float, rows: tuple[list[Any], ...]
    ) -> None:
        name = record["reference"]
        box = AESGCM(key)
        timeline = [[row["id"], row["status"], seconds(row["at"])] for row in record["log"]]
        facts = {field: record[field] for field in record if field != "log"}
        texts = {row["id"]: {"note": row["note"], "officer": row["officer"]} for row in record["log"]}
        sealed = self._seal(box, orjson.dumps({"facts": facts, "texts": texts}))
        salt = os.urandom(16)
        commitment = hashlib.sha256(salt + raw).hexdigest()
        leaf = orjson.dumps({"kind": "observation", "dossier": name, "at": now, "commitment": commitment})
        leaf_digest = hashlib.sha256(leaf).hexdigest()
        person = hashlib.blake2b(record["person"].encode(), key=key[:16], digest_size=16).hexdigest()
        times = (seconds(record["received"]), seconds(record["due"]), now)
        columns = (record["code"], record["procedure"], record["agency"], person, record["status"])
        rows[0].append((name, 1, *columns, *times, orjson.dumps(timeline), sealed))
        rows[1].append(("province", name, name, digest, now, b"{}", leaf_digest))
        rows[2].append(("national", name, now, 1, b"{}"))
        rows[3].append(("province", name, self._seal(box, salt + zlib.compress(raw, 1)), now))
        rows[4].append(("observation", leaf, leaf_digest))

    def _seal(self, box: AESGCM, plain: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + box.encrypt(nonce, plain, None)


def main() -> None:
    """Pull the whole feed once."""
    url, folder, version = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    floor = Floor(folder)
    started, cpu = time.perf_counter(), time.process_time()
    after: int | None = 0
    count = 0
    with httpx.Client() as client:
        while after is not None:
            body = client.get(f"{url}/feed?from={after}&size=200&version={version}").content
            page = orjson.loads(body)
            floor.page(page["data"], page["next"])
            count += len(page["data"])
            after = page["next"]
    spent = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"records": count, "seconds": spent, "cpu_s": time.process_time() - cpu, "peak_mib": peak}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
