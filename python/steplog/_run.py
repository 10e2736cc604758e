"""A live run."""

from __future__ import annotations

from steplog._config import Config, StaticConfig
from steplog._native import NativeRun
from steplog._summary import Summary
from steplog.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any

    from steplog._alert import AlertLevel
    from steplog._history import History
    from steplog._metric import Metric


class Run(NativeRun):
    """A run that is being recorded; made by ``steplog.init()``.

    Threads and forked children may log to it. As a context manager it is finished at the end of the block, with exit
    code 1 if an exception left it.
    """

    __slots__ = ("_config",)
    _config: Config

    @property
    def config(self) -> Config:
        """What the run was set up with."""
        try:
            return self._config
        except AttributeError:
            return self.open_config()

    def open_config(self, allow_val_change: bool = False) -> Config:
        """Make the run's config, in which keys may get other values if ``allow_val_change``; called by ``init``."""
        config = Config(self, allow_val_change)
        object.__setattr__(self, "_config", config)
        return config

    @property
    def config_static(self) -> StaticConfig:
        """A copy of the config as it is now, for reading only."""
        return StaticConfig(self.read_config())

    @property
    def summary(self) -> Summary:
        """The latest value of every metric, unless it was set by hand."""
        return Summary(self)

    @property
    def history(self) -> History:
        """The rows that this process logged."""
        from steplog._history import History

        return History(self)

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags, in the order given; 1 to 64 characters each."""
        return tuple(self.tag_list)

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        self.set_tag_list(list(tags))

    @property
    def mode(self) -> str:
        """``"online"``, ``"offline"``, ``"shared"`` or ``"disabled"``."""
        return self.mode_word

    @property
    def offline(self) -> bool:
        """Whether the run stays on this disk until ``steplog sync``."""
        return self.mode_word == "offline"

    @property
    def disabled(self) -> bool:
        """Whether nothing is kept."""
        return self.mode_word == "disabled"

    @property
    def dir(self) -> str:
        """The folder for the run's files: absolute, and there. A disabled run has ``/``."""
        folder = self.folder
        return folder if folder is not None else "/"

    def get_url(self) -> str | None:
        """The run's page on the server; ``None`` unless the run is online."""
        return self.url

    def get_project_url(self) -> str | None:
        """The project's page on the server; ``None`` unless the run is online."""
        return self.project_url

    def get_sweep_url(self) -> str | None:
        """The sweep's page on the server; ``None`` unless the run is online and belongs to a sweep."""
        return self.sweep_url

    def define_metric(
        self,
        name: str,
        step_metric: str | Metric | None = None,
        step_sync: bool | None = None,
        hidden: bool | None = None,
        summary: str | None = None,
        overwrite: bool | None = None,
    ) -> Metric:
        """Say something about a metric, for what is logged from now on.

        Args:
            name: The metric; with a ``*`` at its end all that begin so. The parts of a nested key are joined by ``.``.
            step_metric: The metric that is its natural x-axis.
            step_sync: Whether rows that have the metric and lack the step metric get its last value. Default: yes.
            hidden: Whether charts of it are hidden unless asked for. Default: no.
            summary: What the summary shows of it, a list such as ``"min,max"`` of ``min``, ``max``, ``mean``,
                ``first``, ``last``, ``none`` (nothing) and ``copy`` (the latest value itself). It then holds a dict:
                ``run.summary["loss"]["min"]``. Default: the latest value itself.
            overwrite: Whether an earlier definition of the same name is replaced as a whole. Default: only where this
                one says something.

        Raises:
            InvalidDataError: A name or an argument is not allowed.
            UsageError: The run is finished.
        """
        from steplog import _metric

        return _metric.define(self, name, step_metric, step_sync, hidden, summary, overwrite)

    def alert(
        self,
        title: str,
        text: str,
        level: str | AlertLevel | None = None,
        wait_duration: int | float | datetime.timedelta | None = None,
    ) -> None:
        """Tell people something.

        Args:
            title: Below 64 characters.
            text: Any text; kept verbatim.
            level: ``INFO`` (default), ``WARN`` or ``ERROR``.
            wait_duration: For how long further alerts with the same title are kept but not passed on: seconds or a
                ``timedelta``. Default, and for 0: one minute.

        Raises:
            InvalidDataError: An argument is not allowed.
            UsageError: The run is finished.
        """
        from steplog import _alert

        _alert.alert(self, title, text, level, wait_duration)

    def status(self) -> RunStatus:
        """How far the server has what this process wrote."""
        return RunStatus(*self.sync_state())

    def finish(self, exit_code: int | None = None) -> None:
        """End the run.

        Completes the open row, records the exit code (default 0) and waits, with a progress bar, until the server has
        everything or ``finish_timeout`` is over; then the journal stays on disk and ``steplog sync`` sends the rest.
        A second call does nothing.
        """
        from steplog import _session

        _session.finish(self, exit_code)

    def join(self, exit_code: int | None = None) -> None:
        """Do what ``finish`` does, under its old name."""
        self.finish(exit_code)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Finishing may take a while, so an error is shown before; it is shown again where it ends the script.
        if kind is not None and not issubclass(kind, (SystemExit, KeyboardInterrupt)):
            import traceback

            traceback.print_exception(kind, error, trace)
        self.finish(exit_code_of(kind, error))

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("name", "notes", "tags"):
            raise AttributeError(f"Attribute {name} is not supported on Run object.")
        if self.finished and not self.disabled:
            raise UsageError(f"{name}: the run is finished; begin another with init()")
        super().__setattr__(name, value)

    def __copy__(self) -> Run:
        return self

    def __deepcopy__(self, memo: Any) -> Run:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process writes a part of the same run, in a journal of its own.
        from steplog import _session

        arguments = {
            "project": self.project,
            "entity": self.entity,
            "id": self.id,
            "mode": self.mode_word,
            "group": self.group or None,
            "job_type": self.job_type or None,
            "dir": self.root,
            "attach": (self.stream, self.step),
        }
        return _session.attach, (self.path, arguments)

    def __repr__(self) -> str:
        return f"<steplog.Run {self.path} {self.name or ''}".rstrip() + ">"


class RunStatus:
    """How far the server has what a process wrote of a run."""

    __slots__ = ("connected", "journal_bytes", "synced_at", "synced_bytes")

    def __init__(self, journal_bytes: int, synced_bytes: int, connected: bool, synced_at: float | None) -> None:
        #: Size of the journal, in bytes.
        self.journal_bytes = journal_bytes
        #: How much of it the server has made durable.
        self.synced_bytes = synced_bytes
        #: Whether the server answered so far.
        self.connected = connected
        #: When it last took something, Unix seconds.
        self.synced_at = synced_at

    def __repr__(self) -> str:
        return f"<steplog.RunStatus {self.synced_bytes} of {self.journal_bytes} bytes>"


def exit_code_of(kind: type[BaseException] | None, error: BaseException | None) -> int:
    """The exit code of a process that ends with this exception."""
    if kind is None:
        return 0
    if issubclass(kind, KeyboardInterrupt):
        return 255
    if issubclass(kind, SystemExit):
        code = getattr(error, "code", None)
        return code if isinstance(code, int) else int(code is not None)
    return 1
