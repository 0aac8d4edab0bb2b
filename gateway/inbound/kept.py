"""A call as it is kept: one JSON line about it, then its body as received."""

from __future__ import annotations

from datetime import datetime

import orjson

from adapters.receiving import InboundRequest

_KEPT_HEADERS = ("content-type", "soapaction", "dstcode")
"""What receivers may read again; nothing else of a caller's headers is kept."""


def to_bytes(request: InboundRequest) -> bytes:
    """The request without what only the network needed."""
    about = {
        "method": request.method,
        "path": request.path,
        "query": dict(request.query),
        "headers": {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers},
        "at": request.at.isoformat(),
        "base_url": request.base_url,
        "caller": request.caller,
    }
    return orjson.dumps(about) + b"\n" + request.body


def from_bytes(kept: bytes) -> InboundRequest:
    """Undo `to_bytes`."""
    head, _, body = kept.partition(b"\n")
    about = orjson.loads(head)
    at = datetime.fromisoformat(about.pop("at"))
    return InboundRequest(**about, body=body, at=at)
