"""The suite passes for a small adapter over a socket that keeps every promise."""

from collections.abc import Iterator

import pytest

from adapters.conformance import AdapterConformance, Bench

from .toy import ToyBench


class TestToyConformance(AdapterConformance):
    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        bench = ToyBench()
        yield bench
        bench.close()
        assert bench.server is not None
        assert bench.server.defects == []
