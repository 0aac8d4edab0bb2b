"""The suite fails for each of these broken adapters, at the check that names the broken promise."""

from __future__ import annotations

import pytest

from adapters.conformance import AdapterConformance
from adapters.conformance.checks import ConformanceError

from . import broken
from .toy import ToyAdapter, ToyBench, checks

CAUGHT = [
    (broken.DeliveredOnAny200, "test_nothing_is_delivered_without_a_parsed_yes"),
    (broken.DeliveredByWord, "test_nothing_is_delivered_without_a_parsed_yes"),
    (broken.CursorSkips, "test_resuming_from_any_cursor_skips_nothing"),
    (broken.NewestFirst, "test_pages_come_oldest_first"),
    (broken.EndsQuietly, "test_a_failed_pull_is_an_error_and_never_an_end"),
    (broken.LostAnswerIsRefused, "test_a_lost_answer_is_unknown"),
    (broken.LostAnswerIsRetry, "test_a_lost_answer_is_unknown"),
    (broken.RetriesInsidePush, "test_a_lost_answer_is_unknown"),
    (broken.SecretInError, "test_nothing_secret_is_said"),
    (broken.SecretInTraceback, "test_nothing_secret_is_said"),
    (broken.IgnoresSendBy, "test_nothing_is_sent_after_send_by"),
    (broken.ManglesUnicode, "test_text_written_arrives_letter_for_letter"),
    (broken.ReadsLatin1, "test_text_read_is_the_portals_own"),
    (broken.ProbeAlwaysPresent, "test_a_probe_tells_what_its_operation_declares"),
    (broken.ProbeKnowsOnlyPresence, "test_a_probe_tells_what_its_operation_declares"),
    (broken.FailedProbeIsAbsent, "test_a_failed_probe_says_nothing"),
    (broken.ForgetsRetryAfter, "test_too_many_requests_is_retry_and_says_when"),
    (broken.EmptyRecordForUnknown, "test_an_unknown_id_is_absent"),
    (broken.FailedFetchIsAbsent, "test_a_failed_read_is_an_error_and_never_absence"),
    (broken.PushRaises, "test_a_lost_answer_is_unknown"),
    (broken.DuplicateUntold, "test_the_same_key_twice_has_the_effect_its_operation_declares"),
    (broken.NotOpenedIsUnknown, "test_a_refused_connection_is_retry"),
    (broken.EmptyCatalogueIsAnError, "test_a_catalogue_is_given_as_it_is"),
    (broken.SharesOneBuffer, "test_eight_threads_share_one_adapter"),
    (broken.DropsAFile, "test_files_arrive_byte_for_byte_under_their_names"),
    (broken.ReadsFilesAsText, "test_files_arrive_byte_for_byte_under_their_names"),
    (broken.StripsNames, "test_files_arrive_byte_for_byte_under_their_names"),
    (broken.StampsEachAttempt, "test_a_repeat_with_files_is_equal_on_the_wire"),
    (broken.LeavesOutWhatIsMissing, "test_nothing_is_sent_without_a_file_it_names"),
    (broken.TakesAnyAnswerForAFile, "test_a_file_is_opened_byte_for_byte_or_not_at_all"),
]


@pytest.mark.parametrize(("adapter", "check"), CAUGHT, ids=[adapter.__name__ for adapter, _ in CAUGHT])
def test_a_broken_adapter_is_caught(adapter: type[ToyAdapter], check: str) -> None:
    bench = ToyBench(adapter)
    try:
        with pytest.raises(ConformanceError):
            checks(AdapterConformance)[check](AdapterConformance(), bench)
    finally:
        bench.close()


def test_every_broken_adapter_is_tried() -> None:
    written = {one for one in vars(broken).values() if isinstance(one, type) and issubclass(one, ToyAdapter)}
    assert written - {ToyAdapter} == {adapter for adapter, _ in CAUGHT}
