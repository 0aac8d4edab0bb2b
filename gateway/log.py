"""Log lines as JSON: fixed event names in the past tense, keyed values, nothing personal and nothing secret.

Redaction is the second line of defence: callers do not log personal values in the first place.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from schemas.errors import GatewayError

REDACTED = "[redacted]"
_CUT_AT = 500

_SECRET_KEYS = re.compile(
    r"(?:^|_)(?:applicant|submitter|citizen|person|full_?name|name|ho_?ten|birth\w*|address|dia_?chi|email|mail|phone|"
    r"identity\w*|id_?number|cccd|cmnd|tax_?code|officer|note|body|raw|payload|record|content|headers?|sealed\w*|"
    r"password|passwd|secret|token|authori[sz]ation|cookie|session|api_?key|key_?bytes|credentials?)$",
    re.IGNORECASE,
)
# Digests and UUIDs hold long runs of digits by chance: they are found first and left as they are.
_PATTERNS = re.compile(
    r"(?P<harmless>\b[0-9a-f]{32,128}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"|\b(?:bearer|basic)\s+[\w.~+/=-]+"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"
    r"|\b(?:access_?token|token|session\w*|sid|password|secret|api[_-]?key|cookie)[\"']?\s*[:=]\s*[\"']?[^\s\"',;&]+"
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|(?<!\d)\d{12}(?!\d)"
    r"|(?<![\d.])(?:\+?84|0)(?:[ -]?\d){8,10}(?!\d)"
    r"|(?<![\d.])0\d{2,3}\.\d{3}\.\d{3,4}(?!\.?\d)",
    re.IGNORECASE,
)


# Every text that `_PATTERNS` finds holds a digit, a sign of these, or one of two words; most that is logged does not.
_SUSPICIOUS = re.compile(r"[\d@:=.]|bearer|basic", re.IGNORECASE)
_HARMLESS = 10**7
"""A number nearer to nought is nobody's: the shortest that `_PATTERNS` finds has nine digits."""


def configure(stream: BinaryIO | None = None, *, level: int = logging.INFO) -> None:
    """Write one JSON object per line to `stream` (standard error when None), from `level` upwards."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            describe_error,
            redact,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer if stream is None else stream),
        cache_logger_on_first_use=False,
    )


@contextmanager
def warnings_only() -> Iterator[None]:
    """For a single command: warnings go to standard error; standard output is for what it was asked."""
    if structlog.is_configured():  # it writes a log of its own
        yield
        return
    configure(level=logging.WARNING)
    try:
        yield
    finally:
        structlog.reset_defaults()


def get_logger() -> FilteringBoundLogger:
    """The logger; `log.info("page_stored", records=12)`."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


@contextmanager
def bound(**values: str | int) -> Iterator[None]:
    """Bind `portal`, `run_id` and the like to every line that this thread writes inside the block."""
    with structlog.contextvars.bound_contextvars(**values):
        yield


def redact(_logger: WrappedLogger | None, _method: str, event: EventDict) -> EventDict:
    """Blank values by key and by pattern, at any depth; cut long texts."""
    return {key: _clean(key, value) for key, value in event.items()}


def describe_error(_logger: WrappedLogger | None, _method: str, event: EventDict) -> EventDict:
    """Turn `exc_info` into the error's type and place.

    The message of an error that is not ours may quote what it was given, so only our own errors' words are kept.
    """
    found = event.pop("exc_info", None)
    if not found:
        return event
    error = found if isinstance(found, BaseException) else sys.exc_info()[1]
    if error is not None:
        event["error"] = type(error).__name__
        event["error_at"] = [
            f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-5:]
        ]
        if isinstance(error, GatewayError):
            event["error_says"] = str(error)
    return event


def _clean(key: str, value: Any) -> Any:
    if isinstance(value, int) and -_HARMLESS < value < _HARMLESS:
        return value
    if not isinstance(value, bool | int | float | None) and _is_secret(key):
        return REDACTED
    if isinstance(value, str):
        return (_PATTERNS.sub(_blank, value) if _SUSPICIOUS.search(value) else value)[:_CUT_AT]
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return REDACTED if _PATTERNS.fullmatch(str(value)) else value
    if isinstance(value, dict):
        return {str(inner): _clean(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item) for item in value]
    # Bytes, models, rows: their text may hold anything.
    return f"[{type(value).__name__}]"


@lru_cache(512)
def _is_secret(key: str) -> bool:
    return _SECRET_KEYS.search(key) is not None


def _blank(found: re.Match[str]) -> str:
    return found[0] if found["harmless"] else REDACTED


def _json(event: EventDict, **_options: Any) -> bytes:
    return orjson.dumps(event)
