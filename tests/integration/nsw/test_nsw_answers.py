"""Every answer a ministry may give, over a real socket (ministry.md section 11, zeep.md sections 2 and 5)."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.base import OutcomeKind

DELIVERED, REFUSED, UNKNOWN, RETRY = (
    OutcomeKind.DELIVERED,
    OutcomeKind.REFUSED,
    OutcomeKind.UNKNOWN,
    OutcomeKind.RETRY,
)


@pytest.mark.parametrize(
    ("quirk", "kind", "words"),
    [
        pytest.param("facade_namespace", DELIVERED, "received", id="Q01-both-attested-namespaces"),
        pytest.param("foreign_namespace", UNKNOWN, "namespace this partner does not use", id="Q01-foreign-namespace"),
        pytest.param("foreign_child", UNKNOWN, "namespace this partner does not use", id="Q01-foreign-child"),
        pytest.param("empty", UNKNOWN, "empty answer", id="Q02-empty-string"),
        pytest.param("escaped_html", UNKNOWN, "contract broken", id="Q03-html-page-in-the-string"),
        pytest.param("plain_text", UNKNOWN, "contract broken: the text is not XML", id="Q03-words-in-the-string"),
        pytest.param("unswapped", DELIVERED, "received", id="Q04-from-and-to-not-swapped"),
        pytest.param("camel_codes", DELIVERED, "received", id="Q09-camel-case-codes"),
        pytest.param("lower_codes", DELIVERED, "received", id="Q09-lower-case-codes"),
        pytest.param("short_function", DELIVERED, "received", id="Q10-function-with-spaces"),
        pytest.param("prolog", DELIVERED, "received", id="Q11-prolog"),
        pytest.param("bom", DELIVERED, "received", id="Q11-byte-order-mark"),
        pytest.param("utf16_prolog", UNKNOWN, "another encoding", id="Q11-utf16-in-a-string"),
        pytest.param("cdata", DELIVERED, "received", id="Q12-cdata"),
        pytest.param("double_escaped", DELIVERED, "received", id="Q12-escaped-twice"),
        pytest.param("triple_escaped", UNKNOWN, "not XML", id="Q12-escaped-three-times"),
        pytest.param("fault_client", REFUSED, "SOAP fault Client", id="Q21-client-fault-with-500"),
        pytest.param("fault_client_200", REFUSED, "SOAP fault Client", id="Q21-client-fault-with-200"),
        pytest.param("fault_server", UNKNOWN, "SOAP fault of the server", id="Q21-server-fault-with-500"),
        pytest.param("fault_server_200", UNKNOWN, "SOAP fault of the server", id="Q21-server-fault-with-200"),
        pytest.param("fault_default_namespace", REFUSED, "SOAP fault Client", id="Q21-fault-with-qualified-children"),
        pytest.param("fault_bare", UNKNOWN, "SOAP fault of the server", id="Q21-fault-that-says-nothing"),
        pytest.param("status_202", UNKNOWN, "HTTP 202", id="Q21-202"),
        pytest.param("status_204", UNKNOWN, "HTTP 204", id="Q21-204"),
        pytest.param("status_200_empty", UNKNOWN, "empty SOAP answer", id="Q21-200-empty"),
        pytest.param("status_500_answer", UNKNOWN, "no fault", id="Q21-500-with-an-answer"),
        pytest.param("outer_doctype", UNKNOWN, "DOCTYPE", id="Q25-doctype-in-the-envelope"),
        pytest.param("inner_doctype", UNKNOWN, "DOCTYPE", id="Q25-doctype-in-the-message"),
        pytest.param("inner_external_entity", UNKNOWN, "DOCTYPE", id="Q25-external-entity"),
        pytest.param("huge_text", UNKNOWN, "longer than", id="Q26-huge-text"),
        pytest.param("many_elements", UNKNOWN, "more than 500 elements", id="Q26-100000-elements"),
        pytest.param("deep", UNKNOWN, "contract broken", id="Q26-depth-1000-in-the-message"),
        pytest.param("outer_deep", UNKNOWN, "malformed", id="Q26-depth-1000-in-the-envelope"),
        pytest.param("control_character", UNKNOWN, "malformed", id="Q27-control-character"),
        pytest.param("decomposed", DELIVERED, "received", id="Q27-decomposed-vietnamese"),
        pytest.param("beyond_bmp", DELIVERED, "received", id="Q27-beyond-the-basic-plane"),
        pytest.param("latin1_bytes", UNKNOWN, "not UTF-8", id="Q27-single-bytes-labelled-utf8"),
        pytest.param("status_401", REFUSED, "credentials", id="zeep-5-401"),
        pytest.param("status_404", REFUSED, "check the address", id="zeep-5-404"),
        pytest.param("status_405", REFUSED, "check the address", id="zeep-5-405-well-formed-html"),
        pytest.param("html_as_xml", UNKNOWN, "not a SOAP envelope", id="zeep-2.7-html-labelled-xml"),
        pytest.param("missing_child", UNKNOWN, "0 children", id="zeep-2.5-missing-child"),
        pytest.param("extra_child", UNKNOWN, "2 children", id="zeep-2.5-extra-child"),
        pytest.param("other_child", UNKNOWN, "another element", id="zeep-2.5-other-child"),
        pytest.param("other_wrapper", UNKNOWN, "another element", id="zeep-2.5-other-wrapper"),
        pytest.param("nil", UNKNOWN, "not a string", id="zeep-2.5-nil"),
        pytest.param("element_in_string", UNKNOWN, "not a string", id="zeep-2.5-element-in-the-string"),
        pytest.param("soap_12", UNKNOWN, "SOAP 1.2", id="zeep-2.5-soap-1.2"),
        pytest.param("truncated", UNKNOWN, "malformed", id="zeep-2.5-truncated"),
        pytest.param("must_understand", UNKNOWN, "must be understood", id="zeep-2.5-must-understand"),
        pytest.param("other_dossier", UNKNOWN, "another dossier", id="an-answer-about-another-dossier"),
        pytest.param("other_function", UNKNOWN, "neither", id="a-business-answer-in-the-wrong-channel"),
        pytest.param("unknown_field", UNKNOWN, "not valid by envelope.xsd", id="an-acknowledgement-with-more-in-it"),
    ],
)
def test_an_answer_is_judged_by_what_it_proves(ministry: Any, quirk: str, kind: OutcomeKind, words: str) -> None:
    ministry.quirk(quirk)
    outcome = ministry.adapter().push(ministry.delivery())
    assert outcome.kind is kind
    assert words in outcome.reason
    assert len(outcome.excerpt) <= 200
    assert "THỬ NGHIỆM" not in outcome.reason + outcome.excerpt


@pytest.mark.parametrize("quirk", ["empty", "facade_namespace", "fault_server", "nil", "truncated"])
def test_the_answer_is_kept_as_it_came_also_when_it_is_refused(ministry: Any, quirk: str) -> None:
    ministry.quirk(quirk)
    assert ministry.adapter().push(ministry.delivery()).answer.startswith(b"<soapenv:Envelope")


@pytest.mark.parametrize(
    ("quirk", "kind", "shown"),
    [
        pytest.param("date_inside", REFUSED, "không lưu được thông điệp", id="Q14-reject-date-inside"),
        pytest.param("unswapped", REFUSED, "không lưu được thông điệp", id="Q14-reject-date-beside"),
        pytest.param("long_reason", REFUSED, "dài dài", id="Q28-reason-of-20000-characters"),
        pytest.param("empty_reason", REFUSED, "", id="Q28-empty-reason"),
        pytest.param("bare_ampersand", UNKNOWN, "", id="Q13-bare-ampersand-in-the-reason"),
    ],
)
def test_a_refusal_is_read_in_every_attested_shape(ministry: Any, quirk: str, kind: OutcomeKind, shown: str) -> None:
    ministry.simulator.act("switch", {"fails": True})
    ministry.quirk(quirk)
    outcome = ministry.adapter().push(ministry.delivery())
    assert outcome.kind is kind
    assert outcome.excerpt.startswith(shown)
    assert len(outcome.excerpt) <= 200
    assert outcome.answer


def test_an_empty_reason_is_named_as_such(ministry: Any) -> None:
    ministry.simulator.act("switch", {"fails": True})
    ministry.quirk("empty_reason")
    assert ministry.adapter().push(ministry.delivery()).reason == "refused by the ministry without a reason"


def test_Q10_a_short_function_code_is_put_right_and_noted(ministry: Any) -> None:  # noqa: N802 - the case's id
    ministry.quirk("short_function")
    assert "function not written as two digits" in ministry.adapter().push(ministry.delivery()).proof


def test_Q01_a_foreign_namespace_is_read_where_the_partner_is_configured_so(ministry: Any) -> None:  # noqa: N802 - the case's id
    ministry.quirk("foreign_namespace")
    adapter = ministry.adapter(reply_namespaces=["http://somewhere.example.invalid/"])
    assert adapter.push(ministry.delivery()).kind is DELIVERED


def test_Q01_the_second_attested_namespace_is_refused_where_the_partner_does_not_use_it(ministry: Any) -> None:  # noqa: N802 - the case's id
    ministry.quirk("facade_namespace")
    outcome = ministry.adapter(reply_namespaces=[]).push(ministry.delivery())
    assert outcome.kind is UNKNOWN
    assert "namespace" in outcome.reason


def test_Q05_an_acknowledgement_has_an_id_of_its_own_and_is_correlated_by_its_exchange(ministry: Any) -> None:  # noqa: N802 - the case's id
    sent = ministry.delivery()
    outcome = ministry.adapter().push(sent)
    assert outcome.kind is DELIVERED
    assert sent.key_uuid.encode() not in outcome.answer


def test_Q07_a_synchronous_22_says_that_the_message_was_refused_not_the_dossier(ministry: Any) -> None:  # noqa: N802 - the case's id
    ministry.simulator.act("switch", {"fails": True})
    outcome = ministry.adapter().push(ministry.delivery())
    assert outcome.kind is REFUSED
    assert outcome.final
    assert outcome.code == "22"
    assert ministry.effects == []


def test_long_numbers_in_a_reason_are_masked(ministry: Any) -> None:
    ministry.simulator.act("switch", {"fails": True, "refusal": "trùng số 001000000000 của công dân"})
    outcome = ministry.adapter().push(ministry.delivery())
    assert outcome.excerpt == "trùng số … của công dân"
