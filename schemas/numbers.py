"""Numbers of persons, bodies and places, and their checks (rules.md 3.7 to 3.9). They stay text: zeros lead.

These are personal data: findings name rules, never values.
"""

from __future__ import annotations

import re
from datetime import date

from schemas.codes import Finding, finding, tidy

_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_TWELVE = re.compile(r"[0-9]{12}").fullmatch
_NINE = re.compile(r"[0-9]{9}").fullmatch
_TEN_OR_THIRTEEN = re.compile(r"[0-9]{10}(?:[0-9]{3})?").fullmatch
_BARE = str.maketrans("", "", " .-")

OLD_CARDS_ENDED_ON = date(2025, 1, 1)
"""From this day a nine-digit card is no longer a valid paper."""
PERSONAL_TAX_NUMBERS_SINCE = date(2025, 7, 1)
"""From this day a person's tax number is the twelve-digit personal number."""
DISTRICTS_ENDED_ON = date(2025, 7, 1)
"""From this day there are no districts (Decision 19/2025)."""


def check_personal_number(
    text: str, *, sex: str = "", birth_year: int | None = None, today: date | None = None
) -> tuple[Finding, ...]:
    """Findings for a twelve-digit personal number `PPP G YY RRRRRR`; it has no check digit.

    Args:
        sex: `male`, `female` or empty, as the record says.
        birth_year: The year of birth in the record, where it has one.
        today: The day by which a birth year lies in the future.
    """
    number = tidy(text)
    if not _TWELVE(number):
        return (finding("personal_number.form"),)
    century_and_sex = int(number[3])
    year = 1900 + 100 * (century_and_sex // 2) + int(number[4:6])
    rules = []
    if sex and sex != ("female" if century_and_sex % 2 else "male"):
        rules.append("personal_number.sex")
    if birth_year is not None and birth_year != year:
        rules.append("personal_number.birth")
    if century_and_sex >= 4 or (today is not None and year > today.year):
        rules.append("personal_number.future")
    if not 1 <= int(number[:3]) <= 96:
        rules.append("personal_number.place")
    return tuple(finding(rule) for rule in rules)


def check_id_card(text: str, on: date) -> tuple[Finding, ...]:
    """Findings for an old nine-digit card in a dossier of the day `on`."""
    if not _NINE(tidy(text)):
        return (finding("id_card.form"),)
    return (finding("id_card.expired"),) if on >= OLD_CARDS_ENDED_ON else ()


def bare_tax_number(text: str) -> str:
    """The digits of a tax number, as we store it."""
    return tidy(text).translate(_BARE)


def printed_tax_number(digits: str) -> str:
    """`NNNNNNNNNN-NNN` for a dependent unit, the digits alone for any other."""
    return f"{digits[:10]}-{digits[10:]}" if len(digits) == 13 else digits


def check_tax_number(text: str, on: date | None = None) -> tuple[Finding, ...]:
    """Findings for a tax number (which is also an enterprise's business number) on the day `on`."""
    number = bare_tax_number(text)
    if _TWELVE(number):
        early = on is not None and on < PERSONAL_TAX_NUMBERS_SINCE
        return (finding("tax_number.too_early"),) if early else ()
    if not _TEN_OR_THIRTEEN(number):
        return (finding("tax_number.form"),)
    rules = []
    if number[2:9] == "0000000":
        rules.append("tax_number.serial")
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:9], strict=True))
    if 10 - total % 11 != int(number[9]):
        rules.append("tax_number.check_digit")
    if number[10:] == "000":
        rules.append("tax_number.branch")
    return tuple(finding(rule) for rule in rules)


def check_units(*, province: str, commune: str, district: str = "", on: date) -> tuple[Finding, ...]:
    """Findings for the codes of an address on the day `on`; whether they exist is the dated list's matter."""
    rules = []
    if not _code(province, 2):
        rules.append("unit.province")
    if commune and not _code(commune, 5):
        rules.append("unit.commune")
    if district and not _code(district, 3):
        rules.append("unit.district")
    if district and on >= DISTRICTS_ENDED_ON:
        rules.append("unit.district_abolished")
    if not district and on < DISTRICTS_ENDED_ON:
        rules.append("unit.district_missing")
    return tuple(finding(rule) for rule in rules)


def _code(text: str, digits: int) -> bool:
    return re.fullmatch(rf"[0-9]{{{digits}}}", text) is not None and text.strip("0") != ""
