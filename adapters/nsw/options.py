"""What an entry of kind `nsw` in `config.yaml` may say."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from adapters.nsw.attachments import Attachments
from schemas.settings import FilePath, IsFile, SecretRef, Section

_SECRET_NAMES = re.compile(r"pass|pwd|secret|token|key|auth|matkhau|mat_khau", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{[A-Z][A-Z0-9_]*\}")

Code = Annotated[str, Field(min_length=1, max_length=64)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Filled = Annotated[str, Field(max_length=4_000)]
Function = Annotated[str, Field(pattern=r"^[0-9]{2}$")]


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


class CallBacks(Section):
    """How the ministry calls us back.

    `path` is where the service stands below the portal's inbound address. `namespace` replaces the attested one.
    `wsdl` is the contract that this ministry calls by, instead of the attested one: each of its operations that tells
    one string and wants one back; `message_parameter` names the message's string where there are several.
    `functions` says what this partner means by a function, as another attested one: `{"25": "35"}` where 25 says
    "suspended" and not "papers wanted". `senders` are the identities it may sign its messages as; empty takes any.
    `max_message_bytes` caps one message. `patience_s` is how long the ministry waits for an answer.
    """

    path: Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$")] = "MTService"
    namespace: Annotated[str, Field(min_length=1)] = "http://tempuri.org/"
    wsdl: FilePath = ""
    message_parameter: str = ""
    functions: dict[Function, Function] = Field(default_factory=dict)
    senders: tuple[str, ...] = ()
    max_message_bytes: Annotated[int, Field(ge=1_000, le=50_000_000)] = 4_000_000
    patience_s: Annotated[float, Field(gt=0)] = 30.0


class Signatures(Section):
    """Whether messages are signed: `none` as attested, `sign` what we send, `sign+require` from the partner too.

    `certificate` and `key` are our PEM files, `key_password` opens the key. `pinned` are PEM files of the partner's
    certificates; `authorities` of those who may vouch for the holders named in `subjects` (RFC 4514, such as `CN=Bộ`).
    """

    mode: Literal["none", "sign", "sign+require"] = "none"
    certificate: FilePath = ""
    key: FilePath = ""
    key_password: SecretRef | None = None
    pinned: Annotated[tuple[str, ...], IsFile()] = ()
    authorities: Annotated[tuple[str, ...], IsFile()] = ()
    subjects: tuple[str, ...] = ()
    allow_sha1: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.mode != "none" and not (self.certificate and self.key):
            raise ValueError("signing needs a certificate and its key")
        if bool(self.authorities) != bool(self.subjects):
            raise ValueError("authorities vouch for many: name the subjects that are believed, and the other way round")
        if self.mode == "sign+require" and not (self.pinned or self.authorities):
            raise ValueError("name the partner's certificates (pinned), or authorities and subjects")
        return self


class Options(Section):
    """Options of one ministry.

    `base_url` + `path` is the service address; the one in the WSDL is never used.
    `wsdl` is a file of the operator's own, instead of the packaged contract; its operation, wrapper and
    child names are read from it. `namespace` replaces its target namespace (a sibling service with the same
    shape); `operation` and `port` choose where it holds several. `soap_action` replaces the WSDL's.
    `parameters` fills what the operation takes besides the message, such as a login; where several strings are left,
    `message_parameter` names the message's, and `answer_parameter` that of an answer of several. `headers` are sent
    with each call over HTTP, such as a key; `soap_header` fills the block of the SOAP header that takes these names.
    Values of all three may be references such as ${MINISTRY_KEY}.
    `reply_namespaces` are further namespaces this partner answers in ("" for none); left out, the attested pair
    `http://ws.gt.vn` and `http://facade.dk.gt.dtt.vn` stands in for one another.
    `document_type` is the procedure's number at the ministry, `document_types` the exceptions by procedure
    code; numbers of the attested list (1 to 17) declare ships, so the default lies outside it.
    `message_type` 99 is "whole dossier". `max_reply_bytes` caps what is read of an answer.
    `attachments`: what the ministry gets of each paper besides its description: nothing more, an address of ours
    (`link`), or its bytes in the message (`content`), at most `max_attachment_bytes` of Base64 together.
    `ca_file` is a bundle to trust instead of the public authorities; `client_certificate` names the files of our
    certificate and its key, where the ministry wants one. `call_backs` and `signatures`: see there.
    """

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    path: str = "/services/MessageAndResponseImpl"
    wsdl: FilePath = ""
    namespace: str = ""
    operation: str = ""
    port: str = ""
    message_parameter: str = ""
    answer_parameter: str = ""
    parameters: dict[str, Filled] = Field(default_factory=dict)
    headers: dict[HeaderName, Filled] = Field(default_factory=dict)
    soap_header: dict[str, Filled] = Field(default_factory=dict)
    soap_action: str | None = None
    reply_namespaces: tuple[str, ...] | None = None
    sender: Party = Party(name="System", identity="NSW")
    receiver: Party = Party(name="BGTVT", identity="BGTVT")
    document_type: Annotated[int, Field(ge=1, le=2**31 - 1)] = 100
    document_types: dict[str, Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(default_factory=dict)
    message_type: Annotated[int, Field(ge=0, le=2**31 - 1)] = 99
    max_reply_bytes: Annotated[int, Field(ge=1_000, le=50_000_000)] = 4_000_000
    attachments: Attachments = Attachments.METADATA
    max_attachment_bytes: Annotated[int, Field(ge=1_000, le=50_000_000)] = 2_500_000
    ca_file: FilePath = ""
    client_certificate: Annotated[tuple[str, str] | None, IsFile()] = None
    call_backs: CallBacks = CallBacks()
    signatures: Signatures = Signatures()

    @model_validator(mode="after")
    def _no_secret_in_the_open(self) -> Self:
        for name, value in (*self.parameters.items(), *self.headers.items(), *self.soap_header.items()):
            if _SECRET_NAMES.search(name) and not _REFERENCE.fullmatch(value):
                raise ValueError(f"{name}: write a reference such as ${{MINISTRY_KEY}}, never the secret itself")
        return self
