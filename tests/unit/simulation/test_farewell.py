"""A portal that goes down: what its callers see between two calls."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from adapters.http import HttpClient
from adapters.npsp.simulator import NpspSimulator
from adapters.simulation.server import SimulatorServer
from schemas.errors import PortalUnavailableError


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Switch threads as often as the interpreter can, so that small gaps are met."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_no_call_is_done_after_the_portal_has_gone_down() -> None:
    """An answer was read, then the portal goes down: the kept connection carries no further call."""
    with SimulatorServer(NpspSimulator()) as server:
        client = HttpClient("npsp", server.url)
        for turn in range(400):
            client.request("GET", "/_sim/now")
            server.go_down(60)
            with pytest.raises(PortalUnavailableError) as caught:
                client.request("GET", "/_sim/now")
            assert not caught.value.sent, turn
            server.come_up()
        client.close()
