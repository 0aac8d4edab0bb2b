"""One session for all, renewed once, and no storm of logins (npsp.md section 2, cases 8, 20 and 26)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from adapters.base import OutcomeKind
from adapters.simulation import Reply
from schemas.clock import ManualClock
from schemas.errors import ConfigError, PortalAuthError, PortalContractError, PortalRefusedError, PortalUnavailableError

NUMBER = "H56.14-261101-00001"
Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (-1, "Phiên làm việc đã hết hạn"),
        ("-1", "Vui lòng đăng nhập lại"),
        (2, "Invalid session"),
        (401, ""),
    ],
)
def test_npsp_20_a_session_that_expired_in_use_is_renewed_once(make_bench: Make, code: Any, text: str) -> None:
    bench = make_bench({"expiry_code": code, "expiry_text": text})
    assert bench.insert().kind is OutcomeKind.DELIVERED
    bench.act("expire_sessions")
    assert bench.update().kind is OutcomeKind.DELIVERED
    bench.act("expire_sessions")
    assert bench.adapter.fetch(NUMBER) is not None
    assert bench.sessions.logins == 3


def test_an_expiry_in_the_words_of_a_rule_of_ones_own(make_bench: Make) -> None:
    rule = {"verdict": "auth", "codes": [77]}
    bench = make_bench({"expiry_code": 77, "expiry_text": "???"}, rules=[rule])
    bench.insert()
    bench.act("expire_sessions")
    assert bench.update().kind is OutcomeKind.DELIVERED


@pytest.mark.parametrize("policy", ["many", "one"])
def test_npsp_20_many_workers_log_in_once(make_bench: Make, policy: str) -> None:
    bench = make_bench({"sessions": policy})
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: bench.insert(MaHoSo=f"H56-261101-{n:05}").kind, range(40)))
        assert set(outcomes) == {OutcomeKind.DELIVERED}
        assert bench.simulator.screen("logins", {})["accepted"] == 1
        bench.act("expire_sessions")
        outcomes = list(pool.map(lambda n: bench.update(MaHoSo=f"H56-261101-{n:05}").kind, range(40)))
    assert set(outcomes) == {OutcomeKind.DELIVERED}
    assert bench.simulator.screen("logins", {})["accepted"] == 2


def test_npsp_20_the_portals_own_lifetime_ends_a_session(make_bench: Make, manual_clock: ManualClock) -> None:
    bench = make_bench({"session_lifetime_s": 30}, clock=manual_clock)
    assert bench.insert().kind is OutcomeKind.DELIVERED
    manual_clock.advance(31)
    assert bench.update().kind is OutcomeKind.DELIVERED
    assert bench.sessions.logins == 2
    assert bench.sessions.lifetime_s == 600


def test_npsp_20_a_login_without_a_session_is_a_failure(make_bench: Make) -> None:
    bench = make_bench({"empty_sessions": 1})
    outcome = bench.insert()
    assert (outcome.kind, outcome.auth) == (OutcomeKind.RETRY, False)
    bench.simulator.desk._empty_left = 1
    with pytest.raises(PortalContractError):
        bench.adapter.fetch(NUMBER)
    assert bench.insert().kind is OutcomeKind.DELIVERED


def test_a_changed_password_costs_one_try_and_no_lock_out(make_bench: Make, manual_clock: ManualClock) -> None:
    bench = make_bench({"lock_after": 5}, clock=manual_clock, login_hold_off_s=300)
    assert bench.insert().kind is OutcomeKind.DELIVERED
    bench.act("change_password", password="another")
    outcomes = [bench.update() for _ in range(30)]
    assert {(outcome.kind, outcome.auth) for outcome in outcomes} == {(OutcomeKind.RETRY, True)}
    with pytest.raises(PortalAuthError):
        bench.adapter.fetch(NUMBER)
    assert bench.simulator.screen("logins", {}) == {"accepted": 1, "refused": 1, "locked": False}


def test_a_new_password_is_tried_at_once_and_the_old_one_after_the_hold(
    make_bench: Make, manual_clock: ManualClock
) -> None:
    bench = make_bench(clock=manual_clock, login_hold_off_s=300)
    bench.seed()
    bench.act("change_password", password="another")
    assert bench.update().auth
    manual_clock.advance(301)
    assert bench.update().auth
    assert bench.simulator.screen("logins", {})["refused"] == 2
    bench.secrets["${NPSP_PASSWORD}"] = "another"
    assert bench.update().kind is OutcomeKind.DELIVERED


def test_a_portal_that_refuses_every_fresh_session_is_not_stormed(make_bench: Make, manual_clock: ManualClock) -> None:
    """The login works and its session never does: after three of them nobody logs in until the hold is over."""
    bench = make_bench({"session_lifetime_s": 0.001}, clock=manual_clock)
    bench.seed()
    bench.simulator.desk.knows = lambda session: False
    outcomes = [bench.update() for _ in range(20)]
    assert [outcome.kind for outcome in outcomes[:2]] == [OutcomeKind.RETRY] * 2
    assert all(outcome.auth for outcome in outcomes[2:])
    assert bench.simulator.screen("logins", {})["accepted"] <= 4
    assert bench.effects() == ["seed"]


def test_a_portal_too_busy_to_log_us_in_is_unavailable_not_refusing(make_bench: Make) -> None:
    bench = make_bench({"failure_code": -5})
    bench.simulator.desk.log_in = lambda body: _busy()
    with pytest.raises(PortalUnavailableError):
        bench.adapter.fetch(NUMBER)
    assert bench.insert().kind is OutcomeKind.RETRY


def _busy() -> Any:
    from adapters.simulation import Reply

    return Reply.json({"error_code": -5, "message": "Hệ thống đang bận, vui lòng thử lại sau"})


@pytest.mark.parametrize("destination", ["query", "header", "both"])
@pytest.mark.parametrize("raw_colons", [True, False])
def test_npsp_26_the_destination_stands_where_it_is_asked(make_bench: Make, destination: str, raw_colons: bool) -> None:
    bench = make_bench({"destination": destination}, destination=destination, raw_colons=raw_colons)
    assert bench.insert().kind is OutcomeKind.DELIVERED


def test_npsp_26_a_destination_in_the_wrong_place_is_refused(make_bench: Make) -> None:
    bench = make_bench({"destination": "header"}, destination="query")
    assert bench.insert().auth
    assert make_bench({"destination": "any"}, destination="none").insert().kind is OutcomeKind.DELIVERED
    assert make_bench({"destination": "any"}, dstcode="VN:GOV:another:one").insert().auth


def test_npsp_26_nameless_and_doubly_encoded_queries_are_read_by_the_portal(bench: Any) -> None:
    import httpx

    for query in (
        "VN%3AGOV%3A000.00.00.G22%3Avpcpdvcprovider&x",
        "dstcode=VN%253AGOV%253A000.00.00.G22%253Avpcpdvcprovider",
    ):
        bench.simulator.switches = bench.simulator.switches.model_copy(update={"destination": "query"})
        body = {"session": "none", "madonvi": "H56", "service": "TraCuuHoSo"}
        reply = httpx.post(
            f"{bench.server.url}/XrdAdapter/RestService/forward/mapi/g?{query}", json=body, trust_env=False
        )
        assert "Phiên làm việc" in reply.json()["message"]


@pytest.mark.parametrize("path", ["XrdAdapter/RestService/forward", "VXPAdapter/RestService/forward/", ""])
def test_both_generations_of_the_exchange_adapter_are_a_setting(make_bench: Make, path: str) -> None:
    bench = make_bench(adapter_path=path, provider_url="http://provider.example.invalid/api")
    assert bench.insert().kind is OutcomeKind.DELIVERED


def test_share_and_integration_paths_may_differ(make_bench: Make) -> None:
    paths = {"share_path": "mapi/share", "integration_path": "mapi/integrate"}
    bench = make_bench(paths, **paths)
    assert len(bench.adapter.catalogue("agencies").rows) == 20
    assert bench.insert().kind is OutcomeKind.DELIVERED
    one = make_bench(paths, **paths | {"share_path": "mapi/other"})
    with pytest.raises(PortalRefusedError):
        one.adapter.catalogue("agencies")
    assert one.adapter.fetch(NUMBER) is None


def test_wrong_options_are_listed_all_at_once(make_bench: Make) -> None:
    with pytest.raises(ConfigError) as caught:
        make_bench(password="plain text", destination="nowhere", session_ttl_s=0)
    assert len(caught.value.problems) == 3
    with pytest.raises(ConfigError, match="logs in"):
        make_bench(username="")
    assert "plain text" not in str(caught.value)


def test_a_session_that_the_portal_quotes_is_shown_to_nobody(make_bench: Make) -> None:
    bench = make_bench()
    opened: list[str] = []
    answer = bench.simulator.answer

    def quoting(request: Any) -> Any:
        body = orjson.loads(request.body)
        if "password" in body:
            reply = answer(request)
            opened.append(orjson.loads(reply.body)["session"])
            return reply
        return Reply.json({"error_code": -1, "message": f"Mã {body['session']} sai"})

    bench.simulator.answer = quoting
    outcome = bench.insert()
    assert opened
    assert not any(session in f"{outcome.excerpt}{outcome.reason}{outcome.proof}" for session in opened)
    with pytest.raises(PortalRefusedError) as caught:
        bench.adapter.fetch(NUMBER)
    assert not any(session in f"{caught.value} {caught.value.excerpt}" for session in opened)


@pytest.mark.parametrize(
    "url", ["", "portal.invalid", "ftp://portal.invalid", "http://portal.invalid/?a=1", "http:// x"]
)
def test_a_base_url_that_cannot_be_called_is_a_problem_of_the_configuration(make_bench: Make, url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        make_bench(base_url=url)


@pytest.mark.parametrize("status", [401, 403])
def test_a_door_that_lets_us_in_no_more_is_no_dossiers_fault(make_bench: Make, status: int) -> None:
    bench = make_bench()
    answer = bench.simulator.answer

    def shut(request: Any) -> Any:
        return answer(request) if b"password" in request.body else Reply.text("<html>Forbidden</html>", status)

    bench.simulator.answer = shut
    kinds = {bench.insert().kind for _ in range(6)}
    assert kinds == {OutcomeKind.RETRY}
    assert bench.sessions.logins <= 7, "and no storm of logins"
