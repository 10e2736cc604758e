"""Alerts: what a run tells people."""

from __future__ import annotations

import enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime

    from steplog._run import Run


class AlertLevel(str, enum.Enum):
    """How grave an alert is."""

    #: Good to know.
    INFO = "INFO"
    #: Worth a look.
    WARN = "WARN"
    #: Something is wrong.
    ERROR = "ERROR"


def alert(
    run: Run,
    title: str,
    text: str,
    level: str | AlertLevel | None,
    wait_duration: int | float | datetime.timedelta | None,
) -> None:
    """Check the types of an alert and record it."""
    from steplog.errors import InvalidDataError

    for argument, value in (("title", title), ("text", text)):
        if not isinstance(value, str):
            raise InvalidDataError(f"alert: {argument} is a {type(value).__name__}, not a str")
    if isinstance(level, AlertLevel):
        level = level.value
    if level is not None and not isinstance(level, str):
        raise InvalidDataError(f"alert: level is a {type(level).__name__}, not one of INFO, WARN, ERROR")
    seconds = _seconds(wait_duration)
    if seconds < 0:
        raise InvalidDataError(f"alert: wait_duration {wait_duration!r} is negative")
    run.tell(title, text, level or "INFO", seconds)


def _seconds(wait_duration: object) -> float:
    from steplog.errors import InvalidDataError

    if wait_duration is None:
        return 0.0
    if isinstance(wait_duration, (int, float)) and not isinstance(wait_duration, bool):
        return float(wait_duration)
    total = getattr(wait_duration, "total_seconds", None)
    if total is None:
        kind = type(wait_duration).__name__
        raise InvalidDataError(f"alert: wait_duration is a {kind}, not a number of seconds or a timedelta")
    return float(total())
