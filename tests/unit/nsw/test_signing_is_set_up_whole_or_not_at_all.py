"""The section `signatures` of a ministry: what it must name, and what is said when a file of it cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from pydantic import ValidationError

from adapters.nsw.options import Signatures
from adapters.nsw.signing import Signing
from schemas.errors import ConfigError
from tests.unit.xmldsig.makers import AT, MESSAGE, signer, write_pem


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    certificate, key = write_pem(tmp_path, signer())
    return {"certificate": str(certificate), "key": str(key), "pinned": [str(certificate)]}


@pytest.mark.parametrize(
    "given",
    [
        {"mode": "sign"},
        {"mode": "sign", "certificate": "a.pem"},
        {"mode": "sign+require", "certificate": "a.pem", "key": "b.pem"},
        {"mode": "sign", "certificate": "a.pem", "key": "b.pem", "authorities": ["c.pem"]},
        {"mode": "sign", "certificate": "a.pem", "key": "b.pem", "subjects": ["CN=A"]},
        {"mode": "sign", "certificate": "a.pem", "key": "b.pem", "key_password": "plain"},
        {"mode": "encrypt"},
    ],
)
def test_half_a_set_up_is_none(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Signatures.model_validate(given)


def test_without_a_mode_nothing_is_read_and_nothing_signed() -> None:
    signing = Signing.of(Signatures(certificate="none.pem"), lambda _: "")
    assert signing.sealed(MESSAGE) == MESSAGE
    assert signing.opened(MESSAGE, AT).message_id == "m-1"


def test_what_is_signed_here_is_believed_by_whoever_pinned_us(files: dict[str, Any]) -> None:
    signing = Signing.of(Signatures(mode="sign+require", **files), lambda _: "")
    assert signing.sealed(MESSAGE) == signing.sealed(MESSAGE) != MESSAGE
    assert signing.opened(signing.sealed(MESSAGE), AT).message_id == "m-1"
    assert signing.sealed("") == "", "the sign of a failure stays empty"


def test_a_key_may_be_locked_by_a_password_that_only_the_environment_knows(files: dict[str, Any]) -> None:
    locked = BestAvailableEncryption(b"simulated-password")
    Path(files["key"]).write_bytes(signer().key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    options = Signatures(mode="sign", key_password="${KEY_PASSWORD}", **files)
    assert Signing.of(options, {"${KEY_PASSWORD}": "simulated-password"}.__getitem__).signer is not None
    for wrong in ("", "another"):
        with pytest.raises(ConfigError, match=r"signatures: key\.pem"):
            Signing.of(options, lambda _, word=wrong: word)


@pytest.mark.parametrize("name", ["certificate", "key", "pinned"])
def test_a_file_that_cannot_be_used_is_named_with_its_section(files: dict[str, Any], name: str) -> None:
    given = files | {name: ["gone.pem"] if name == "pinned" else "gone.pem"}
    with pytest.raises(ConfigError, match=r"signatures: gone\.pem: cannot be read"):
        Signing.of(Signatures(mode="sign", **given), lambda _: "")
