"""A run of a server."""

from __future__ import annotations

from copy import deepcopy

from steplog._api_console import ConsoleLine
from steplog._api_file import File, Files, name_list
from steplog._api_history import HistoryTable, _is_installed
from steplog._api_system import SystemTable
from steplog.errors import InvalidDataError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from steplog._artifact import Artifact
    from steplog._native import NativeApiRun

#: Columns that every row of a history has.
EVERY_ROW = ("_step", "_timestamp", "_runtime")

#: Entries of a summary that tell of the run itself.
OF_THE_RUN = ("_step", "_runtime")


class Summary(dict):  # type: ignore[type-arg]
    """The latest value of each metric or what was set by hand; nested ones as dicts.

    ``_step`` is the highest step with a row and ``_runtime`` the run's duration in seconds; neither can be changed.
    """

    def __init__(self, run: Run, values: dict[str, Any]) -> None:
        super().__init__(values)
        self._run = run

    def update(self, *changes: Any, **more: Any) -> None:
        """Set some values, and send all changes of the summary to the server.

        Raises:
            InvalidDataError: A value is no plain data.
            UsageError: ``_step`` or ``_runtime`` was changed.
            CommError: The server refuses, or does not answer.
        """
        super().update(*changes, **more)
        self._run._send(summary=True)

    @property
    def _json_dict(self) -> dict[str, Any]:
        # What scripts for other servers call a copy as plain dicts.
        return deepcopy(dict(self))


class Run:
    """A run as it was when it was read; made by ``Api.run()`` and ``Api.runs()``.

    ``name``, ``notes``, ``tags`` and ``group`` can be set, and ``config`` and ``summary`` changed like any dict;
    ``update()`` sends the changes. Changed config and summary values win over what the run says, even afterwards.

    Attributes:
        config: What the run was set up with, as a plain dict.
        summary: The latest value of each metric, as a dict.
        name: Name shown to people.
        notes: Notes, markdown.
        tags: Tags, in the order given.
        group: What runs that belong together have in common.
    """

    config: dict[str, Any]
    summary: Summary
    name: str
    notes: str | None
    tags: list[str]
    group: str | None

    def __init__(self, native: NativeApiRun) -> None:
        self._native = native
        self._take()

    def _take(self) -> None:
        """Takes over what the native run has."""
        self._info: dict[str, Any] = self._native.info()
        self.name, self.notes, self.group = self._info["name"], self._info["notes"], self._info["group"]
        self.tags = list(self._info["tags"])
        self.config = self._native.config()
        summary = self._native.summary()
        if self._info["last_step"] is not None:
            summary.update(_step=self._info["last_step"], _runtime=self._info["duration"])
        self._config_before, self._summary_before = deepcopy(self.config), deepcopy(summary)
        self.summary = Summary(self, summary)

    @property
    def id(self) -> str:
        """Unique in its project."""
        return str(self._info["id"])

    @property
    def entity(self) -> str:
        """User or team."""
        return str(self._info["entity"])

    @property
    def project(self) -> str:
        """Project."""
        return str(self._info["project"])

    @property
    def path(self) -> list[str]:
        """Entity, project and id."""
        return [self.entity, self.project, self.id]

    @property
    def url(self) -> str:
        """The run's page on the server."""
        return self._native.url

    @property
    def state(self) -> str:
        """``running``, ``finished``, ``failed``, or ``crashed``: it went silent without a word."""
        return str(self._info["state"])

    @property
    def job_type(self) -> str | None:
        """What kind of work, such as ``train`` or ``eval``."""
        return self._text("job_type")

    @property
    def sweep_id(self) -> str | None:
        """The sweep that the run belongs to."""
        return self._text("sweep_id")

    @property
    def created_at(self) -> str:
        """When it began: ISO 8601 in UTC, such as ``2026-03-01T12:30:00Z``."""
        return str(self._info["created_at_iso"])

    @property
    def updated_at(self) -> str:
        """When data or a sign of life last came: ISO 8601 in UTC."""
        return str(self._info["updated_at_iso"])

    heartbeat_at = updated_at

    @property
    def finished_at(self) -> str | None:
        """When it ended: ISO 8601 in UTC."""
        return self._text("finished_at_iso")

    @property
    def start_time(self) -> float:
        """When it began, in Unix seconds."""
        return float(self._info["created_at"])

    @property
    def duration(self) -> float:
        """From its start to its end, or to the last sign of life, in seconds."""
        return float(self._info["duration"])

    @property
    def exit_code(self) -> int | None:
        """Exit code of the process, once it ended."""
        code = self._info["exit_code"]
        return None if code is None else int(code)

    @property
    def last_step(self) -> int:
        """Highest step with a row; -1 when there is none."""
        step = self._info["last_step"]
        return -1 if step is None else int(step)

    lastHistoryStep = last_step  # What scripts for other servers call it.

    @property
    def row_count(self) -> int:
        """How many rows were logged."""
        return int(self._info["row_count"])

    @property
    def metadata(self) -> dict[str, Any]:
        """Command, host, versions: what the client said of its surroundings. A run of a list asks the server for it.

        Raises:
            CommError: No server answers.
        """
        return self._native.environment()

    def _text(self, name: str) -> str | None:
        text = self._info[name]
        return None if text is None else str(text)

    def load(self, force: bool = False) -> None:
        """Read the run again; changes that were not sent are lost.

        Args:
            force: Without it nothing happens: a run is read when it is made.

        Raises:
            NotFoundError: It was removed.
            CommError: No server answers.
        """
        if force:
            self._native.reload()
            self._take()

    def update(self) -> None:
        """Send all changes of ``name``, ``notes``, ``tags``, ``group``, ``config`` and ``summary`` to the server.

        The run is then as the server has it.

        Raises:
            InvalidDataError: A value is not allowed; nothing was changed.
            UsageError: ``_step`` or ``_runtime`` of the summary was changed.
            NotFoundError: The run was removed.
            CommError: The server refuses, or does not answer.
        """
        self._send(summary=True, config=True, rest=True)

    save = update

    def _send(self, *, summary: bool = False, config: bool = False, rest: bool = False) -> None:
        changes: dict[str, Any] = {}
        if rest:
            changes = self._changed_members()
        if config:
            changes["set_config"], changes["remove_config"] = self._changed_config()
        if summary:
            changes["set_summary"], changes["remove_summary"] = self._changed_summary()
        if not any((value is not None and value != []) or name == "tags" for name, value in changes.items()):
            return
        # What was not sent stays as it is here.
        unsent = (self.name, self.notes, self.tags, self.group, self.config)
        before = self._config_before
        self._native.update(**changes)
        self._take()
        if not rest:
            self.name, self.notes, self.tags, self.group = unsent[:4]
        if not config:
            self.config, self._config_before = unsent[4], before

    def _changed_members(self) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        for member in ("name", "notes", "group"):
            value = getattr(self, member)
            if value is not None and not isinstance(value, str):
                raise InvalidDataError(f"{member} is a {type(value).__name__}, not a str")
            if value != self._info[member]:
                changes[member] = value or ""
        if isinstance(self.tags, str) or not all(isinstance(tag, str) for tag in self.tags):
            raise InvalidDataError("tags must be a list of str")
        if list(self.tags) != self._info["tags"]:
            changes["tags"] = list(self.tags)
        return changes

    def _changed_config(self) -> tuple[list[tuple[str, Any]], list[str]]:
        new, old = self.config, self._config_before
        _check_keys("config", new)
        changed = [(key, value) for key, value in new.items() if key not in old or _differs(old[key], value)]
        return changed, [key for key in old if key not in new]

    def _changed_summary(self) -> tuple[list[tuple[list[str], Any]], list[list[str]]]:
        changed: list[tuple[list[str], Any]] = []
        removed: list[list[str]] = []
        _compare([], dict(self.summary), self._summary_before, changed, removed)
        for path in [path for path, _ in changed] + removed:
            if path[0] in OF_THE_RUN:
                raise UsageError(f"summary[{path[0]!r}] tells of the run itself and cannot be changed")
        return changed, removed

    def delete(self) -> None:
        """Remove the run with all its data; what its process still sends is refused.

        Raises:
            NotFoundError: It is gone already.
            CommError: The server refuses, or does not answer.
        """
        self._native.delete()

    def stop(self) -> None:
        """Ask the training process to stop, as Ctrl-C would.

        Raises:
            NotFoundError: The run was removed.
            CommError: The server refuses, or does not answer.
        """
        self._native.update(stop=True)

    def history(
        self,
        samples: int = 500,
        keys: Iterable[str] | None = None,
        x_axis: str = "_step",
        pandas: bool = True,
        stream: str = "default",
    ) -> Any:
        """Some rows from all over the run, in the order of their steps; none of the extremes is hidden.

        All rows when there are no more than ``samples``. Else the server takes them in buckets of equally many and
        answers of each the last row and, for every key, the rows with the lowest value, the highest and the first NaN.
        More than ``samples`` come only where many keys need them: name the keys that matter.

        Args:
            samples: At most so many rows: 1 to 1,000,000.
            keys: Only these metrics, and only rows that have all of them. Default: all metrics, and rows with any.
            x_axis: The column in front: ``_step``, ``_timestamp``, ``_runtime``, or a metric that a row must have.
            pandas: Whether to answer a ``pandas.DataFrame``, where pandas is installed.
            stream: ``default`` for what was logged; ``system`` (or ``events``) for what the machines were busy with,
                such as ``cpu``: then a row is a sample, and of more than ``samples`` come some at even distances.

        Returns:
            A ``pandas.DataFrame``, or a list of dicts.

        Raises:
            InvalidDataError: An argument is not allowed.
            NotFoundError: The run was removed.
            CommError: The server refuses, or does not answer.
        """
        table: HistoryTable | SystemTable
        if stream in ("system", "events"):
            table = self._system_table(keys, x_axis, samples)
        elif stream == "default":
            table = self._table(keys, x_axis, samples, None, None)
        else:
            raise InvalidDataError(f"stream must be 'default' or 'system', not {stream!r}")
        return table.to_pandas() if pandas and _is_installed("pandas") else table.to_dicts()

    def system_table(self) -> SystemTable:
        """What its machines were busy with, for pandas, polars, Arrow, or a file. Nothing is read yet."""
        return SystemTable(self._native)

    def console(self, output: str | None = None, *, colours: bool = False) -> str:
        """Everything that its processes printed, as one text; for long ones see ``console_lines``.

        Args:
            output: Only ``stdout`` or ``stderr``. Default: both.
            colours: Whether to keep the escape sequences for colours.

        Raises:
            InvalidDataError: ``output`` is another one.
            NotFoundError: The run was removed.
            CommError: The server refuses, or does not answer.
        """
        return self._native.download_console("ansi" if colours else "text", output).read().decode()

    def console_lines(
        self,
        output: str | None = None,
        search: str | None = None,
        *,
        regex: bool = False,
        case_sensitive: bool = False,
        stream: str | None = None,
        start: int = 0,
        page_size: int = 1000,
    ) -> Iterator[ConsoleLine]:
        """The lines that its processes printed, read in pages as they are asked for.

        The lines of a process stand in the order in which they began, those of several are merged by time. A line that
        was written again, as progress bars are, has its last text.

        Args:
            output: Only ``stdout`` or ``stderr``. Default: both.
            search: Only lines that contain this; colours are looked through.
            regex: Whether ``search`` is a regular expression, in the syntax of Rust's ``regex``.
            case_sensitive: Whether upper and lower case differ in ``search``.
            stream: Only lines of this process: ``ConsoleLine.stream`` of one of its lines.
            start: Place of the first line among those that match; negative from the end on, as in slices.
            page_size: Lines in each request: 1 to 5,000.

        Raises:
            InvalidDataError: An argument is not allowed.
            NotFoundError: The run was removed, or has no such process.
            CommError: The server refuses, or does not answer.
        """
        _check_count("page_size", page_size, 5000)
        pages = self._native.console(
            output=output,
            stream=stream,
            search=search,
            regex=regex,
            case_sensitive=case_sensitive,
            start=start,
            page_size=page_size,
        )

        def lines() -> Iterator[ConsoleLine]:
            while page := pages.next_page():
                yield from (ConsoleLine(*line) for line in page)

        return lines()

    def scan_history(
        self,
        keys: Iterable[str] | None = None,
        page_size: int = 1000,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Every row as a dict, in the order of their steps, read in pages as they are asked for.

        Non-finite numbers are floats. Rows come as JSON: see ``HistoryTable.to_dicts``.

        Args:
            keys: Only these keys, and only rows that have all of them. ``_step``, ``_timestamp`` and ``_runtime`` may
                be among them. Default: everything.
            page_size: Rows in each request: 1 to 1,000,000.
            min_step: Lowest step.
            max_step: The step to end before.

        Raises:
            InvalidDataError: An argument is not allowed.
            NotFoundError: The run was removed.
            CommError: The server refuses, or does not answer.
        """
        wanted = _key_list(keys)
        _check_count("page_size", page_size)
        to_step = None if max_step is None else max_step - 1
        pages = self._native.rows(keys=wanted, columns=wanted, from_step=min_step, to_step=to_step, page_size=page_size)

        def rows() -> Iterator[dict[str, Any]]:
            while page := pages.next_page():
                yield from page

        return rows()

    def history_table(
        self,
        keys: Iterable[str] | None = None,
        samples: int | None = None,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> HistoryTable:
        """All rows, or some, for pandas, polars, Arrow, or a file. Nothing is read yet.

        Args:
            keys: Only these metrics, and only rows that have all of them. Default: all metrics, and rows with any.
            samples: At most so many rows, chosen as ``history`` does. Default: all rows.
            min_step: Lowest step.
            max_step: The step to end before.

        Raises:
            InvalidDataError: An argument is not allowed.
        """
        return self._table(keys, None, samples, min_step, max_step)

    def _system_table(self, keys: Iterable[str] | None, x_axis: str, samples: int) -> SystemTable:
        wanted = _key_list(keys)
        _check_count("samples", samples)
        if x_axis not in EVERY_ROW:
            raise InvalidDataError(f"x_axis of system metrics must be one of {', '.join(EVERY_ROW)}, not {x_axis!r}")
        columns = None if wanted is None else list(dict.fromkeys([x_axis, *wanted]))
        return SystemTable(self._native, columns, samples)

    def _table(
        self,
        keys: Iterable[str] | None,
        x_axis: str | None,
        samples: int | None,
        min_step: int | None,
        max_step: int | None,
    ) -> HistoryTable:
        wanted, columns = _key_list(keys), None
        if samples is not None:
            _check_count("samples", samples)
        if x_axis is not None and not isinstance(x_axis, str):
            raise InvalidDataError(f"x_axis is a {type(x_axis).__name__}, not a str")
        if wanted is not None:
            columns = list(dict.fromkeys([x_axis or "_step", *wanted]))
            wanted = columns
        elif x_axis is not None and x_axis not in EVERY_ROW:
            raise InvalidDataError(f"x_axis={x_axis!r} needs keys: the metrics to be read beside it")
        return HistoryTable(
            self._native, wanted, columns, samples, min_step, None if max_step is None else max_step - 1
        )

    def logged_artifacts(self, per_page: int = 100) -> list[Artifact]:
        """The versions of artifacts that the run made, newest first; at most 1,000.

        Args:
            per_page: Accepted for old scripts; changes nothing.

        Raises:
            CommError: The server refuses, or does not answer.
        """
        return self._artifacts(False)

    def used_artifacts(self, per_page: int = 100) -> list[Artifact]:
        """The versions of artifacts that the run used, newest first; at most 1,000.

        Args:
            per_page: Accepted for old scripts; changes nothing.

        Raises:
            CommError: The server refuses, or does not answer.
        """
        return self._artifacts(True)

    def _artifacts(self, used: bool) -> list[Artifact]:
        from steplog._artifact import Artifact

        return [Artifact._of(native) for native in self._native.artifacts(used)]

    def files(self, names: Iterable[str] | None = None, per_page: int = 50, *, prefix: str = "") -> Files:
        """Its files by name, read in pages as they are asked for.

        Args:
            names: Only those with these names; names that it does not have are passed over. Default: all.
            per_page: Files in each request: 1 to 10,000.
            prefix: Only those whose name begins so, such as ``plots/``.

        Raises:
            InvalidDataError: An argument is not allowed.
            NotFoundError: The run was removed (when files are asked for).
            CommError: The server refuses, or does not answer (when files are asked for).
        """
        _check_count("per_page", per_page, 10_000)
        if not isinstance(prefix, str):
            raise InvalidDataError(f"prefix is a {type(prefix).__name__}, not a str")
        return Files(self._native, name_list(names), prefix, per_page)

    def file(self, name: str) -> File:
        """One of its files.

        Args:
            name: Folders and name, joined by ``/``.

        Raises:
            InvalidDataError: No file can have this name.
            NotFoundError: There is no such file, or the run was removed.
            CommError: The server refuses, or does not answer.
        """
        if not isinstance(name, str):
            raise InvalidDataError(f"the file name {name!r} is a {type(name).__name__}, not a str")
        return File(self._native.file(name))

    def __repr__(self) -> str:
        return f"<steplog.api.Run {'/'.join(self.path)} ({self.state})>"


def _key_list(keys: Iterable[str] | None) -> list[str] | None:
    if keys is None:
        return None
    listed = [keys] if isinstance(keys, str) else list(keys)
    for key in listed:
        if not isinstance(key, str):
            raise InvalidDataError(f"the key {key!r} is a {type(key).__name__}, not a str")
    if not listed:
        raise InvalidDataError("keys is empty: leave it out for all")
    return listed


def _check_count(name: str, count: int, most: int = 1_000_000) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= most:
        raise InvalidDataError(f"{name} must be 1 to {most}, not {count!r}")


def _check_keys(noun: str, entries: dict[Any, Any]) -> None:
    for key in entries:
        if not isinstance(key, str):
            raise InvalidDataError(f"the {noun} key {key!r} is a {type(key).__name__}, not a str")


def _differs(old: Any, new: Any) -> bool:
    """Whether a value was changed; NaN is the same as NaN, and True another one than 1."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() != new.keys() or any(_differs(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) != len(new) or any(_differs(a, b) for a, b in zip(old, new, strict=True))
    if isinstance(old, float) and isinstance(new, float) and old != old:
        return new == new
    if type(old) is not type(new):
        return True
    return bool(old != new)


def _compare(
    path: list[str],
    new: dict[str, Any],
    old: dict[str, Any],
    changed: list[tuple[list[str], Any]],
    removed: list[list[str]],
) -> None:
    """Finds the leaves and whole maps that differ."""
    _check_keys("summary", new)
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict) and value:
            _compare([*path, key], value, before, changed, removed)
        elif key not in old or _differs(before, value):
            changed.append(([*path, key], value))
    removed.extend([*path, key] for key in old if key not in new)
