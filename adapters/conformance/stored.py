"""Files that a bench's gateway holds: opened by reference as an adapter does, and served at an address of ours."""

from __future__ import annotations

import hashlib
import io
import threading
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from adapters.base import FileStream


@dataclass(frozen=True, slots=True)
class BenchFile:
    """One file that a delivery carries."""

    reference: str
    name: str
    content: bytes
    media_type: str = "application/pdf"

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes, in hex."""
        return hashlib.sha256(self.content).hexdigest()


class BenchStore:
    """Holds files by reference; what is taken away is a LookupError, as in the gateway."""

    def __init__(self) -> None:
        self.files: dict[str, BenchFile] = {}

    def keep(self, *files: BenchFile) -> None:
        """Hold these from now on."""
        self.files |= {file.reference: file for file in files}

    def __call__(self, reference: str) -> FileStream:
        """Open one.

        Raises:
            LookupError: It is not held.
        """
        found = self.files[reference]
        return FileStream(io.BytesIO(found.content), found.media_type, len(found.content))

    def address(self, file: BenchFile) -> str:
        """Where one is served, until `close`."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/{file.reference}"

    def close(self) -> None:
        """Serve nothing any more."""
        if "_server" in vars(self):
            self._server.shutdown()
            self._server.server_close()

    @cached_property
    def _server(self) -> ThreadingHTTPServer:
        files = self.files

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = files.get(self.path.lstrip("/"))
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(found.content) if found else 0))
                self.end_headers()
                self.wfile.write(found.content if found else b"")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, name="bench-files", daemon=True).start()
        return server
