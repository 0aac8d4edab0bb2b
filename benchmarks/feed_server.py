"""A feed of whole records over HTTP: `GET /feed?from=N&size=S&version=V`; run as a process of its own."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import orjson

from benchmarks.records import record


class Feed(BaseHTTPRequestHandler):
    """Pages are made once and kept as bytes, so that the server costs the same for all who ask."""

    protocol_version = "HTTP/1.1"
    total = 0
    pages: dict[tuple[int, int, int], bytes] = {}  # noqa: RUF012 (one server, one process)

    def do_GET(self) -> None:
        """Answer one page."""
        query = {name: int(values[0]) for name, values in parse_qs(urlsplit(self.path).query).items()}
        key = (query["from"], query["size"], query.get("version", 1))
        body = self.pages.get(key)
        if body is None:
            body = self.pages[key] = self._page(*key)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _page(self, start: int, size: int, version: int) -> bytes:
        last = min(start + size, self.total)
        numbers = range(start, last)
        after = last if last < self.total else None
        return orjson.dumps({"data": [record(n, version) for n in numbers], "next": after, "total": self.total})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the base names it
        """Say nothing."""


def main() -> None:
    """`python -m benchmarks.feed_server TOTAL VERSIONS SIZE`: makes all pages, prints its address, ends with stdin."""
    Feed.total, versions, size = (int(text) for text in sys.argv[1:4])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Feed)
    for version in range(1, versions + 1):
        for start in range(0, Feed.total, size):
            Feed.pages[start, size, version] = Feed._page(Feed, start, size, version)  # type: ignore[arg-type]
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()

    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
