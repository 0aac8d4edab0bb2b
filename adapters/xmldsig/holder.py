"""Whose certificate it is, where saying so names no person.

A receipt holds nothing personal, and a certificate may be an officer's. So a common name is given only where it
plainly is an agency's or a machine's; whoever is left out is known by the certificate's fingerprint alone.
"""

from __future__ import annotations

import re
import unicodedata

from cryptography import x509
from cryptography.x509.oid import NameOID

_PERSONS = frozenset({NameOID.GIVEN_NAME, NameOID.SURNAME, NameOID.TITLE, NameOID.EMAIL_ADDRESS, NameOID.PSEUDONYM})
_PERSONAL_ID = re.compile(r"^(CCCD|CMND|CMT|HC|PID|PNO)\b", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d{9,}")
_HOST = re.compile(r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.(vn|com|net|org)$")
_AGENCIES = (
    "bộ ",
    "sở ",
    "cục ",
    "tổng cục ",
    "chi cục ",
    "vụ ",
    "ban quản lý ",
    "ban cơ yếu ",
    "ủy ban ",
    "uỷ ban ",
    "ubnd ",
    "văn phòng ",
    "trung tâm ",
    "viện ",
    "cổng ",
    "hệ thống ",
    "trục ",
    "kho bạc ",
    "ngân hàng ",
    "bảo hiểm xã hội ",
    "tòa án ",
    "toà án ",
    "viện kiểm sát ",
    "công an ",
    "công ty ",
    "tập đoàn ",
)
"""How the names of agencies and companies begin."""


def holder_of(certificate: x509.Certificate) -> str:
    """The holder's common name; "" where it has none, or where it may be a person's."""
    names = certificate.subject
    common = _first(names, NameOID.COMMON_NAME)
    if not common or any(one.oid in _PERSONS for one in names) or _LONG_NUMBER.search(common):
        return ""
    if any(_PERSONAL_ID.match(str(one.value)) for one in names.get_attributes_for_oid(NameOID.USER_ID)):
        return ""
    agencies = {_first(names, oid) for oid in (NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME)}
    plain = common in agencies or _HOST.match(common) or f"{common.casefold()} ".startswith(_AGENCIES)
    return common if plain else ""


def _first(names: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = names.get_attributes_for_oid(oid)
    return unicodedata.normalize("NFC", str(found[0].value)).strip() if found else ""
