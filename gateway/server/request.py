"""An ASGI scope taken apart: who calls, with which headers and words, within caps."""

from __future__ import annotations

from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from gateway.access import Approach
from gateway.access.keys import bearer
from gateway.server.refusal import RefusalError

MOST_TARGET_BYTES = 8 * 1024
MOST_HEAD_BYTES = 32 * 1024
MOST_HEADERS = 100
MOST_FIELDS = 100
CERTIFICATE = "lienthong.certificate"
"""Where the client certificate (DER) stands in a scope's `state`."""
Scope = MutableMapping[str, Any]


def check_scope(scope: Scope) -> None:
    """Refuse addresses and heads beyond their caps, and a body announced in two ways: whoever stands before us may
    have believed the other one, and what follows would be another caller's words (RFC 9112, 6.1).

    Raises:
        RefusalError: 400, 414 or 431.
    """
    if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_TARGET_BYTES:
        raise RefusalError(HTTPStatus.REQUEST_URI_TOO_LONG, "address too long")
    if {b"content-length", b"transfer-encoding"} <= {name.lower() for name, _ in scope["headers"]}:
        raise RefusalError(HTTPStatus.BAD_REQUEST, "two lengths", {"Connection": "close"})
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if len(scope["headers"]) > MOST_HEADERS or size > MOST_HEAD_BYTES:
        raise RefusalError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers too large")


def headers_of(scope: Scope) -> dict[str, str]:
    """Headers by name in lower case; what came twice stands as one list."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def query_of(scope: Scope) -> dict[str, str]:
    """The first value of each name of the query; a name alone has the value "".

    Raises:
        RefusalError: 414, too many of them.
    """
    try:
        pairs = parse_qsl(
            scope["query_string"].decode("latin-1"),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise RefusalError(HTTPStatus.REQUEST_URI_TOO_LONG, "too many words in the address") from None
    return dict(reversed(pairs))


def approach_of(scope: Scope, headers: dict[str, str], secret: str = "") -> Approach:
    """What the caller shows of himself."""
    client = scope.get("client")
    return Approach(
        address=client[0] if client else "",
        forwarded=headers.get("x-forwarded-for", ""),
        certificate=scope.get("state", {}).get(CERTIFICATE, b""),
        secret=secret,
        key=bearer(headers.get("authorization", "")),
    )
