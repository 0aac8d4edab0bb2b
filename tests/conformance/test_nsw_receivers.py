"""A ministry's call-backs keep every promise of a receiver, signed and unsigned."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest

from adapters.conformance.receiving import ReceiverBench, ReceiverConformance, Sample, request
from adapters.nsw.options import CallBacks
from adapters.nsw.receiver import CallBackReceiver
from adapters.nsw.signing import Signing
from adapters.receiving import InboundRequest
from adapters.xmldsig import Trust
from tests.unit.xmldsig.makers import MESSAGE, signed, signer

NONE = Signing()
REQUIRED = Signing("sign+require", signer("Tỉnh thử nghiệm"), Trust(pinned=(signer().certificate,)))
OTHER = MESSAGE.replace("<Division>Vụ<", "<Division>Cục<")
HEADERS = {"soapaction": '"http://tempuri.org/IMTService/ReceiveResultFromMT"'}


def soap(inside: str) -> InboundRequest:
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ReceiveResultFromMT '
        f'xmlns="http://tempuri.org/"><XMLData>{inside}</XMLData></ReceiveResultFromMT></s:Body></s:Envelope>'
    )
    return request(body.encode(), headers=HEADERS)


@pytest.mark.parametrize("signing", [NONE, REQUIRED], ids=["unsigned", "signed"])
class TestNswReceivers(ReceiverConformance):
    @pytest.fixture
    def called(self, signing: Signing) -> ReceiverBench:
        receiver = CallBackReceiver(CallBacks(), signing)
        good, other = (MESSAGE, OTHER) if signing is NONE else (signed().decode(), signed(message=OTHER).decode())
        sample = Sample(
            "callback",
            soap(escape(good)),
            repeats=[soap(f"<![CDATA[{good}]]>"), soap(escape('<?xml version="1.0"?>' + good))],
            changes=[soap(escape(other))],
        )
        return ReceiverBench([receiver], [sample], secrets=["CÁN BỘ THỬ NGHIỆM 01"])
