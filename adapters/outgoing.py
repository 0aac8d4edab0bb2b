"""Makes the requests that `HttpClient` sends.

httpx mends whatever address and fields it is given, which is most of what it does for a call. A request that needs no
mending, as nearly all do, is put together here from parts that were made once, and says the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

import httpcore
import httpx

Waits = dict[str, float]
"""Seconds for each single wait of a call, by httpcore's names."""

_PATH = r"(?=/)(?:[\w~=&-]|%[0-9A-F]{2}|[/.](?![/.]))*"
_QUERY = r"(?:\?(?:[\w.~=&/-]|%[0-9A-F]{2})*)?"
_NEEDS_NO_MENDING = re.compile(_PATH + _QUERY, re.ASCII)
WRITES = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests have a body, if only an empty one."""


class Requests:
    """Requests to one portal, with the fields that all of them have. Thread-safe.

    Args:
        base_url: What relative paths are joined to.
        headers: Of every request.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self._mending = httpx.Client(base_url=base_url, headers=dict(headers), trust_env=False, transport=_Nowhere())
        sample = self._mending.build_request("GET", "")
        self._url = _url_of(sample.url)
        self._root = base_url.removesuffix("/")
        self._prefix = self._url.target.removesuffix(b"/")
        self._fields = {name.lower(): (name, value) for name, value in sample.headers.raw}

    def made(
        self,
        method: str,
        path_or_url: str,
        waits: Waits,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        files: Any = None,
    ) -> tuple[httpcore.Request, bytes | None]:
        """The request, and its body where that is whole: not where it is made while it is sent.

        Raises:
            httpx.InvalidURL: The address is none.
        """
        method = method.upper()
        if (
            params is None
            and files is None
            and (plain := self._plain(method, path_or_url, waits, headers, content, data))
        ):
            return plain
        return self._mended(method, path_or_url, waits, headers, content, data, params, files)

    def _plain(
        self,
        method: str,
        path_or_url: str,
        waits: Waits,
        headers: Mapping[str, str] | None,
        content: bytes | None,
        data: Mapping[str, Any] | None,
    ) -> tuple[httpcore.Request, bytes | None] | None:
        """None where httpx has to look at it."""
        path = path_or_url.removeprefix(self._root)
        if not _NEEDS_NO_MENDING.fullmatch(path):
            return None
        fields, body = self._fields.copy(), content or b""
        if data:
            if content is not None or not all(isinstance(value, str) for value in data.values()):
                return None
            body = urlencode(data).encode("ascii")
            fields.setdefault(b"content-type", (b"Content-Type", b"application/x-www-form-urlencoded"))
        if body or method in WRITES:
            fields[b"content-length"] = (b"Content-Length", b"%d" % len(body))
        for name, value in (headers or {}).items():
            if not (name.isascii() and value.isascii()):
                return None
            fields[name.lower().encode()] = (name.encode(), value.encode())
        url = httpcore.URL(
            scheme=self._url.scheme, host=self._url.host, port=self._url.port, target=self._prefix + path.encode()
        )
        return _request(method, url, list(fields.values()), body, waits), body

    def _mended(
        self,
        method: str,
        path_or_url: str,
        waits: Waits,
        headers: Mapping[str, str] | None,
        content: bytes | None,
        data: Mapping[str, Any] | None,
        params: Mapping[str, Any] | None,
        files: Any,
    ) -> tuple[httpcore.Request, bytes | None]:
        found = self._mending.build_request(
            method, path_or_url, params=params, headers=headers, content=content, data=data, files=files
        )
        body = found.content if isinstance(found.stream, httpx.ByteStream) else None
        stream = cast("httpx.SyncByteStream", found.stream) if body is None else body
        return _request(method, _url_of(found.url), found.headers.raw, stream, waits), body

    def close(self) -> None:
        """Nothing is open; httpx wants to be told all the same."""
        self._mending.close()


def _request(
    method: str,
    url: httpcore.URL,
    headers: list[tuple[bytes, bytes]],
    content: bytes | httpx.SyncByteStream,
    waits: Waits,
) -> httpcore.Request:
    return httpcore.Request(method=method, url=url, headers=headers, content=content, extensions={"timeout": waits})


def _url_of(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


class _Nowhere(httpx.BaseTransport):
    """Nothing is sent by the client that only makes requests."""
