"""A person at a portal follows the address of a file and keeps what comes: plain sockets, this machine only."""

from __future__ import annotations

import hashlib
import http.client
from typing import Any
from urllib.parse import urlsplit

_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def fetched(url: str, *, patience_s: float = 10.0) -> dict[str, Any]:
    """What lies behind an address: `{url, status, media_type, name, size, sha256}`; status 0 without a whole answer.

    Raises:
        ValueError: The address does not lead to this machine over plain HTTP.
    """
    where = urlsplit(url)
    if where.scheme != "http" or where.hostname not in _HOSTS:
        raise ValueError("only addresses of this machine are followed")
    found: dict[str, Any] = {"url": url, "status": 0, "media_type": "", "name": "", "size": 0, "sha256": ""}
    line = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=patience_s)
    try:
        line.request("GET", where.path + (f"?{where.query}" if where.query else ""))
        answer = line.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return found
    finally:
        line.close()
    return found | {
        "status": answer.status,
        "media_type": answer.headers.get_content_type(),
        "name": answer.headers.get_filename() or "",
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
