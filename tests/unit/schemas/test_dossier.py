"""The shared model: partial, frozen, strict, always the same bytes, published as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas import artefacts
from schemas.canonical import canonical_bytes, digest
from schemas.dossier import SCHEMA_VERSION, Dossier, utc
from schemas.publish import FILE, dossier_schema, schema_bytes

HANOI = timezone(timedelta(hours=7))
EIGHT = datetime(2024, 1, 15, 8, 30, tzinfo=HANOI)


def test_a_dossier_with_nothing_in_it_is_a_dossier() -> None:
    assert Dossier() == Dossier.model_validate({})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Dossier.model_validate({"status": "accepted"})


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone_aware"):
        Dossier.model_validate({"due_at": datetime(2024, 1, 15)})  # noqa: DTZ001 - that is what is tested
    with pytest.raises(ValueError, match="time zone"):
        utc(datetime(2024, 1, 15))  # noqa: DTZ001 - that is what is tested
    with pytest.raises(ValueError, match="time zone"):
        canonical_bytes({"at": datetime(2024, 1, 15)})  # noqa: DTZ001 - that is what is tested


def test_a_dossier_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Dossier().dossier_code = "x"  # type: ignore[misc] # that is what is tested


def test_equal_instants_in_other_zones_give_equal_bytes() -> None:
    assert utc(EIGHT) == EIGHT
    assert (
        canonical_bytes({"at": EIGHT})
        == canonical_bytes({"at": EIGHT.astimezone(UTC)})
        == b'{"at":"2024-01-15T01:30:00Z"}'
    )


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.integers(-9, 9), st.text(max_size=5)), max_size=6))
def test_the_order_of_keys_does_not_matter(values: dict[str, int | str]) -> None:
    assert digest(values) == digest(dict(reversed(values.items())))


def test_a_model_survives_its_canonical_bytes() -> None:
    dossier = Dossier.model_validate(
        {
            "dossier_code": "H56-240115-0001",
            "due_at": EIGHT,
            "documents": [{"name": "Đơn"}],
            "applicant": {"birth_on": "1990-01-01"},
        }
    )

    assert Dossier.model_validate_json(canonical_bytes(dossier)) == dossier


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical_bytes({"x": object()})


def test_the_published_schema_is_the_models() -> None:
    assert artefacts.read("published", FILE) == schema_bytes(), "run python -m schemas.publish"


def test_the_published_schema_says_its_version() -> None:
    assert dossier_schema()["version"] == SCHEMA_VERSION
