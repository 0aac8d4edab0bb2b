"""Acts within one second: portals keep whole seconds, and officers accept and hand on at once."""

from gateway.sync import timeline
from gateway.sync.timeline import Entry

HANDLERS = {"": "province"}


def heard(kind: str, number: int, status: str, at: float) -> Entry:
    return {
        "id": f"province|1|{kind}:{number}",
        "portal": "province",
        "record": "1",
        "stage": "",
        "kind": kind,
        "status": status,
        "wire": status,
        "at": at,
        "pos": number,
        "heard": 100.0,
    }


def current(*entries: Entry) -> str:
    found = timeline.current(entries, HANDLERS)
    return found.status if found else ""


def test_the_later_of_two_acts_in_one_second_is_current_though_only_its_log_row_has_a_number_to_compare() -> None:
    """S6: an act's time has whole seconds, a log row's has finer ones, and their numbers are not comparable."""
    act = heard("act", 500, "in_progress", 50.0)
    rows = [heard("log", 900, "accepted", 50.561), heard("log", 901, "in_progress", 50.58)]
    assert current(act, *rows) == "in_progress"
    assert current(*reversed(rows), act) == "in_progress"


def test_an_act_without_a_log_row_comes_after_the_rows_of_its_second() -> None:
    assert current(heard("act", 500, "in_progress", 50.0), heard("log", 900, "accepted", 50.561)) == "in_progress"
