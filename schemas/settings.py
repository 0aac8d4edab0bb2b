"""What every settings model is made of."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

_REFERENCE = re.compile(r"\$\{[A-Z][A-Z0-9_]*\}")


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_reference(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise ValueError("write a reference such as ${PORTAL_PASSWORD}, never the secret itself")
    return text


class IsFile:
    """Marks texts of a settings model as names of files; relative ones begin at the configuration's folder."""


FilePath = Annotated[str, IsFile()]
"""The name of a file, "" for none."""

SecretRef = Annotated[str, AfterValidator(_is_reference)]
"""`${NAME}`: the name of an environment variable that holds a secret; resolved at use."""


def resolve_secret(reference: str, environ: Mapping[str, str] | None = None) -> str:
    """Give the secret behind `${NAME}`.

    Raises:
        KeyError: The variable is not set; the error carries its name, never a value.
    """
    name = reference[2:-1]
    return (os.environ if environ is None else environ)[name]
