"""The description at /v1/openapi.json, and an interface that keeps to it whatever is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import schemathesis
import structlog
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from adapters.inbox.options import REPORTABLE
from adapters.inbox.problems import PROBLEMS
from gateway.cli.inbox_room import InboxRoom
from gateway.server.inbox_models import Status
from tests.integration.inbox.conftest import Client

EXAMPLES = 40


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InboxRoom]:
    folder: Path = tmp_path_factory.mktemp("room")
    with InboxRoom(folder, ministries={"transport": {}}) as room:
        room.hand_over(4)
        yield room
    structlog.reset_defaults()


def test_every_error_code_is_in_the_documentation_with_what_to_do(project_root: Path) -> None:
    text = (project_root / "docs" / "inbox.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert rows == [(code, str(one.status), one.title, one.todo) for code, one in PROBLEMS.items()]


def test_the_description_is_published_without_a_key(running: InboxRoom) -> None:
    found = Client(running.url, "").get("/v1/openapi.json")
    assert found.status == 200
    told = found.json()
    assert told["openapi"].startswith("3.1")
    assert set(told["components"]["securitySchemes"]) == {"key", "certificate"}
    operations = [op for path in told["paths"].values() for op in path.values()]
    assert len(operations) == 7
    for operation in operations:
        assert {"401", "403", "429", "503"} <= set(operation["responses"])
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                shown = response["content"]["application/problem+json"]["examples"]
                assert {PROBLEMS[code].status for code in shown} == {int(status)}


def test_problems_with_cursors_are_told_where_there_are_cursors(running: InboxRoom) -> None:
    told = Client(running.url, "").get("/v1/openapi.json").json()["paths"]

    def codes(operation: dict[str, Any]) -> set[str]:
        shown = [one["content"]["application/problem+json"] for n, one in operation["responses"].items() if n >= "400"]
        return {code for one in shown for code in one["examples"]}

    cursors = {"cursor_unknown", "cursor_foreign"}
    for path, verbs in told.items():
        for operation in verbs.values():
            assert codes(operation) & cursors == (cursors if path == "/inbox/items" else set())
    assert "digest_differs" not in codes(told["/inbox/items"]["get"])
    assert "digest_differs" in codes(told["/inbox/items/{item_id}/acknowledgement"]["post"])


def test_every_request_body_has_an_example_that_the_interface_takes(running: InboxRoom) -> None:
    client = Client(running.url, running.key("transport"))
    schemas = client.get("/v1/openapi.json").json()["components"]["schemas"]
    (item, *_) = client.items("?waiting=false")
    path = f"/v1/inbox/items/{item['item_id']}"
    for number, example in enumerate(schemas["ReportBody"]["examples"]):
        told = {**example, "occurred_at": item["offered_at"]}
        sent = client.call("POST", f"{path}/reports", told, {"Idempotency-Key": f"example-{number}"})
        assert sent.status == 202, sent.body
    for name, place in (("AcknowledgementBody", "acknowledgement"), ("RefusalBody", "refusal")):
        (example,) = schemas[name]["examples"]
        assert client.call("POST", f"{path}/{place}", example).code == "digest_differs"


def test_the_interface_keeps_to_its_description_whatever_is_sent(running: InboxRoom) -> None:
    """Schemathesis makes calls out of the description, fitting ones and broken ones; ids are real half of the time."""
    key = running.key("transport")
    waiting = [item["item_id"] for item in Client(running.url, key).items("?waiting=false")]
    schema: Any = schemathesis.openapi.from_url(f"{running.url}/v1/openapi.json")
    headers = {"Authorization": f"Bearer {key}"}
    checked = [
        schemathesis.checks.not_a_server_error,
        content_type_conformance,
        ignored_auth,
        missing_required_header,
        negative_data_rejection,
        positive_data_acceptance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
        unsupported_method,
    ]
    calls = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        def one(case: Any) -> None:
            nonlocal calls
            calls += 1
            if calls % 2 and "item_id" in (case.path_parameters or {}):
                case.path_parameters["item_id"] = waiting[calls % len(waiting)]
            answer = case.call(base_url=f"{running.url}/v1", headers=headers)
            case.validate_response(answer, checks=checked, headers=headers)

        strategy = operation.as_strategy() | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
        settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(__import__("hypothesis").given(strategy)(one))()
    assert calls >= 7 * EXAMPLES / 2


def test_the_statuses_of_the_description_are_those_a_ministry_may_report() -> None:
    assert set(get_args(Status)) == {status.value for status in REPORTABLE}
