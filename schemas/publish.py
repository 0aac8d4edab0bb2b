"""The shared model as a versioned JSON Schema: `python -m schemas.publish` writes it, a test compares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from schemas.dossier import SCHEMA_VERSION, Dossier

FILE = "dossier.schema.json"


def dossier_schema() -> dict[str, Any]:
    """The JSON Schema of `Dossier`, with its version."""
    schema = Dossier.model_json_schema(mode="serialization")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:lienthong:dossier:{SCHEMA_VERSION}",
        "version": SCHEMA_VERSION,
    }
    return head | schema


def schema_bytes() -> bytes:
    """The published file's bytes."""
    return orjson.dumps(dossier_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main() -> int:
    """Write the file beside the models."""
    path = Path(__file__).parent / "published" / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(schema_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
