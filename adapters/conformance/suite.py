"""The suite every adapter passes. Subclass it beside a kind's tests and give it a bench:

    class TestConformance(AdapterConformance):
        @pytest.fixture
        def bench(self) -> Iterator[Bench]:
            bench = MyBench()
            yield bench
            bench.close()

A check that meets an ability which the kind declares as missing passes and says so; a kind may be exempt from a check
for a stated reason. Both are listed in `adapters.conformance.checks.NOT_DONE`.
"""

from __future__ import annotations

from adapters.base import DeliveryClass
from adapters.conformance.bench import Bench
from adapters.conformance.checks import expect
from adapters.conformance.files import FilePromises
from adapters.conformance.reads import ReadPromises
from adapters.conformance.writes import WritePromises


class AdapterConformance(ReadPromises, WritePromises, FilePromises):
    """Every promise of an adapter, as tests."""

    def test_abilities_are_declared_soundly(self, bench: Bench) -> None:
        """Operations are named by what they do, and every name that abilities use is an operation."""
        able = bench.adapter.abilities
        for listed, operation in able.operations.items():
            expect(listed == operation.name, f"operation {operation.name} is listed as {listed}")
            many = operation.rows_per_call > 1
            expect(not many or operation.klass is DeliveryClass.APPEND, f"{listed}: only appends take many rows a call")
        wanted: tuple[tuple[str | None, str], ...] = (
            (able.create, "snapshot"),
            (able.update, "snapshot"),
            (able.append, "append"),
        )
        for name, klass in wanted:
            if name is not None:
                expect(name in able.operations, f"{name} is no operation")
                expect(able.operations[name].klass == klass, f"{name} is used as {klass}")
        for verb, command in able.commands.items():
            expect(command in able.operations, f"command {verb} names {command}, which is no operation")
        pulls = able.pulls or able.polls
        expect(not pulls or able.identity is not None, "a source that is read must say how its events are known again")
