"""Identifier checks: the test tables of rules.md section 3."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.codes import (
    SEVERITY,
    AgencyCode,
    AgencyForm,
    DossierCode,
    InForce,
    ProcedureCode,
    Severity,
    check_agency,
    check_dossier,
    check_procedure,
    check_sector,
)
from schemas.errors import RecordInvalidError
from schemas.numbers import (
    bare_tax_number,
    check_id_card,
    check_personal_number,
    check_tax_number,
    check_units,
    printed_tax_number,
)

LONG_AGO, TODAY = date(2020, 1, 1), date(2026, 11, 23)


def rules(findings: tuple[object, ...]) -> list[str]:
    return [finding.rule for finding in findings]  # type: ignore[attr-defined] # any finding has a rule


@pytest.mark.parametrize(
    ("text", "form", "level_1"),
    [
        ("000.00.00.H49", AgencyForm.OLD, "H49"),
        ("000.00.19.H99", AgencyForm.OLD, "H99"),
        ("H56", AgencyForm.CURRENT, "H56"),
        ("H55.242", AgencyForm.CURRENT, "H55"),
        (" K57.A1 ", AgencyForm.CURRENT, "K57"),
        ("H99." + "A" * 31, AgencyForm.CURRENT, "H99"),
        ("Z01ABC", AgencyForm.SCHEME, ""),
    ],
)
def test_an_agency_code_keeps_the_form_it_came_in(text: str, form: AgencyForm, level_1: str) -> None:
    code = AgencyCode.parse(text)

    assert (code, code.form, code.level_1) == (text.strip(), form, level_1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h56",
        "H5",
        "H56.",
        "H56..1",
        "H56.é",
        "H99." + "A" * 32,
        "Z00ABC",
        "Z01",
        "000.00.H49",
        "000.00.19.Z01",
        "０00.00.19.H99",
        "H56\n.1",
    ],
)
def test_what_is_no_agency_code_is_refused_without_its_value(text: str) -> None:
    with pytest.raises(RecordInvalidError) as caught:
        AgencyCode.parse(text)

    assert caught.value.field == "agency_code"
    assert not text or text not in str(caught.value)


def test_an_agency_code_is_judged_by_the_table_of_the_day() -> None:
    known = {"H43": InForce(LONG_AGO, date(2025, 6, 30), "H32"), "H32": InForce(LONG_AGO)}

    assert check_agency("H43", date(2025, 6, 30), known) == ()
    assert rules(check_agency("H43", TODAY, known)) == ["agency.not_in_force"]
    assert rules(check_agency("H99", TODAY, known)) == ["agency.unknown"]
    assert rules(check_agency("h32", TODAY, known)) == ["agency.form"]


@pytest.mark.parametrize(
    ("text", "received_on", "is_2018"),
    [
        ("000.00.19.H99-260302-0001", date(2026, 3, 2), True),
        ("H99.19-260302-0001", date(2026, 3, 2), False),
        ("000.00.19.H99-240229-0007", date(2024, 2, 29), True),
        ("H56.14-240115-00001", date(2024, 1, 15), False),
        ("  H56-240115-000001\n", date(2024, 1, 15), False),
    ],
)
def test_a_dossier_code_says_when_and_where_it_was_received(text: str, received_on: date, is_2018: bool) -> None:
    code = DossierCode.parse(text)

    assert (code.received_on, code.is_2018) == (received_on, is_2018)
    assert str(code).startswith(code.agency)
    assert code.sequence in (1, 7)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("000.00.19.H99-260230-0001", "dossier.date"),
        ("000.00.19.H99-250229-0007", "dossier.date"),
        ("000.00.19.Z01-260302-0001", "dossier.form"),
        ("000.00.19.H99-260302-001", "dossier.form"),
        ("000.00.19.h99-260302-0001", "dossier.form"),
        ("000.00.19.H99-260302-00001", "dossier.form"),
        ("00001/2026/10101", "dossier.form"),
        ("000.00.19.H99-２60302-0001", "dossier.form"),
    ],
)
def test_a_wrong_dossier_code_is_found_by_rule(text: str, rule: str) -> None:
    assert rules(check_dossier(text)) == [rule]
    with pytest.raises(RecordInvalidError, match=rule):
        DossierCode.parse(text)


def test_a_dossier_code_is_compared_with_the_dates_of_its_record() -> None:
    code = "000.00.19.H99-260302-9500"

    assert rules(check_dossier(code, event_on=date(2026, 3, 1))) == [
        "dossier.after_event",
        "dossier.sequence_nearly_full",
    ]
    assert rules(check_dossier(code, received_on=date(2026, 3, 3))) == [
        "dossier.not_received_then",
        "dossier.sequence_nearly_full",
    ]
    assert check_dossier("H99-260302-9500", event_on=TODAY, received_on=date(2026, 3, 2)) == ()


@pytest.mark.parametrize(
    ("text", "agency"),
    [
        ("2.002492", ""),
        ("1.000948.H38", "H38"),
        ("2.000815.000.00.00.H55", "000.00.00.H55"),
        ("3.000181.000.00.00.H22", "000.00.00.H22"),
        ("2.000815.000.00.00.H55.02", "000.00.00.H55"),
    ],
)
def test_a_procedure_code_is_compared_by_its_national_part(text: str, agency: str) -> None:
    code = ProcedureCode.parse(text)

    assert (code.national, code.agency) == (text[:8], agency)


@pytest.mark.parametrize("text", ["TS_lop1.000.00.00.H22", "0.000000", "2.00249", "2.002492.h22", ""])
def test_a_made_up_procedure_code_is_quarantined(text: str) -> None:
    assert [finding.severity for finding in check_procedure(text)] == [Severity.QUARANTINE]


def test_a_procedure_outside_the_list_is_quarantined() -> None:
    assert rules(check_procedure("2.002492.H22", frozenset({"1.000948"}))) == ["procedure.unknown"]
    assert check_procedure("1.000948.H22", frozenset({"1.000948"})) == ()


@pytest.mark.parametrize(("text", "ok"), [("G03-GD10", True), ("G03", False), ("G03-gd10", False)])
def test_a_sector_code_names_ministry_and_field(text: str, ok: bool) -> None:
    assert (check_sector(text) == ()) is ok


@pytest.mark.parametrize(
    ("text", "sex", "year", "expected"),
    [
        ("058090000000", "male", 1990, []),
        ("058190000000", "male", 1990, ["personal_number.sex"]),
        ("058205000000", "male", 2005, []),
        ("058205000000", "male", 1905, ["personal_number.birth"]),
        ("05809000000", "", None, ["personal_number.form"]),
        ("０58090000000", "", None, ["personal_number.form"]),
        ("058490000000", "", None, ["personal_number.future"]),
        ("058227000000", "", None, ["personal_number.future"]),
        ("097090000000", "", None, ["personal_number.place"]),
    ],
)
def test_a_personal_number_agrees_with_its_person(text: str, sex: str, year: int | None, expected: list[str]) -> None:
    assert rules(check_personal_number(text, sex=sex, birth_year=year, today=TODAY)) == expected


def test_an_old_card_is_flagged_in_a_new_dossier_only() -> None:
    assert check_id_card("000000001", date(2024, 12, 31)) == ()
    assert rules(check_id_card("000000001", date(2025, 1, 1))) == ["id_card.expired"]
    assert rules(check_id_card("00000001", date(2025, 1, 1))) == ["id_card.form"]


VALID_TAX_NUMBERS = [
    "0000000017", "0000000024", "0000000070", "0000000105", "0012345672", "0099999998", "0012345672-001",
    "00.1234.5672 001",
]  # fmt: skip


@pytest.mark.parametrize("text", VALID_TAX_NUMBERS)
def test_a_tax_number_with_its_check_digit_is_accepted(text: str) -> None:
    assert check_tax_number(text) == ()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        *[(f"000000012{digit}", "tax_number.check_digit") for digit in range(10)],
        ("0000000018", "tax_number.check_digit"),
        *[(f"000000000{digit}", "tax_number.serial") for digit in range(10)],
        ("0012345672-000", "tax_number.branch"),
        ("001234567", "tax_number.form"),
        ("00123456720", "tax_number.form"),
    ],
)
def test_a_wrong_tax_number_is_flagged_by_rule(text: str, rule: str) -> None:
    findings = check_tax_number(text)

    assert rule in rules(findings)
    assert {finding.severity for finding in findings} == {Severity.FLAG}


def test_a_persons_number_is_a_tax_number_since_july_2025() -> None:
    assert check_tax_number("058090000000", date(2025, 7, 1)) == ()
    assert rules(check_tax_number("058090000000", date(2025, 6, 30))) == ["tax_number.too_early"]


def test_a_tax_number_is_stored_bare_and_printed_with_its_hyphen() -> None:
    assert bare_tax_number(" 0012345672-001 ") == "0012345672001"
    assert printed_tax_number("0012345672001") == "0012345672-001"
    assert printed_tax_number("0012345672") == "0012345672"


@pytest.mark.parametrize(
    ("province", "district", "commune", "on", "expected"),
    [
        ("01", "", "00001", date(2025, 7, 1), []),
        ("01", "001", "00001", date(2025, 6, 30), []),
        ("01", "", "00001", date(2025, 6, 30), ["unit.district_missing"]),
        ("01", "001", "00001", date(2025, 7, 1), ["unit.district_abolished"]),
        ("1", "", "1", TODAY, ["unit.province", "unit.commune"]),
        ("00", "", "00000", TODAY, ["unit.province", "unit.commune"]),
    ],
)
def test_unit_codes_are_text_of_their_day(
    province: str, district: str, commune: str, on: date, expected: list[str]
) -> None:
    assert rules(check_units(province=province, district=district, commune=commune, on=on)) == expected


def test_every_severity_is_one_of_three() -> None:
    assert set(SEVERITY.values()) == set(Severity)
