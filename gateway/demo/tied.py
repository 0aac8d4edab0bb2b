"""The demo's gateway, tied to the demo: when whoever started it is gone, by whatever death, it is gone too.

Its standard input is a pipe that nobody writes to. The kernel closes it when the demo's process ends.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def end_with_input() -> None:
    """Wait for the end of standard input, then die at once, as a machine that loses its power."""
    while os.read(sys.stdin.fileno(), 1):
        continue
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_input, name="tied", daemon=True).start()
    runpy.run_module("gateway", run_name="__main__", alter_sys=True)
