"""Results and papers at the national portal are addresses: written, compared, followed by whoever reads."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from adapters.base import FileUse, OutcomeKind
from adapters.npsp.caller.citizens import content_of
from mappings import load
from tests.integration.npsp.conftest import DOSSIER, NUMBER, Bench


def shown(bench: Bench, *names: str) -> dict[str, Any]:
    """The dossier with one result for each name, as our mapping writes it."""
    rows = [{"name": f"Giấy khai sinh {name}", "url": f"{bench.server.url}/tep/{name}"} for name in names]
    wire = load("npsp/v2-2024").messages["dossier"].record.write({"results": rows})
    return DOSSIER | {"DanhSachGiayToKetQua": wire["DanhSachGiayToKetQua"]}


def test_a_copy_carries_addresses_and_a_row_of_progress_none(bench: Bench) -> None:
    uses = {name: one.files for name, one in bench.adapter.abilities.operations.items()}
    assert uses == {"insert": FileUse.LINK, "update": FileUse.LINK, "progress": FileUse.NONE}


def test_whoever_follows_an_address_gets_the_very_bytes(bench: Bench) -> None:
    outcome = bench.adapter.push(bench.delivery("insert", shown(bench, "khai-sinh.pdf")))
    assert outcome.kind is OutcomeKind.DELIVERED
    bench.simulator.act("fetch_files", {})
    (file,) = bench.simulator.screen(f"files/{NUMBER}", {})
    assert file["sha256"] == hashlib.sha256(content_of("khai-sinh.pdf")).hexdigest()
    assert (file["status"], file["list"], file["shown"]) == (
        200,
        "DanhSachGiayToKetQua",
        "Giấy khai sinh khai-sinh.pdf",
    )
    assert bench.simulator.book.count(NUMBER, "fetch") == 1


def test_an_address_that_leads_nowhere_is_seen(bench: Bench) -> None:
    bench.adapter.push(bench.delivery("insert", shown(bench, "404", "html")))
    bench.simulator.act("fetch_files", {"MaHoSo": NUMBER})
    assert [file["status"] for file in bench.simulator.screen(f"files/{NUMBER}", {})] == [404, 200]
    assert bench.simulator.screen("files", {}).keys() == {NUMBER}


def test_only_addresses_of_this_machine_are_followed(bench: Bench) -> None:
    away = shown(bench, "x.pdf")
    away["DanhSachGiayToKetQua"][0]["DuongDanTepTinKetQua"] = "https://example.invalid/x.pdf"
    bench.adapter.push(bench.delivery("insert", away))
    with pytest.raises(ValueError, match="this machine"):
        bench.simulator.act("fetch_files", {})


@pytest.mark.parametrize("profile", ["npsp/v2-2024", "npsp/v1.4-2020"])
@pytest.mark.parametrize("name", ["results", "documents"])
def test_an_address_of_another_file_is_worth_an_update_and_another_one_of_the_same_is_not(
    profile: str, name: str
) -> None:
    message = load(profile).messages["dossier"]
    urls = ("", "https://a/f/1", "https://b/g/1?time=2&download=true", "https://a/f/2")
    none, first, same, other = (message.comparable({name: [{"name": "Giấy", "url": url}]}) for url in urls)
    assert none != first
    assert first == same
    assert first != other
    assert message.steady({name: [{"name": "Giấy", "url": "a"}]}) == {name: [{"name": "Giấy"}]}
