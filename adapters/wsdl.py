"""Reads a WSDL and finds in it the operation that takes one string and gives one string (`adapters.exchange`).

Nothing is loaded from a network: what a WSDL imports must lie beside it. Names of operation, wrapper and child are the
WSDL's own, so a sibling service with other names needs no code.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import zeep
from lxml import etree
from zeep.transports import Transport
from zeep.wsdl import Document

from adapters.exchange import Choice, Shape, chosen, served
from adapters.xml import Limits, parse
from schemas.errors import ConfigError, RecordInvalidError

# Never `strict=False`: it takes truncated XML for success (zeep.md 2.5). What is outside is refused by `_LocalFiles`,
# which says what to do about it.
_SETTINGS = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True)

_XSD = "http://www.w3.org/2001/XMLSchema"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
ANY = Choice()
_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_LIMITS = Limits(max_bytes=20_000_000, max_elements=500_000, max_depth=200)
# What zeep raises on a WSDL it cannot read is whatever its code stumbled over, not one family of errors.
_UNREADABLE_WSDL = (
    zeep.exceptions.Error,
    etree.LxmlError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Contract:
    """A WSDL that was read and found to hold an operation we can call; shared by all threads."""

    document: Any
    shape: Shape

    def write(self, text: str, parameters: Mapping[str, str], block: Mapping[str, str]) -> bytes:
        """The envelope of one call, by zeep; with rpc each part names its type, which an encoded one needs.

        Args:
            text: The message, fit for XML.
            parameters: What the operation takes besides.
            block: What stands in the block of the SOAP header that the shape names.

        Raises:
            RecordInvalidError: It does not fit the WSDL; the reason holds no values.
        """
        shape = self.shape
        operation: Any = _binding(self.document, shape.binding).get(shape.operation)
        given: dict[str, Any] = {**parameters, shape.request_child: text} if shape.request_child else {}
        alone = [] if given else [text]
        if shape.header:
            given["_soapheaders"] = {shape.header: dict(block)}
        try:
            envelope = operation.create(*alone, **given).content
        except (zeep.exceptions.Error, TypeError, ValueError) as error:
            raise RecordInvalidError(f"the request does not fit the WSDL ({type(error).__name__})") from None
        if shape.rpc:
            for part in envelope.find(f"{{{shape.envelope}}}Body")[0]:
                if not len(part):
                    part.set(etree.QName(_XSI, "type"), etree.QName(_XSD, "string"))
        return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def _binding(document: Any, name: str) -> Any:
    """A binding by its name; it may stand in a file that the WSDL imports, as WCF writes them."""
    ports = (port for service in document.services.values() for port in service.ports.values())
    return next(port.binding for port in ports if port.binding.name.text == name)


class _LocalFiles(Transport):
    """Loads what a WSDL refers to from the WSDL's own folder, and nothing from anywhere else."""

    def __init__(self, folder: Path, rename: tuple[bytes, bytes] | None) -> None:
        # The parent would open a `requests` session; nothing here may reach a network.
        self.cache = None
        self.load_timeout = 0
        self.operation_timeout = 0
        self._close_session = False
        self._folder = folder.resolve()
        self._rename = rename

    def load(self, url: str) -> bytes:
        """Read one file below the folder, its namespace replaced where that was asked for.

        Raises:
            ConfigError: The WSDL points at an address or outside its folder.
            RecordInvalidError: The file is hostile.
        """
        if url == _ENCODING:
            return files("schemas").joinpath("nsw", "soap-encoding.xsd").read_bytes()
        path = (self._folder / url).resolve()
        if "://" in url or not path.is_relative_to(self._folder):
            raise ConfigError(f"the WSDL refers to {url!r}; put that file beside it and refer to it by its name")
        try:
            content = path.read_bytes()
        except OSError as error:
            missing = path.relative_to(self._folder)
            raise ConfigError(
                f"the WSDL refers to {str(missing)!r}; put that file beside it ({error.strerror})"
            ) from error
        try:
            parse(content, _LIMITS)
        except RecordInvalidError as error:
            raise RecordInvalidError(f"{path.name}: {error.reason}") from error
        return _renamed(content, self._rename)


def load_contract(path: Path, *, namespace: str = "", choice: Choice = ANY) -> Contract:
    """Read a WSDL from a file and find its one-string operation.

    Args:
        path: The file; what it imports must lie beside it.
        namespace: Replaces the target namespace, for a sibling service with the same shape.
        choice: Which operation, where there are several of that shape, and what it takes besides.

    Raises:
        ConfigError: Unreadable, hostile, or without such an operation; says what was found.
    """
    document, warned = _read(path, namespace)
    contract = Contract(document, chosen(path.name, document, choice, warned))
    try:
        contract.write("x", dict.fromkeys(choice.parameters, "1"), dict.fromkeys(choice.header, "1"))
    except RecordInvalidError as error:
        raise ConfigError(f"{path.name}: {contract.shape.operation} cannot be called: {error.reason}") from error
    return contract


def load_served(path: Path, message: str = "") -> tuple[Shape, ...]:
    """Read a WSDL that we serve: the operations by which one string may be told to us (`exchange.served`).

    Raises:
        ConfigError: Unreadable, hostile, or without such an operation; says what was found.
    """
    document, warned = _read(path, "")
    return served(path.name, document, message, warned)


def _read(path: Path, namespace: str) -> tuple[Any, list[str]]:
    """The document, and what zeep warned of."""
    try:
        content = path.read_bytes()
        target = parse(content, _LIMITS).get("targetNamespace", "")
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be read ({error.strerror})") from error
    except RecordInvalidError as error:
        raise ConfigError(f"{path.name}: {error.reason}") from error
    if namespace and not target:
        raise ConfigError(f"{path.name}: has no target namespace that {namespace!r} could replace")
    rename = (_written(target), _written(namespace)) if namespace else None
    loader = _LocalFiles(path.parent, rename)
    read: Any = Document  # zeep's own annotation asks for a class where it takes an object
    # zeep only warns of parts it leaves out; here each is a reason why an operation is missing.
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            # By its whole path: what a file beside it refers to is then looked for beside that file.
            document = read(str(path.resolve()), loader, settings=_SETTINGS)
        except RecordInvalidError as error:
            raise ConfigError(f"{path.name}: a file beside it: {error.reason}") from error
        except _UNREADABLE_WSDL as error:
            raise ConfigError(f"{path.name}: not a usable WSDL ({type(error).__name__}: {error})") from error
    return document, [str(item.message) for item in warned]


def _written(namespace: str) -> bytes:
    """A namespace as it stands in an attribute."""
    return escape(namespace, {'"': "&quot;", "'": "&apos;"}).encode()


def _renamed(content: bytes, rename: tuple[bytes, bytes] | None) -> bytes:
    """Replace a namespace wherever it stands as a whole attribute value."""
    for quote in (b'"', b"'") if rename else ():
        old, new = rename or (b"", b"")
        content = content.replace(quote + old + quote, quote + new + quote)
    return content
