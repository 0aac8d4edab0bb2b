"""What every adapter must do, as a suite to subclass; the benches it runs on; and an adapter in memory.

An adapter of another team imports `AdapterConformance` and `Bench` from here and needs nothing else of ours.
"""

from adapters.conformance.bench import Bench, Held, OneSession, OpenBudget, bench_context
from adapters.conformance.memory import MemoryAdapter
from adapters.conformance.portal import MemoryPortal
from adapters.conformance.stored import BenchFile, BenchStore
from adapters.conformance.suite import AdapterConformance

__all__ = [
    "AdapterConformance",
    "Bench",
    "BenchFile",
    "BenchStore",
    "Held",
    "MemoryAdapter",
    "MemoryPortal",
    "OneSession",
    "OpenBudget",
    "bench_context",
]
