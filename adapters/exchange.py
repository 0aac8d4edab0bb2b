"""Which operation of a WSDL takes a message as one string and gives one string, and how it is spelled on the wire.

A message is a string child of the one element of its message (wrapped), that element itself (bare), or a part (rpc).
What else an operation wants, such as a login, is named by the configuration; a choice it leaves open is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree
from zeep import xsd
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding
from zeep.wsdl.messages import RpcMessage

from schemas.errors import ConfigError

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the configuration says of the operation to call; "" leaves it to the contract.

    `message` and `answer` name the children that carry the two strings, `parameters` those filled besides, `header`
    those of the block that stands in the SOAP header.
    """

    operation: str = ""
    port: str = ""
    message: str = ""
    answer: str = ""
    parameters: frozenset[str] = field(default_factory=frozenset)
    header: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Shape:
    """One operation as the contract spells it.

    `header` is what zeep calls the block of the SOAP header that is filled, "" for none.
    A `request_child` or `reply_child` of "" means that the element around it is the string. `envelope` is the SOAP
    version's namespace. With `rpc` types are named on the wire and the reply's wrapper may have any name (SOAP 1.1,
    section 7.1). `reply_children` counts what the reply promises. The last three say the same of
    the request, as it stands on the wire.
    """

    binding: str
    operation: str
    request_child: str
    reply_wrapper: str
    reply_child: str
    envelope: str = SOAP_11
    action: str | None = ""
    rpc: bool = False
    reply_children: int = 1
    request_wrapper: str = ""
    request_name: str = ""
    request_children: int = 1
    header: str = ""

    @property
    def namespace(self) -> str:
        """The namespace of the reply's wrapper."""
        return etree.QName(self.reply_wrapper).namespace or ""


def chosen(name: str, document: Any, choice: Choice, reasons: list[str]) -> Shape:
    """The one usable operation, or the one asked for; SOAP 1.1 where a service speaks 1.2 as well.

    Args:
        name: The file's name, for problems.
        document: The WSDL as zeep read it.
        choice: What the configuration says.
        reasons: Why zeep left parts out.

    Raises:
        ConfigError: There is none, or more than one; says what to write.
    """
    ports = {port.name: port.binding for service in document.services.values() for port in service.ports.values()}
    if not ports:
        raise ConfigError([f"{name}: names no service with a port over SOAP; take the file behind ?wsdl", *reasons])
    if choice.port and choice.port not in ports:
        raise ConfigError(f"{name}: has no port {choice.port!r}; write one of {', '.join(ports)} as port")
    offers, found = list(reasons), dict[str, dict[str, Shape]]()
    for port, binding in ports.items():
        for operation in binding.all().values() if not choice.port or port == choice.port else ():
            shape = _shape(binding, operation, choice)
            if isinstance(shape, Shape):
                found.setdefault(operation.name, {})[port] = shape
            elif choice.operation in ("", operation.name):
                offers.append(f"{operation.name}: {shape}")
    return _only(name, found, choice, list(dict.fromkeys(offers)))


def _only(name: str, found: dict[str, dict[str, Shape]], choice: Choice, reasons: list[str]) -> Shape:
    wanted = choice.operation
    if wanted and wanted not in found:
        usable = ", ".join(sorted(found)) or "none"
        raise ConfigError([f"{name}: no usable operation {wanted!r}; usable: {usable}", *reasons])
    if not found:
        raise ConfigError([f"{name}: no operation that takes one string and gives one string over SOAP", *reasons])
    if not wanted and len(found) > 1:
        raise ConfigError(f"{name}: several usable operations, name one: {', '.join(sorted(found))} (operation)")
    operation = wanted or next(iter(found))
    offered = found[operation]
    older = {port: shape for port, shape in offered.items() if shape.envelope == SOAP_11} or offered
    if len({replace(shape, binding="") for shape in older.values()}) > 1:
        raise ConfigError(f"{name}: {operation} differs from port to port, name one: {', '.join(sorted(older))} (port)")
    return next(iter(older.values()))


def served(name: str, document: Any, message: str, reasons: list[str]) -> tuple[Shape, ...]:
    """Every operation by which one string may be told to us and answered by one string alone, each once.

    `message` names the child that carries it where there are several; what else a caller says is not looked at.

    Raises:
        ConfigError: There is none; says why.
    """
    found, said = dict[str, Shape](), list(reasons)
    for service in document.services.values():
        for port in service.ports.values():
            for operation in port.binding.all().values():
                shape = _shape(port.binding, operation, Choice(message=message), fills=False)
                if isinstance(shape, str):
                    said.append(f"{operation.name}: {shape}")
                elif shape.reply_children == 1:
                    found.setdefault(shape.request_wrapper, shape)
    if not found:
        raise ConfigError([f"{name}: no operation by which one string is told and one given back", *said])
    return tuple(found.values())


def _shape(binding: Any, operation: Any, choice: Choice, *, fills: bool = True) -> Shape | str:
    """The operation's shape, or why it is none that can be called; `fills`: must it be filled to the last child?"""
    if not isinstance(binding, (Soap11Binding, Soap12Binding)):
        return "not over SOAP"
    parameters = choice.parameters if fills else None
    request = _string(operation.input, choice.message, parameters, "takes", "message_parameter")
    reply = _string(operation.output, choice.answer, None, "gives", "answer_parameter")
    header, lacking = _header(operation.input, choice.header)
    if lacking:
        return lacking
    if isinstance(request, str) or isinstance(reply, str):
        reasons = "; ".join(reason for reason in (request, reply) if isinstance(reason, str))
        return f"not one string in and one string out: {reasons}"
    return Shape(
        binding=binding.name.text,
        operation=operation.name,
        request_child=request.child,
        reply_wrapper=reply.wrapper,
        reply_child=reply.name,
        envelope=SOAP_12 if isinstance(binding, Soap12Binding) else SOAP_11,
        action=operation.soapaction,
        rpc=isinstance(operation.output, RpcMessage),
        reply_children=reply.children,
        request_wrapper=request.wrapper,
        request_name=request.name,
        request_children=request.children,
        header=header,
    )


@dataclass(frozen=True, slots=True)
class _Carrier:
    """Where a string stands: `child` as zeep calls it, `name` as the wire does; "" where the wrapper holds it."""

    wrapper: str
    child: str = ""
    name: str = ""
    children: int = 1


def _string(message: Any, wanted: str, filled: frozenset[str] | None, verb: str, option: str) -> _Carrier | str:
    """Where one side carries its string, or why that cannot be said; `filled` is None where others fill it."""
    body = getattr(message, "body", None)
    if message is None or body is None or body.qname is None:
        return f"it {verb} nothing"
    if message._is_body_wrapped:
        return f"it {verb} several parts without an element around them"
    if isinstance(body.type, xsd.String):
        unknown = sorted((filled or frozenset()) | ({wanted} if wanted else set()))
        return f"it {verb} a bare string, and has no {unknown[0]}" if unknown else _Carrier(body.qname.text)
    children = {name: child for name, child in getattr(body.type, "elements", ()) if getattr(child, "qname", None)}
    named = ", ".join(f"{name} ({_type(child)})" for name, child in children.items()) or "nothing"
    missing = sorted((filled or frozenset()) - children.keys())
    if missing:
        return f"it {verb} {named}, and has no {missing[0]}"
    open_ones = {name: child for name, child in children.items() if name not in (filled or ())}
    strings = [name for name, child in open_ones.items() if _is_string(child)]
    if wanted and wanted not in strings:
        return f"it {verb} {named}: {wanted} is no string there"
    if not wanted and len(strings) != 1:
        more = f"; name one in {option}" if strings else ""
        fill = " and the others in parameters" if strings and filled is not None else ""
        return f"it {verb} {named}{more}{fill}"
    name = wanted or strings[0]
    owed = [other for other, child in open_ones.items() if other != name and not child.is_optional]
    if filled is not None and owed:
        return f"it {verb} {named}: write {', '.join(owed)} in parameters"
    return _Carrier(body.qname.text, name, children[name].qname.text, len(children))


def _header(message: Any, wanted: frozenset[str]) -> tuple[str, str]:
    """The one block of the SOAP header that takes all of `wanted`; or "" and, where one is needed, why not."""
    if not wanted:
        return "", ""
    declared = getattr(getattr(getattr(message, "header", None), "type", None), "elements", ())
    blocks = {name: {inner for inner, _ in getattr(block.type, "elements", ())} for name, block in declared}
    fitting = [name for name, inside in blocks.items() if wanted <= inside]
    if len(fitting) == 1:
        return fitting[0], ""
    named = "; ".join(f"{name} ({', '.join(sorted(inside))})" for name, inside in blocks.items()) or "none"
    return "", f"no one block of its SOAP header takes {', '.join(sorted(wanted))} (soap_header); there is {named}"


def _is_string(child: Any) -> bool:
    return isinstance(getattr(child, "type", None), xsd.String) and not child.accepts_multiple


def _type(child: Any) -> str:
    name = getattr(getattr(child, "type", None), "qname", None)
    return str(etree.QName(name).localname) if name is not None else "a structure"
