"""Where a push is addressed: the ministry's codes for our agencies and procedures, from the portal entry's tables.

The mapping writes our own agency and procedure code into `maDonVi` and `module`; which office and module of the
ministry serve them differs from province to province, so it is a setting and not vocabulary.
"""

from __future__ import annotations

import re

from adapters.civil_status.options import Options
from adapters.civil_status.wire import JsonValue, text_of

_NATIONAL = re.compile(r"\d\.\d{6}(?!\d)")


class NotAddressedError(Exception):
    """The tables of the portal entry do not say where this push goes; the text names the table."""


def national_procedure(code: str) -> str:
    """A procedure code without its local suffix: `1.001193.000.00.00.H56` is `1.001193`."""
    found = _NATIONAL.match(code)
    return found.group() if found else code


def module_of(code: str, options: Options) -> str:
    """The module that serves a procedure.

    Raises:
        NotAddressedError: No module is known for it.
    """
    module = options.modules.get(code) or options.modules.get(national_procedure(code))
    if module is None and code in options.module_names:
        return code
    if module is None:
        raise NotAddressedError(f"options.modules names no module for procedure {code or '(none)'}")
    return module


def addressed(record: dict[str, JsonValue], options: Options) -> dict[str, JsonValue]:
    """The localised record with the ministry's unit and module.

    Raises:
        NotAddressedError: A table lacks the dossier's agency or procedure.
    """
    agency = text_of(record.get("maDonVi"))
    unit = options.units.get(agency, "" if options.units else agency)
    if not unit:
        raise NotAddressedError(f"options.units names no maDonVi for agency {agency or '(none)'}")
    return {**record, "maDonVi": unit, "module": module_of(text_of(record.get("module")), options)}
