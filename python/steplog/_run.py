"""A live run."""

from __future__ import annotations

import os

from steplog._argument import EXIT_CODES, tag_list, text
from steplog._config import Config, StaticConfig
from steplog._native import NativeRun
from steplog._summary import Summary
from steplog.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any, SupportsIndex

    from steplog._alert import AlertLevel
    from steplog._artifact import Artifact
    from steplog._history import History
    from steplog._metric import Metric
    from steplog._settings import Settings


# Properties of the same name hide these setters of the native class.
_set_name = vars(NativeRun)["name"].__set__
_set_notes = vars(NativeRun)["notes"].__set__


class Run(NativeRun):
    """A run that is being recorded; made by ``steplog.init()``.

    Threads and forked children may log to it; a pickled run is the same run in another process. As a context manager it
    is finished at the end of the block, with exit code 1 if an exception left it.

    Of its attributes only ``name``, ``notes`` and ``tags`` can be set. After ``finish`` everything can still be read,
    and calls that would record something raise ``UsageError``.
    """

    __slots__ = ("_config",)
    _config: Config

    if TYPE_CHECKING:
        # The native method as it is: a Python function around it would cost as much again. What help() shows is written
        # beside the native one, and a test keeps the two the same.
        def log(
            self,
            data: Any,
            step: SupportsIndex | None = None,
            commit: bool | None = None,
            sync: bool | None = None,
        ) -> None:
            """Log a row: metrics by key.

            Nested dicts are flattened: each leaf is a metric of its own. The call waits for no disk and no network,
            and what it returned from survives ``kill -9`` of the process. A refused row loses nothing else.

            Args:
                data: A mapping from str to numbers, booleans, text, None, times, enums, dataclasses, lists and
                    dicts of such, and scalars and arrays of NumPy, PyTorch, JAX and TensorFlow. Of an array of more
                    than 32 numbers a histogram is kept. At most 4,096 bytes in a key, 1 MiB in a text, 64 levels of
                    nesting.
                step: The row's step. Default: the run's, which then goes up by one. At or above the run's step the
                    row stays open for more and the run's step moves there; below, it is a late row and the run's
                    step stays.
                commit: Whether the row is complete. Default: yes, unless a step is given.
                sync: Accepted for old scripts; changes nothing.

            Raises:
                InvalidDataError: Something in the row cannot be logged; nothing of this call was.
                UsageError: The run is finished.
            """

    @property
    def config(self) -> Config:
        """What the run was set up with; keys can be set, as items and as attributes."""
        try:
            return self._config
        except AttributeError:
            return self._open_config()

    def _open_config(self, allow_val_change: bool = False) -> Config:
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
    def id(self) -> str:
        """Id, unique in the project: the one given to ``init``, else 8 random characters ``a-z0-9``."""
        return super().id

    @property
    def name(self) -> str | None:
        """Name shown to people; need not be unique. ``None`` when none was given: a server then makes one up."""
        return super().name

    @name.setter
    def name(self, name: str) -> None:
        _set_name(self, text("name", name))

    @property
    def notes(self) -> str | None:
        """Notes, markdown with maths in ``$$``; kept verbatim. ``None`` when there are none."""
        return super().notes

    @notes.setter
    def notes(self, notes: str) -> None:
        _set_notes(self, text("notes", notes))

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags, in the order given, 1 to 64 characters each; ``()`` when there are none."""
        return tuple(self.tag_list)

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        self.set_tag_list(tag_list(tags))

    @property
    def project(self) -> str:
        """Project; ``uncategorized`` when none was named."""
        return super().project

    @property
    def entity(self) -> str:
        """User or team; ``local`` when neither the script nor ``steplog login`` named one."""
        return super().entity

    @property
    def path(self) -> str:
        """``entity/project/id``."""
        return super().path

    @property
    def group(self) -> str:
        """Name that runs which belong together have in common; empty when there is none."""
        return super().group

    @property
    def job_type(self) -> str:
        """What kind of work, such as ``train`` or ``eval``; empty when nothing was said."""
        return super().job_type

    @property
    def sweep_id(self) -> str | None:
        """The sweep that the run belongs to."""
        return super().sweep_id

    @property
    def label(self) -> str | None:
        """What this process is called, where several write one run (``mode="shared"``)."""
        return super().label

    @property
    def start_time(self) -> float:
        """When this process began to record, in Unix seconds."""
        return super().start_time

    @property
    def step(self) -> int:
        """The step of the next row that is logged without one; that of the open row, if there is one."""
        return super().step

    @property
    def starting_step(self) -> int:
        """The first step of this process: 0, or the one after the last of the run that it goes on with."""
        return super().starting_step

    @property
    def resumed(self) -> bool:
        """Whether the run was there before, and this process goes on with it."""
        return super().resumed

    @property
    def finished(self) -> bool:
        """Whether ``finish`` was called."""
        return super().finished

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

    @property
    def url(self) -> str | None:
        """The run's page on the server; ``None`` unless the run is online. It is known without asking the server."""
        return super().url

    @property
    def project_url(self) -> str | None:
        """The project's page on the server; ``None`` unless the run is online."""
        return super().project_url

    @property
    def sweep_url(self) -> str | None:
        """The sweep's page on the server; ``None`` unless the run is online and belongs to a sweep."""
        return super().sweep_url

    @property
    def sync_dir(self) -> str:
        """The folder that ``steplog sync`` sends: journals and files. A disabled run has ``/``."""
        folder = self.folder
        return os.path.dirname(folder) if folder is not None else "/"

    @property
    def settings(self) -> Settings:
        """A copy of the settings that ``init`` was given."""
        from steplog import _session

        return _session.settings_of(self)

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

    def save(
        self,
        glob_str: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
        base_path: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
        policy: str = "live",
        glob: bool = True,
    ) -> bool | list[str]:
        """Save files with the run.

        They are put into ``run.dir`` as links, and go to the server in the background.

        Args:
            glob_str: A path, or one with the shell's ``*``, ``?``, ``[…]`` and ``**`` (any number of folders). A folder
                that is named without them stands for everything in it. What is in ``run.dir`` already under the same
                path belongs to it. ``None``: nothing is done.
            base_path: Folders below this one are kept: ``data/a/x.txt`` with the base ``data`` is ``a/x.txt`` in the
                run. Default: the working directory; for an absolute path the folder above the one with the files.
            policy: When they are uploaded: ``"live"`` whenever they change, ``"now"`` once, ``"end"`` at the run's end.
            glob: Whether ``*``, ``?`` and ``[…]`` mean other characters than themselves.

        Returns:
            The paths in ``run.dir``, absolute and sorted; ``[]`` when nothing was found, when the place is not on this
            machine (``s3://``, ``gs://``), and for a disabled run. ``True`` without a ``glob_str``.

        Raises:
            InvalidDataError: The policy is unknown, an argument has another type, or the path is above its base or does
                not begin with it.
            IsADirectoryError: A folder of the run stands where the link should be.
            UsageError: The run is finished.
        """
        from steplog import _save

        return _save.save(self, glob_str, base_path, policy, glob)

    def watch(
        self,
        models: Any,
        criterion: Any = None,
        log: str | None = "gradients",
        log_freq: int = 1000,
        idx: int | None = None,
        log_graph: bool = False,
    ) -> None:
        """Log histograms of the gradients and parameters of PyTorch models while they train.

        They are added to the open row as ``gradients/<name>`` and ``parameters/<name>``, in 64 bins from the lowest to
        the highest number; NaN and infinities are not counted. Gradients are those of one backward pass, parameters
        those after a forward pass of the model itself that gradients may be asked of. The names are the model's, also
        behind ``DistributedDataParallel`` and ``torch.compile``; watch what these answer. Watching ends with the run.
        With ``STEPLOG_WATCH=false`` in the environment nothing is watched.

        Args:
            models: A ``torch.nn.Module``, or a list of them. From the run's second model on, names begin with
                ``graph_N.``, N being the model's number from 0.
            criterion: The loss function, to be named with the graph.
            log: ``"gradients"``, ``"parameters"``, ``"all"``, or ``None`` for neither.
            log_freq: How many batches there are from one histogram to the next.
            idx: The number of the first model. Default: that of models which the run watches already.
            log_graph: Whether the layers of the model, with their shapes, are kept as a file of the run once it was
                called; the summary's ``graph_N`` says which.

        Raises:
            InvalidDataError: ``log`` is something else, a model is no ``torch.nn.Module`` or is watched already.
            Error: PyTorch is not installed, or the run is finished.
        """
        from steplog import _watch

        _watch.watch(self, models, criterion, log, log_freq, idx, log_graph)

    def unwatch(self, models: Any = None) -> None:
        """Stop watching models.

        Args:
            models: A ``torch.nn.Module``, or a list of them. Default: all that the run watches.

        Raises:
            InvalidDataError: A model is no ``torch.nn.Module``.
            Error: PyTorch is not installed.
        """
        from steplog import _watch

        _watch.unwatch(self, models)

    def log_code(
        self,
        root: str | os.PathLike[str] | None = ".",
        name: str | None = None,
        include_fn: Callable[..., bool] | None = None,
        exclude_fn: Callable[..., bool] | None = None,
    ) -> list[str]:
        """Keep the code that the run is made with: copies of it go to ``code/`` among the run's files.

        Args:
            root: The folder with the code. Hidden folders below it, and those of caches and environments, are passed
                over.
            name: A folder in ``code/`` for this code. Default: ``code/`` itself.
            include_fn: Whether a file is kept, asked with its path, or with its path and ``root``. Default: files that
                end in ``.py``, ``.pyi`` or ``.ipynb``.
            exclude_fn: Whether a file is left out all the same, asked alike. Default: none is.

        Returns:
            The paths in ``run.dir``, absolute and sorted.

        Raises:
            InvalidDataError: There is no such folder, or the name is none of a folder.
            UsageError: The run is finished.
        """
        from steplog import _code

        return _code.log_code(self, root, name, include_fn, exclude_fn)

    def log_artifact(
        self,
        artifact_or_path: Artifact | str | os.PathLike[str],
        name: str | None = None,
        type: str | None = None,
        aliases: Iterable[str] | str | None = None,
        tags: Iterable[str] | str | None = None,
    ) -> Artifact:
        """Make a version that this run made: of a draft, or of a file, a folder or a URI.

        It is on disk when this returns; where there is a server, it is sent in the background, and ``wait()`` of the
        artifact waits for that. A draft whose content the newest version has already gets that version, and the aliases
        move to it.

        Args:
            artifact_or_path: An ``Artifact``; or the path of a file or folder; or a URI, to be added as a reference.
            name: Name of what is no ``Artifact``. Default: ``run-<id>-`` and the last part of the path.
            type: Type of what is no ``Artifact``. Default: ``unspecified``.
            aliases: Aliases that come to point at it, beside ``latest``.
            tags: Tags that it gets, beside its own.

        Returns:
            The artifact: the one that was given, or the one that was made.

        Raises:
            InvalidDataError: There is no such file or folder, an argument is not allowed, or the collection has
                another type.
            UsageError: The run is finished.
            Error: The disk refuses.
        """
        from steplog import _artifact_log

        return _artifact_log.log_artifact(self, artifact_or_path, name, type, aliases, tags)

    def use_artifact(
        self, artifact_or_name: Artifact | str, type: str | None = None, aliases: Iterable[str] | str | None = None
    ) -> Artifact:
        """Take a version as an input of this run; ``download()`` of it brings its files.

        It is looked for on the server, if there is one, else below the run's own folder.

        Args:
            artifact_or_name: ``name``, ``name:version`` or ``name:alias``, or a digest, each with ``project/`` or
                ``entity/project/`` in front or not; without a version it is ``latest``. Or an ``Artifact``; a draft is
                logged first.
            type: What it must be.
            aliases: Aliases that come to point at it.

        Returns:
            The artifact.

        Raises:
            InvalidDataError: It has another type, or an argument is not allowed.
            NotFoundError: There is none of that name.
            UsageError: The run is finished.
            CommError: The server refuses.
        """
        from steplog import _artifact_log

        return _artifact_log.use_artifact(self, artifact_or_name, type, aliases)

    def link_artifact(self, artifact: Artifact, target_path: str, aliases: Iterable[str] | str | None = None) -> None:
        """Link a version into a collection of a registry, where it gets a number and aliases of its own.

        It is on disk when this returns, and is done on the server, if there is one, in the background;
        ``Artifact.link`` does it at once.

        Args:
            artifact: The version; a draft is logged first.
            target_path: ``registry/collection``, or ``entity/registry/collection``; made when it is not there.
            aliases: Aliases that it gets there, such as ``production``, beside ``latest``.

        Raises:
            InvalidDataError: An argument is not allowed.
            UsageError: The run is finished.
            Error: The disk refuses.
        """
        from steplog import _artifact_log

        _artifact_log.link_artifact(self, artifact, target_path, aliases)

    def log_model(
        self, path: str | os.PathLike[str], name: str | None = None, aliases: Iterable[str] | str | None = None
    ) -> Artifact:
        """Make a version, of the type ``model``, of a file or folder.

        Args:
            path: Path of the file or folder.
            name: Name of the collection. Default: ``run-<id>-`` and the last part of the path.
            aliases: Aliases that come to point at it, beside ``latest``.

        Returns:
            The artifact.

        Raises:
            InvalidDataError: There is no such file or folder, or an argument is not allowed.
            UsageError: The run is finished.
            Error: The disk refuses.
        """
        from steplog import _artifact_log

        return _artifact_log.log_model(self, path, name, aliases)

    def use_model(self, name: str) -> str:
        """Take a model as an input of this run, and bring its files to this disk.

        Args:
            name: As of ``use_artifact``.

        Returns:
            Path of its file; of a model of several, their folder.

        Raises:
            InvalidDataError: It is no model: its type does not have ``model`` in it.
            NotFoundError: There is none of that name.
            UsageError: The run is finished.
            CommError: The server refuses, or does not answer.
        """
        from steplog import _artifact_log

        return _artifact_log.use_model(self, name)

    def link_model(
        self,
        path: str | os.PathLike[str],
        registered_model_name: str,
        name: str | None = None,
        aliases: Iterable[str] | str | None = None,
    ) -> Artifact:
        """Make a version, of the type ``model``, of a file or folder, and link it into a registry.

        Args:
            path: Path of the file or folder.
            registered_model_name: Collection of the registry ``model-registry``.
            name: Name of the collection that it is logged into. Default: ``run-<id>-`` and the last part of the path.
            aliases: Aliases that it gets in the registry, such as ``production``, beside ``latest``.

        Returns:
            The artifact, as it was logged.

        Raises:
            InvalidDataError: There is no such file or folder, or an argument is not allowed.
            UsageError: The run is finished.
            Error: The disk refuses.
        """
        from steplog import _artifact_log

        return _artifact_log.link_model(self, path, registered_model_name, name, aliases)

    def logged_artifacts(self) -> list[Artifact]:
        """The versions that this run made: where there is a server, those that it has; newest first.

        Raises:
            CommError: The server refuses.
        """
        from steplog._artifact import Artifact

        return [Artifact._of(native) for native in self.list_artifacts(False)]

    def used_artifacts(self) -> list[Artifact]:
        """The versions that this run used: where there is a server, those that it knows of; newest first.

        Raises:
            CommError: The server refuses.
        """
        from steplog._artifact import Artifact

        return [Artifact._of(native) for native in self.list_artifacts(True)]

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

    def mark_preempting(self) -> None:
        """Say that this process is about to be taken off its machine, and that the run will be resumed.

        The run then shows as preempted, not as crashed, until a process goes on with it.

        Raises:
            UsageError: The run is finished.
        """
        super().mark_preempting()

    def status(self) -> RunStatus:
        """How far the server has what this process wrote; asks nobody, and can be called at any time."""
        return RunStatus(*self.sync_state())

    def finish(self, exit_code: int | None = None) -> None:
        """End the run.

        Completes the open row, records the exit code and waits, with a progress bar, until the server has everything or
        ``finish_timeout`` is over; then the journal stays on disk and ``steplog sync`` sends the rest. Ctrl-C ends the
        waiting. A second call does nothing. Called at the end of the script by itself.

        Args:
            exit_code: 0 for a run that ended well. Default: that of the process as far as it is known, else 0.

        Raises:
            InvalidDataError: The exit code is no int of 32 bits; the run stays open.
        """
        from steplog import _session

        _session.finish(self, exit_code)

    def join(self, exit_code: int | None = None) -> None:
        """Do what ``finish`` does, under its old name."""
        self.finish(exit_code)

    def display(self, height: int = 420, hidden: bool = False) -> bool:
        """Show the run's live charts below the cell of a notebook, as a cell that ends with ``run`` does.

        Args:
            height: Height of the frame, in pixels.
            hidden: Whether it is folded up at first.

        Returns:
            Whether there is a notebook to show it in.
        """
        from steplog import _notebook

        return _notebook.display(self, height, hidden)

    def to_html(self, height: int = 420, hidden: bool = False) -> str:
        """Make a piece of HTML that shows the run.

        With a server that answers it is a frame with the run's live charts. Without one it is a small table of its
        metrics, each with a line that shows how it went, as far as this process logged them.

        Args:
            height: Height of the frame, in pixels.
            hidden: Whether it is folded up at first.

        Returns:
            The HTML.
        """
        from steplog import _notebook

        return _notebook.to_html(self, height, hidden)

    def _repr_html_(self) -> str:
        return self.to_html()

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
            # What is redirected here is redirected in the processes that this one starts.
            "console": "off" if self.console_word == "redirect" else self.console_word,
        }
        return _session.attach, (self.path, arguments)

    def __repr__(self) -> str:
        return f"<steplog.Run {self.path} {self.name or ''}".rstrip() + ">"


class RunStatus:
    """How far the server has what a process wrote of a run; see ``Run.status``.

    Attributes:
        journal_bytes: Size of the journal, in bytes; while rows come, that of a moment ago.
        synced_bytes: How much of it the server has made durable.
        connected: Whether the server answered so far.
        synced_at: When it last took something, in Unix seconds; ``None`` when it took nothing yet.
    """

    __slots__ = ("connected", "journal_bytes", "synced_at", "synced_bytes")

    journal_bytes: int
    synced_bytes: int
    connected: bool
    synced_at: float | None

    def __init__(self, journal_bytes: int, synced_bytes: int, connected: bool, synced_at: float | None) -> None:
        self.journal_bytes = journal_bytes
        self.synced_bytes = synced_bytes
        self.connected = connected
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
        if not isinstance(code, int):
            return int(code is not None)
        if code in EXIT_CODES:
            return int(code)
        # What the operating system then shows of the process: its low byte, or that of -1 beyond 64 bits.
        return code & 0xFF if -(2**63) <= code < 2**63 else 0xFF
    return 1
