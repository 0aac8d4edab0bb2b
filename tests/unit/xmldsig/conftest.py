"""The foreign implementation of XML signatures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.xmldsig.makers import XmlSec


@pytest.fixture
def xmlsec(tmp_path: Path) -> XmlSec:
    """`xmlsec1`, which the set-up installs."""
    return XmlSec(tmp_path)
