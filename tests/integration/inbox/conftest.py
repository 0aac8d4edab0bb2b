"""A whole room: a simulated province, a gateway, the server, and two ministries that collect."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog

from gateway.cli.inbox_room import InboxRoom

NOTHING: dict[str, str] = {}


@dataclass(frozen=True)
class Answer:
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.headers["content-type"] == "application/problem+json"
        found = self.json()
        assert found["status"] == self.status
        return str(found["code"])


class Client:
    """Calls the interface with one key."""

    def __init__(self, url: str, key: str) -> None:
        self.netloc = urlsplit(url).netloc
        self.key = key

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] = NOTHING, raw: bytes | None = None
    ) -> Answer:
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        content = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        if content is not None:
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(self.netloc, timeout=20)
        try:
            connection.request(method, path, content, {**sent, **headers})
            found = connection.getresponse()
            return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def items(self, query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/v1/inbox/items{query}").json()["items"]
        return found

    def acknowledge(self, item: dict[str, Any]) -> Answer:
        return self.call("POST", f"/v1/inbox/items/{item['item_id']}/acknowledgement", {"digest": item["digest"]})

    def report(self, item: dict[str, Any], key: str, **told: Any) -> Answer:
        headers = {"Idempotency-Key": key}
        return self.call("POST", f"/v1/inbox/items/{item['item_id']}/reports", told, headers)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[InboxRoom]:
    with InboxRoom(tmp_path, ministries={"transport": {}, "health": {"statuses": ["accepted", "completed"]}}) as room:
        yield room
    structlog.reset_defaults()


@pytest.fixture
def transport(room: InboxRoom) -> Client:
    return Client(room.url, room.key("transport"))


@pytest.fixture
def health(room: InboxRoom) -> Client:
    return Client(room.url, room.key("health"))
