"""What an entry of kind `nsw` in `config.yaml` may say."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.settings import Section

Code = Annotated[str, Field(min_length=1, max_length=64)]


class Party(Section):
    """Who sends or receives: `name` and `identity` always, the four codes where the partner wants them.

    Attested identities: `BGTVT` (transport), `BTC` (finance), `NSW`.
    """

    name: Code
    identity: Code
    country_code: str = ""
    ministry_code: str = ""
    organization_code: str = ""
    unit_code: str = ""


class Options(Section):
    """Options of one ministry.

    `base_url` + `path` is the service address; the one in the WSDL is never used.
    `wsdl` is a file of the operator's own, instead of the packaged contract; its operation, wrapper and
    child names are read from it. `namespace` replaces its target namespace (a sibling service with the same
    shape); `operation` chooses where it holds several. `soap_action` replaces the WSDL's.
    `reply_namespaces` are further namespaces this partner answers in ("" for none); left out, the attested pair
    `http://ws.gt.vn` and `http://facade.dk.gt.dtt.vn` stands in for one another.
    `document_type` is the procedure's number at the ministry, `document_types` the exceptions by procedure
    code; numbers of the attested list (1 to 17) declare ships, so the default lies outside it.
    `message_type` 99 is "whole dossier". `max_reply_bytes` caps what is read of an answer.
    `ca_file` is a bundle to trust instead of the public authorities; `client_certificate` names the files of our
    certificate and its key, where the ministry wants one.
    """

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    path: str = "/services/MessageAndResponseImpl"
    wsdl: str = ""
    namespace: str = ""
    operation: str = ""
    soap_action: str | None = None
    reply_namespaces: tuple[str, ...] | None = None
    sender: Party = Party(name="System", identity="NSW")
    receiver: Party = Party(name="BGTVT", identity="BGTVT")
    document_type: Annotated[int, Field(ge=1, le=2**31 - 1)] = 100
    document_types: dict[str, Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(default_factory=dict)
    message_type: Annotated[int, Field(ge=0, le=2**31 - 1)] = 99
    max_reply_bytes: Annotated[int, Field(ge=1_000, le=50_000_000)] = 4_000_000
    ca_file: str = ""
    client_certificate: tuple[str, str] | None = None
