"""What is measured of a run: seconds, CPU, peak memory, bytes left on disk."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class Measured:
    """Seconds, CPU seconds of the process and its peak resident MiB, of what runs inside."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._started, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.figures = {
            "seconds": time.perf_counter() - self._started,
            "cpu_s": time.process_time() - self._cpu,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def sizes(folder: Path) -> dict[str, float]:
    """MiB of store and key ring, write-ahead logs included."""
    bytes_held = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    return {"disk_mib": bytes_held / 2**20}


def fsync_ms(folder: Path, times: int = 50) -> float:
    """Milliseconds that one small write with fsync takes here, the median."""

    taken = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(times):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - started)
    (folder / "fsync").unlink()
    return sorted(taken)[times // 2] * 1000
