"""The bad answers of the simulator, one switch each: cases of ministry.md section 11 and zeep.md section 2.

Each quirk changes the answer the simulator was about to give; the work has been done by then.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

from adapters.simulation import Reply

WSDL_NAMESPACE = "http://ws.gt.vn"
FACADE_NAMESPACE = "http://facade.dk.gt.dtt.vn"
FOREIGN_NAMESPACE = "http://somewhere.example.invalid/"
_SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_HTML = "<!DOCTYPE html><html><body><h1>Hệ thống đang bảo trì</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer before it is bytes: `inner` is the message, or "" for an unexpected error.

    `value` is what stands in the return element, already escaped, where a quirk wrote it itself; `children` is the
    whole content of the wrapper where it is not one return element. `instead` replaces everything.
    """

    inner: str
    wrapper: str
    child: str
    wrapper_namespace: str
    child_namespace: str
    envelope_namespace: str = _SOAP_11
    value: str | None = None
    children: str | None = None
    head: str = ""
    header: str = ""
    attributes: str = ""
    instead: Reply | None = None

    def reply(self) -> Reply:
        """The answer as sent."""
        if self.instead is not None:
            return self.instead
        value = escape(self.inner) if self.value is None else self.value
        one = f'<ns2:{self.child} xmlns:ns2="{self.child_namespace}"{self.attributes}>{value}</ns2:{self.child}>'
        return Reply.xml(
            (
                f'{self.head}<soapenv:Envelope xmlns:soapenv="{self.envelope_namespace}" '
                f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{self.header}<soapenv:Body>'
                f'<ns1:{self.wrapper} xmlns:ns1="{self.wrapper_namespace}">'
                f"{one if self.children is None else self.children}"
                f"</ns1:{self.wrapper}></soapenv:Body></soapenv:Envelope>"
            ).encode()
        )


def fault(code: str, text: str, status: int = 500) -> Reply:
    """A SOAP 1.1 fault."""
    return Reply.xml(
        (
            f'<soapenv:Envelope xmlns:soapenv="{_SOAP_11}"><soapenv:Body><soapenv:Fault>'
            f"<faultcode>soapenv:{code}</faultcode><faultstring>{escape(text)}</faultstring>"
            "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
        ).encode(),
        status,
    )


def _in_content(answer: Answer, extra: str) -> Answer:
    return replace(answer, inner=answer.inner.replace("</ReceiveDate>", f"</ReceiveDate>{extra}"))


def _reason(answer: Answer, reason: str) -> Answer:
    start, found, rest = answer.inner.partition("<RejectDesc>")
    if not found:
        return answer
    return replace(answer, inner=f"{start}<RejectDesc>{reason}</RejectDesc>{rest.partition('</RejectDesc>')[2]}")


def _without_swap(answer: Answer) -> Answer:
    """From and To as the request had them."""
    start, _, rest = answer.inner.partition("<From>")
    sender, _, rest = rest.partition("</From><To>")
    receiver, _, rest = rest.partition("</To>")
    return replace(answer, inner=f"{start}<From>{receiver}</From><To>{sender}</To>{rest}")


def _date_inside(answer: Answer) -> Answer:
    start, _, rest = answer.inner.partition("</Reject>")
    date, _, rest = rest.partition("</RejectDate>")
    return replace(answer, inner=f"{start}{date}</RejectDate></Reject>{rest}" if date else answer.inner)


def _codes(answer: Answer, suffix: str) -> Answer:
    codes = "".join(f"<{name}{suffix}>VN</{name}{suffix}>" for name in ("country", "ministry", "organization", "unit"))
    inner = answer.inner.replace("</identity></From>", f"</identity>{codes}</From>")
    return replace(answer, inner=inner.replace("</identity></To>", f"</identity>{codes}</To>"))


def _instead(status: int, text: str, content_type: str = "text/xml; charset=utf-8") -> Callable[[Answer], Answer]:
    return lambda answer: replace(answer, instead=Reply(status, text.encode(), {}, content_type))


def _latin(answer: Answer) -> Answer:
    body = replace(answer, head='<?xml version="1.0" encoding="UTF-8"?>').reply().body
    return replace(answer, instead=Reply.xml(body.replace(b"</soapenv:Body>", b"<!-- \xe9\xf1 --></soapenv:Body>")))


_EXPANSION = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
_EXTERNAL = '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/hostname">]>'

_QUALIFIED_FAULT = (
    f'<Envelope xmlns="{_SOAP_11}"><Body><Fault><faultcode>Client</faultcode>'
    "<faultstring>sai</faultstring></Fault></Body></Envelope>"
)
_BARE_FAULT = f'<Envelope xmlns="{_SOAP_11}"><Body><Fault/></Body></Envelope>'

QUIRKS: dict[str, Callable[[Answer], Answer]] = {
    "facade_namespace": lambda a: replace(a, wrapper_namespace=FACADE_NAMESPACE, child_namespace=WSDL_NAMESPACE),
    "foreign_namespace": lambda a: replace(a, wrapper_namespace=FOREIGN_NAMESPACE, child_namespace=FOREIGN_NAMESPACE),
    "foreign_child": lambda a: replace(a, child_namespace=FOREIGN_NAMESPACE),
    "empty": lambda a: replace(a, inner=""),
    "escaped_html": lambda a: replace(a, inner=_HTML),
    "plain_text": lambda a: replace(a, inner="java.lang.NullPointerException"),
    "unswapped": _without_swap,
    "camel_codes": lambda a: _codes(a, "Code"),
    "lower_codes": lambda a: _codes(a, "code"),
    "short_function": lambda a: replace(a, inner=a.inner.replace("<function>", "<function> ").replace(">0", ">")),
    "prolog": lambda a: replace(a, inner='<?xml version="1.0" encoding="UTF-8"?>\n' + a.inner),
    "bom": lambda a: replace(a, inner="\ufeff" + a.inner),
    "utf16_prolog": lambda a: replace(a, inner='<?xml version="1.0" encoding="utf-16"?>' + a.inner),
    "cdata": lambda a: replace(a, value=f"<![CDATA[{a.inner}]]>"),
    "double_escaped": lambda a: replace(a, inner=escape(a.inner)),
    "triple_escaped": lambda a: replace(a, inner=escape(escape(a.inner))),
    "bare_ampersand": lambda a: _reason(a, "thiếu giấy A & B"),
    "date_inside": _date_inside,
    "fault_client": lambda a: replace(a, instead=fault("Client", "thông điệp không hợp lệ")),
    "fault_server": lambda a: replace(a, instead=fault("Server.userException", "lỗi hệ thống")),
    "fault_client_200": lambda a: replace(a, instead=fault("Client", "thông điệp không hợp lệ", 200)),
    "fault_server_200": lambda a: replace(a, instead=fault("Server", "lỗi hệ thống", 200)),
    "fault_default_namespace": lambda a: replace(a, instead=Reply.xml(_QUALIFIED_FAULT.encode(), 500)),
    "fault_bare": lambda a: replace(a, instead=Reply.xml(_BARE_FAULT.encode(), 500)),
    "status_202": _instead(202, ""),
    "status_204": _instead(204, ""),
    "status_200_empty": _instead(200, ""),
    "status_401": _instead(401, _HTML, "text/html"),
    "status_404": _instead(404, _HTML, "text/html"),
    "status_405": _instead(405, "<html><body>405</body></html>"),
    "status_500_answer": lambda a: replace(a, instead=replace_status(a.reply(), 500)),
    "html_as_xml": _instead(200, "<html><body><h1>404</h1></body></html>"),
    "soap_12": lambda a: replace(a, envelope_namespace=_SOAP_12),
    "must_understand": lambda a: replace(
        a, header='<soapenv:Header><x:a xmlns:x="urn:x" soapenv:mustUnderstand="1"/></soapenv:Header>'
    ),
    "unqualified_child": lambda a: replace(a, children=f"<{a.child}>{escape(a.inner)}</{a.child}>"),
    "missing_child": lambda a: replace(a, children=""),
    "extra_child": lambda a: replace(a, children="<a/><b/>"),
    "other_child": lambda a: replace(a, child="result"),
    "other_wrapper": lambda a: replace(a, wrapper="sendResponse"),
    "nil": lambda a: replace(a, attributes=' xsi:nil="true"', value=""),
    "element_in_string": lambda a: replace(a, value="<a>99</a>"),
    "truncated": lambda a: replace(a, instead=Reply.xml(a.reply().body[:-60])),
    "outer_doctype": lambda a: replace(a, head=_EXPANSION),
    "inner_doctype": lambda a: replace(a, inner=_EXPANSION + a.inner),
    "inner_external_entity": lambda a: replace(a, inner=_EXTERNAL + a.inner.replace("System", "&secret;")),
    "huge_text": lambda a: _in_content(a, "x" * 10_500_000),
    "many_elements": lambda a: _in_content(a, "<a/>" * 100_000),
    "deep": lambda a: _in_content(a, "<a>" * 1_000 + "</a>" * 1_000),
    "outer_deep": lambda a: replace(a, children="<a>" * 1_000 + "</a>" * 1_000),
    "control_character": lambda a: replace(a, value=escape(a.inner).replace("99", "99&#1;")),
    "decomposed": lambda a: replace(a, inner=unicodedata.normalize("NFD", a.inner)),
    "beyond_bmp": lambda a: replace(a, inner=a.inner.replace("<name>", "<name>𠀋")),
    "latin1_bytes": _latin,
    "long_reason": lambda a: _reason(a, "dài " * 5_000),
    "empty_reason": lambda a: _reason(a, ""),
    "other_dossier": lambda a: replace(a, inner=re.sub("<reference>[0-9]+", "<reference>1", a.inner)),
    "other_function": lambda a: replace(a, inner=a.inner.replace("<function>99<", "<function>21<")),
    "unknown_field": lambda a: _in_content(a, "<Extra>1</Extra>"),
    "comment_in_code": lambda a: replace(a, inner=a.inner.replace("<function>9", "<function>9<!-- -->")),
}
"""Name of the switch -> what it does to an answer."""


def replace_status(reply: Reply, status: int) -> Reply:
    """The same answer under another HTTP status."""
    return replace(reply, status=status)
