"""Contracts open by kind and name; the reference WSDLs and XSDs load without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import zeep
from lxml import etree
from zeep.transports import Transport

from schemas import artefacts


class RefusingTransport(Transport):  # type: ignore[misc] # zeep ships no types
    """Reads local files only."""

    def _load_remote_data(self, url: str) -> Any:
        raise AssertionError(f"a contract asks for {url}")


def test_a_packaged_contract_opens_by_kind_and_name() -> None:
    assert b"dossier_code" in artefacts.read("published", "dossier.schema.json")


def test_an_unknown_contract_names_those_there_are() -> None:
    with pytest.raises(FileNotFoundError, match=r"dossier\.schema\.json"):
        artefacts.find("published", "../errors.py")


def test_an_unknown_kind_has_no_contracts() -> None:
    assert artefacts.names("no_such_kind") == ()


@pytest.mark.parametrize("kind", ["nsw"])
def test_every_packaged_schema_is_well_formed(kind: str) -> None:
    for name in artefacts.names(kind):
        if name.endswith(".xsd"):
            etree.XMLSchema(etree.fromstring(artefacts.read(kind, name)))


def test_every_schema_of_the_reference_data_loads(data: Path) -> None:
    schemas = sorted((data / "xsd").rglob("*.xsd"))

    assert len(schemas) == 23
    for path in schemas:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        etree.XMLSchema(etree.parse(path, parser))


def test_both_service_descriptions_of_the_reference_data_load_without_a_network(data: Path) -> None:
    paths = sorted((data / "wsdl").glob("*.wsdl"))

    assert len(paths) == 2
    for path in paths:
        client = zeep.Client(str(path), transport=RefusingTransport())
        operations = [
            operation
            for service in client.wsdl.services.values()
            for port in service.ports.values()
            for operation in port.binding.all()
        ]
        assert operations
