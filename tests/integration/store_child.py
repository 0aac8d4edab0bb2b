"""A process that writes to a store and says on standard output what was acknowledged; started and killed by tests.

Arguments: store, writing threads, and a limit for the size of any file in bytes (0 for none).
Each work writes a leaf, a dossier and a setting of one name; the name is printed after the write has returned.
"""

import os
import resource
import sys
import threading
from pathlib import Path

from gateway.store.base import Tx
from gateway.store.rows import DossierRow, LeafRow
from gateway.store.sqlite import SqliteStore
from schemas.errors import StoreError

PADDING = b"x" * 4000


def write_on(store: SqliteStore, prefix: str) -> None:
    for n in range(1_000_000):
        name = f"{prefix}.{n}"

        def work(tx: Tx, name: str = name) -> None:
            tx.append_leaves([LeafRow("act", name.encode(), name, 1.0)])
            tx.put_dossiers([DossierRow(name, sealed=PADDING)])
            tx.put_setting(name, "there")

        try:
            store.write(work)
        except StoreError as error:
            say(f"stopped {error}")
            return
        say(f"done {name}")


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main(path: str, threads: str, limit: str) -> None:
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    store = SqliteStore(Path(path))
    prefix = f"{os.getpid()}"
    started = [threading.Thread(target=write_on, args=(store, f"{prefix}.{n}")) for n in range(int(threads))]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    # What comes after a stop is refused at once, and closing is possible all the same.
    write_on(store, f"{prefix}.late")
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
