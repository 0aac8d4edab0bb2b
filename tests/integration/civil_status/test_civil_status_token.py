"""The token: one for all, refreshed once, and no hammering of a ministry that does not accept us."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.base import OutcomeKind
from adapters.simulation import FaultPlan
from schemas.errors import PortalAuthError, PortalUnavailableError

NUMBER = "000.00.01.H96-261101-0001"


@pytest.mark.parametrize("style", ["basic", "form", "json"])
def test_the_token_is_asked_for_in_any_configured_style(ministry: Any, style: str) -> None:
    bench = ministry({"token_login": style})
    assert bench.adapter.push(bench.delivery()).kind is OutcomeKind.DELIVERED
    assert bench.sessions.logins == 1
    assert bench.sessions.lifetime_s == 3570.0


@pytest.mark.parametrize("reply", ["json", "html", "code"], ids=lambda reply: f"R11-{reply}")
def test_a_token_that_expired_in_flight_is_refreshed_once(ministry: Any, reply: str) -> None:
    bench = ministry(auth_reply=reply)
    bench.declare(NUMBER)
    bench.act("expire_tokens")
    assert bench.states() == {NUMBER: "1"}
    bench.act("expire_tokens")
    assert bench.adapter.push(bench.delivery("000.00.01.H96-261101-0002")).kind is OutcomeKind.DELIVERED
    assert bench.sessions.logins == 3


@pytest.mark.parametrize("reply", ["json", "html", "code"], ids=lambda reply: f"R11-{reply}")
def test_a_ministry_that_refuses_new_tokens_too_is_left_alone_after_one_refresh(ministry: Any, reply: str) -> None:
    bench = ministry(auth_reply=reply)
    bench.simulator._logged_in = lambda request: False
    outcome = bench.adapter.push(bench.delivery())
    assert (outcome.kind, outcome.auth) == (OutcomeKind.RETRY, True)
    assert bench.server.seen == ["login", "write", "login", "write"]
    bench.known.open.append(NUMBER)
    with pytest.raises(PortalAuthError):
        bench.pages()


def test_R11_a_push_that_is_forbidden_was_not_taken_and_no_new_token_is_asked_for(  # noqa: N802 - the case's id
    ministry: Any,
) -> None:
    bench = ministry(auth_reply="forbidden")
    bench.adapter.ping()
    bench.declare(NUMBER)
    bench.act("expire_tokens")
    outcome = bench.adapter.push(bench.delivery("000.00.01.H96-261101-0002"))
    assert (outcome.kind, outcome.auth) == (OutcomeKind.RETRY, True)
    assert bench.sessions.logins == 1


def test_R11_a_token_endpoint_that_is_down_leaves_a_push_unsent(ministry: Any) -> None:  # noqa: N802 - the case's id
    faults = FaultPlan(seed=1)
    bench = ministry(faults=faults)
    faults.script("unavailable_503", on="login")
    assert bench.adapter.push(bench.delivery()).kind is OutcomeKind.RETRY
    for _ in range(3):
        faults.script("unavailable_503", on="login")
    bench.known.open.append(NUMBER)
    with pytest.raises(PortalUnavailableError):
        bench.pages()
    assert bench.adapter.push(bench.delivery()).kind is OutcomeKind.DELIVERED


def test_a_wrong_client_secret_is_an_error_of_login_that_names_no_secret(ministry: Any) -> None:
    bench = ministry(client_secret="changed")
    outcome = bench.adapter.push(bench.delivery())
    assert (outcome.kind, outcome.auth) == (OutcomeKind.RETRY, True)
    assert "p&ss" not in repr(outcome)
    assert bench.server.seen == ["login"]


def test_a_ping_logs_in_or_polls_and_shows_the_ministrys_clock(ministry: Any) -> None:
    bench = ministry()
    assert bench.adapter.ping() is not None
    bench.declare(NUMBER)
    assert bench.adapter.ping() is not None
    assert bench.calls("read") == 1
