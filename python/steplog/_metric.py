"""What ``define_metric`` answers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from steplog._run import Run


class Metric:
    """A definition of a metric, or of all whose name begins alike."""

    __slots__ = ("hidden", "name", "step_metric", "step_sync", "summary")

    #: The metric; with a ``*`` at its end all that begin so.
    name: str
    #: The metric that is its natural x-axis.
    step_metric: str | None
    #: Whether rows that lack the step metric get its last value.
    step_sync: bool | None
    #: Whether charts of it are hidden unless asked for.
    hidden: bool | None
    #: What the summary shows of it.
    summary: tuple[str, ...] | None

    def __init__(
        self,
        name: str,
        step_metric: str | None,
        step_sync: bool | None,
        hidden: bool | None,
        summary: tuple[str, ...] | None,
    ) -> None:
        self.name, self.step_metric, self.step_sync = name, step_metric, step_sync
        self.hidden, self.summary = hidden, summary

    def __repr__(self) -> str:
        return f"<steplog.Metric {self.name}>"


def define(
    run: Run,
    name: str,
    step_metric: str | Metric | None,
    step_sync: bool | None,
    hidden: bool | None,
    summary: str | None,
    overwrite: bool | None,
) -> Metric:
    """Check the types of a definition and record it."""
    from steplog.errors import InvalidDataError

    if isinstance(step_metric, Metric):
        step_metric = step_metric.name
    wanted = {
        "name": (name, str, False),
        "step_metric": (step_metric, str, True),
        "step_sync": (step_sync, bool, True),
        "hidden": (hidden, bool, True),
        "summary": (summary, str, True),
        "overwrite": (overwrite, bool, True),
    }
    for argument, (value, kind, optional) in wanted.items():
        if not isinstance(value, kind) and not (optional and value is None):
            raise InvalidDataError(f"define_metric: {argument} is a {type(value).__name__}, not a {kind.__name__}")
    if step_sync is None and step_metric is not None:
        step_sync = True
    words = run.define(name, step_metric, step_sync, hidden, summary, bool(overwrite))
    return Metric(name, step_metric, step_sync, hidden, None if summary is None else tuple(words))
