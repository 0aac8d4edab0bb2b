"""Promises about files: they arrive byte for byte under their names, a repeat is equal, none is left out in silence."""

from __future__ import annotations

from dataclasses import replace

from adapters.base import SENT, Delivery, FileUse, Operation, OutcomeKind
from adapters.conformance.bench import Bench
from adapters.conformance.checks import attempt, declared_missing, delivered, expect, operations, promise, push, warm
from adapters.conformance.stored import BenchFile
from schemas.errors import PortalContractError, PortalError, PortalUnavailableError

FILES = (
    BenchFile("3f2a-to-khai", "Tờ khai đăng ký khai sinh.pdf", b"%PDF-1.7 " + bytes(range(256)) * 300),
    BenchFile("9c1d-chung-sinh", "Giấy chứng sinh (bản sao) số 1.pdf", b"%PDF-1.4\r\n\x00\n\xff\xfe " * 7),
)
"""Every byte there is, ends of lines of all sorts, lengths that no Base64 group fits."""
OPENING_FAULTS = ("reset_before", "reset_after", "truncate", "html_200", "empty_200", "unavailable_503", "too_many_429")


class FilePromises:
    """Checks of files that deliveries carry and of `open_file`; each takes a fresh bench."""

    @promise
    def test_files_arrive_byte_for_byte_under_their_names(self, bench: Bench) -> None:
        """What the portal holds, or finds at the address it was given, is each file once, whole, under its own name."""
        for operation, delivery in _carrying(bench):
            delivered(bench, delivery)
            held = bench.held_files(delivery)
            wanted = [(file.name, file.digest) for file in FILES]
            expect(sorted(held) == sorted(wanted), f"{operation.name}: sent {wanted}, the portal holds {held}")

    @promise
    def test_a_repeat_with_files_is_equal_on_the_wire(self, bench: Bench) -> None:
        """The same delivery gives the same bytes at every attempt, and the portal has no file twice."""
        for operation, delivery in _carrying(bench):
            delivered(bench, delivery)
            first, held = SENT.get(), bench.held_files(delivery)
            push(bench, replace(delivery, attempt=2))
            expect(SENT.get() == first, f"{operation.name}: a repeat was not equal byte for byte")
            again = bench.held_files(delivery)
            expect(sorted(again) == sorted(held), f"{operation.name}: after a repeat {len(again)} files of {len(held)}")

    @promise
    def test_nothing_is_sent_without_a_file_it_names(self, bench: Bench) -> None:
        """A file that is not kept any more is said: nothing goes out without it as if it were whole."""
        for operation, delivery in _carrying(bench):
            if operation.files is not FileUse.CONTENT:
                continue
            bench.stored.keep(*FILES)
            del bench.stored.files[FILES[1].reference]
            outcome = push(bench, delivery)
            told = outcome.kind in (OutcomeKind.REFUSED, OutcomeKind.RETRY)
            expect(told, f"{operation.name}: one of its files is not kept, and it became {outcome.kind}")
            expect(bench.held_files(delivery) == [], f"{operation.name}: files went out, one of them missing")

    @promise
    def test_a_file_is_opened_byte_for_byte_or_not_at_all(self, bench: Bench) -> None:
        """`open_file` gives the portal's very bytes; whatever breaks is an error, never a shorter or another file."""
        if not bench.adapter.abilities.opens_files or (made := bench.portal_file(FILES[0])) is None:
            declared_missing(bench, "opening files")
            return
        expect(_opened(bench, made) == FILES[0].content, "a file was not opened byte for byte")
        warm(bench)
        for fault in OPENING_FAULTS:
            if not bench.hurt(fault):
                continue
            result = attempt(lambda: _opened(bench, made))
            if isinstance(result, PortalError):
                right = isinstance(result, PortalUnavailableError | PortalContractError)
                expect(right, f"{fault}: opening a file raised {type(result).__name__}")
            else:
                expect(result == FILES[0].content, f"{fault}: a broken answer was taken for the file")


def _carrying(bench: Bench) -> list[tuple[Operation, Delivery]]:
    """A delivery with files for each operation that declares them."""
    made = []
    for operation in operations(bench):
        if operation.files is FileUse.NONE:
            declared_missing(bench, f"files in {operation.name}")
            continue
        bench.stored.keep(*FILES)
        delivery = bench.with_files(bench.delivery(operation.name, tag=f"{operation.name}-tep"), FILES)
        expect(delivery is not None, f"{operation.name} declares files, and its bench makes no delivery with any")
        if delivery is not None:
            made.append((operation, delivery))
    return made


def _opened(bench: Bench, ref: str) -> bytes:
    with bench.adapter.open_file(ref).stream as stream:
        return stream.read()
