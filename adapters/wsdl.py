"""Reads a WSDL and finds in it the operation that takes one string and gives one string.

Nothing is loaded from a network: what a WSDL imports must lie beside it. Names of operation, wrapper and child are the
WSDL's own, so a sibling service with other names needs no code.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import zeep
from lxml import etree
from zeep import xsd
from zeep.transports import Transport
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding

from adapters.xml import Limits, parse
from schemas.errors import ConfigError, RecordInvalidError

SETTINGS = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)
"""Never `strict=False`: it takes truncated XML for success (zeep.md 2.5)."""

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
class Shape:
    """The one-string operation of a WSDL: names and namespaces as the contract has them."""

    binding: str
    operation: str
    request_child: str
    reply_wrapper: str
    reply_child: str

    @property
    def namespace(self) -> str:
        """The namespace of the reply's wrapper."""
        return etree.QName(self.reply_wrapper).namespace or ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A WSDL that was read and found to hold an operation we can call; shared by all threads."""

    document: Any
    shape: Shape


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
        path = (self._folder / url).resolve()
        if "://" in url or not path.is_relative_to(self._folder):
            raise ConfigError(f"the WSDL refers to {url!r}; put that file beside it and refer to it by its name")
        content = path.read_bytes()
        parse(content, _LIMITS)
        return _renamed(content, self._rename)


def load_contract(path: Path, *, namespace: str = "", operation: str = "") -> Contract:
    """Read a WSDL from a file and find its one-string operation.

    Args:
        path: The file; what it imports must lie beside it.
        namespace: Replaces the target namespace, for a sibling service with the same shape.
        operation: Which operation, where there are several of that shape.

    Raises:
        ConfigError: Unreadable, hostile, or without such an operation; says what was found.
    """
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
            document = read(str(path.resolve()), loader, settings=SETTINGS)
        except RecordInvalidError as error:
            raise ConfigError(f"{path.name}: a file beside it: {error.reason}") from error
        except _UNREADABLE_WSDL as error:
            raise ConfigError(f"{path.name}: not a usable WSDL ({type(error).__name__}: {error})") from error
    return Contract(document, _chosen(path.name, document, operation, [str(item.message) for item in warned]))


def _written(namespace: str) -> bytes:
    """A namespace as it stands in an attribute."""
    return escape(namespace, {'"': "&quot;", "'": "&apos;"}).encode()


def _renamed(content: bytes, rename: tuple[bytes, bytes] | None) -> bytes:
    """Replace a namespace wherever it stands as a whole attribute value."""
    for quote in (b'"', b"'") if rename else ():
        old, new = rename or (b"", b"")
        content = content.replace(quote + old + quote, quote + new + quote)
    return content


def _chosen(name: str, document: Any, wanted: str, reasons: list[str]) -> Shape:
    """The one usable operation, or the one asked for; `reasons` begin with what zeep left out."""
    found: dict[str, Shape] = {}
    for binding, operation in _operations(document):
        shape = _shape(binding, operation)
        if isinstance(shape, str):
            reasons.append(f"{operation.name}: {shape}")
        else:
            found.setdefault(operation.name, shape)
    if wanted:
        if wanted in found:
            return found[wanted]
        raise ConfigError([f"{name}: no usable operation {wanted!r}; usable: {', '.join(found) or 'none'}", *reasons])
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise ConfigError(f"{name}: several usable operations, name one: {', '.join(sorted(found))}")
    raise ConfigError([f"{name}: no operation that takes one string and gives one string over SOAP 1.1", *reasons])


def _operations(document: Any) -> list[tuple[Any, Any]]:
    """Every SOAP 1.1 operation of every port, once."""
    ports = [port for service in document.services.values() for port in service.ports.values()]
    bindings: dict[str, Any] = {port.binding.name.text: port.binding for port in ports}
    soap_11: list[Any] = [binding for binding in bindings.values() if isinstance(binding, Soap11Binding)]
    return [(binding, operation) for binding in soap_11 for operation in binding.all().values()]


def _shape(binding: Any, operation: Any) -> Shape | str:
    """The operation's shape, or why it has not the one we can call."""
    if operation.style != "document":
        return f"style {operation.style}, not document"
    sides = [_one_string(message) for message in (operation.input, operation.output)]
    (request, reply) = sides
    if request is None or reply is None:
        return "not one string in and one string out"
    return Shape(
        binding=binding.name.text,
        operation=operation.name,
        request_child=request[1].localname,
        reply_wrapper=reply[0].text,
        reply_child=reply[1].text,
    )


def _one_string(message: Any) -> tuple[etree.QName, etree.QName] | None:
    """Names of wrapper and child where a message is one element that holds one string."""
    body = getattr(message, "body", None)
    elements: Any = getattr(getattr(body, "type", None), "elements", ())
    if body is None or body.qname is None or len(elements) != 1:
        return None
    (_, child) = elements[0]
    if not isinstance(getattr(child, "type", None), xsd.String) or child.accepts_multiple:
        return None
    return body.qname, child.qname
