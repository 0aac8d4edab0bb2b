"""Which unit and module a push goes to, and what wrong options say."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.civil_status.addressing import NotAddressedError, addressed, module_of
from adapters.civil_status.options import Options, checked
from schemas.errors import ConfigError

BASE: dict[str, Any] = {
    "base_url": "http://127.0.0.1",
    "client_id": "${K}",
    "client_secret": "${S}",
    "province_code": "96",
}


@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("1.001193", "LTKS"),
        ("1.001193.000.00.00.H56", "LTKS"),
        ("1.001193.H56", "LTKS"),
        ("1.000656", "LTKT"),
        ("1.000894", "LTKH"),
        ("LTKT", "LTKT"),
    ],
)
def test_a_procedure_finds_its_module_with_or_without_a_local_suffix(code: str, module: str) -> None:
    assert module_of(code, Options(**BASE)) == module


@pytest.mark.parametrize("code", ["", "1.004222", "1.0011935", "KS"])
def test_an_unknown_procedure_has_no_module(code: str) -> None:
    with pytest.raises(NotAddressedError):
        module_of(code, Options(**BASE))


def test_a_unit_is_translated_or_taken_as_it_is_where_there_is_no_table() -> None:
    record = {"maDonVi": "H96.1", "module": "1.001193", "data": "{}"}
    assert addressed(record, Options(**BASE))["maDonVi"] == "H96.1"
    assert addressed(record, Options(**BASE, units={"H96.1": "7"}))["maDonVi"] == "7"
    with pytest.raises(NotAddressedError):
        addressed(record, Options(**BASE, units={"H96.2": "7"}))
    with pytest.raises(NotAddressedError):
        addressed({**record, "maDonVi": ""}, Options(**BASE))


def test_wrong_options_are_all_listed_at_once() -> None:
    wrong = BASE | {"client_secret": "in the clear", "batch": 0, "colour": "red"}
    with pytest.raises(ConfigError) as caught:
        checked("justice", wrong)
    assert len(caught.value.problems) == 3
    assert "in the clear" not in str(caught.value)
