"""Receipts hold nothing personal: whose certificate it is stands there only where the name plainly is no person's."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from adapters.xmldsig.holder import holder_of
from tests.unit.xmldsig.makers import AT, key


def certified(**subject: str) -> x509.Certificate:
    names = x509.Name([x509.NameAttribute(getattr(NameOID, oid.upper()), value) for oid, value in subject.items()])
    mine = key("holder")
    made = x509.CertificateBuilder().subject_name(names).issuer_name(names).public_key(mine.public_key())
    made = made.serial_number(1).not_valid_before(AT).not_valid_after(AT.replace(year=2030))
    return made.sign(mine, hashes.SHA256())


@pytest.mark.parametrize(
    "subject",
    [
        {"common_name": "Bộ Tư pháp"},
        {"common_name": "BỘ GIAO THÔNG VẬN TẢI"},
        {"common_name": "Ủy ban nhân dân tỉnh thử nghiệm", "country_name": "VN"},
        {"common_name": "mt.example.gov.vn"},
        {"common_name": "TOKHAI", "organization_name": "TOKHAI"},
        {"common_name": "Công ty thử nghiệm", "user_id": "MST:0100000000"},
    ],
)
def test_an_agency_is_named(subject: dict[str, str]) -> None:
    assert holder_of(certified(**subject)) == subject["common_name"]


@pytest.mark.parametrize(
    "subject",
    [
        {"common_name": "CÔNG DÂN THỬ NGHIỆM 01"},
        {"common_name": "CÁN BỘ THỬ NGHIỆM 01", "organization_name": "Bộ Tư pháp"},
        {"common_name": "Bộ Tư pháp", "surname": "CÁN BỘ"},
        {"common_name": "Bộ Tư pháp", "title": "Chuyên viên"},
        {"common_name": "Sở 001000000000"},
        {"common_name": "Bộ Tư pháp", "user_id": "CCCD:001000000000"},
        {"common_name": "canbo.thunghiem"},
        {"organization_name": "Bộ Tư pháp"},
    ],
)
def test_whoever_may_be_a_person_is_not(subject: dict[str, str]) -> None:
    assert holder_of(certified(**subject)) == ""
