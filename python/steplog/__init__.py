"""Record machine-learning experiments.

>>> import steplog
>>> run = steplog.init(project="digits", config={"lr": 0.1})  # doctest: +SKIP
>>> run.log({"loss": 0.3})  # doctest: +SKIP
>>> run.finish()  # doctest: +SKIP

``log()`` copies the row into a memory-mapped journal and returns; a background thread sends it to the server. Whatever
``log()`` returned from survives ``kill -9``. Look at runs with ``steplog serve`` or, with no server, ``steplog ui``.
"""

from __future__ import annotations

from steplog import _absent
from steplog._native import __version__
from steplog.errors import (
    ArtifactFinalizedError,
    ArtifactNotLoggedError,
    AuthenticationError,
    CommError,
    ConfigError,
    Error,
    IntegrityError,
    InvalidDataError,
    NotFoundError,
    UsageError,
    WaitTimeoutError,
)

# Importing steplog must cost a few milliseconds, and `typing` alone costs ten: what only type checkers and `init` need
# is imported there.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    import os
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, SupportsIndex

    from steplog._alert import AlertLevel
    from steplog._artifact import Artifact
    from steplog._config import Config
    from steplog._histogram import Histogram
    from steplog._history import History
    from steplog._media.audio import Audio
    from steplog._media.classes import Classes
    from steplog._media.html import Html
    from steplog._media.image import Image
    from steplog._media.joined_table import JoinedTable
    from steplog._media.molecule import Molecule
    from steplog._media.object3d import Object3D
    from steplog._media.table import Table
    from steplog._media.video import Video
    from steplog._metric import Metric
    from steplog._run import Run
    from steplog._settings import Settings
    from steplog._summary import Summary
    from steplog.api import Api

__all__ = [
    "AlertLevel",
    "Api",
    "Artifact",
    "ArtifactFinalizedError",
    "ArtifactNotLoggedError",
    "Audio",
    "AuthenticationError",
    "Classes",
    "CommError",
    "Config",
    "ConfigError",
    "Error",
    "Histogram",
    "History",
    "Html",
    "Image",
    "IntegrityError",
    "InvalidDataError",
    "JoinedTable",
    "Metric",
    "Molecule",
    "NotFoundError",
    "Object3D",
    "Run",
    "Settings",
    "Summary",
    "Table",
    "UsageError",
    "Video",
    "WaitTimeoutError",
    "__version__",
    "alert",
    "as_wandb",
    "config",
    "define_metric",
    "finish",
    "init",
    "join",
    "link_artifact",
    "link_model",
    "log",
    "log_artifact",
    "log_code",
    "log_model",
    "login",
    "mark_preempting",
    "run",
    "save",
    "summary",
    "unwatch",
    "use_artifact",
    "use_model",
    "watch",
]

run: Run | None = None
"""The open run, or ``None``."""

config: Any = _absent.NoRun("config")
"""The open run's config; see ``Run.config``. Without a run, touching a key raises ``Error``."""

summary: Any = _absent.NoRun("summary")
"""The open run's summary; see ``Run.summary``. Without a run, touching a key raises ``Error``."""

# Methods of the open run, which init() puts here; without a run each raises `Error`.
globals().update(_absent.CALLS)


def init(
    project: str | None = None,
    entity: str | None = None,
    name: str | None = None,
    id: str | None = None,
    config: Any = None,
    tags: Iterable[str] | None = None,
    notes: str | None = None,
    group: str | None = None,
    job_type: str | None = None,
    dir: str | os.PathLike[str] | None = None,
    mode: str | None = None,
    resume: bool | str | None = None,
    reinit: bool | str | None = None,
    fork_from: str | None = None,
    resume_from: str | None = None,
    allow_val_change: bool | None = None,
    config_exclude_keys: Iterable[str] | None = None,
    config_include_keys: Iterable[str] | None = None,
    save_code: bool | None = None,
    sync_tensorboard: bool | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Run:
    """Begin a run; needs no server, and waits for none unless a run is resumed or forked.

    Args:
        project: Project; at most 128 bytes, none of ``/\\#?%:``. Default: ``STEPLOG_PROJECT``, else ``uncategorized``.
        entity: User or team. Default: ``STEPLOG_ENTITY``, else the one of ``steplog login``, else ``local``.
        name: Name shown to people. Default: ``STEPLOG_NAME``, else the server makes one up.
        id: Id, unique in the project. Default: ``STEPLOG_RUN_ID``, else 8 random characters.
        config: What the run is set up with: a dict, an object with attributes such as an ``argparse.Namespace``,
            flags of absl, or the path of a YAML file. Its keys win over those of ``config-defaults.yaml`` in the
            working directory. In such files an entry is ``key: value`` or ``key: {desc: text, value: value}``.
        tags: Tags, 1 to 64 characters each. Default: ``STEPLOG_TAGS``, separated by commas.
        notes: Notes, markdown. Default: ``STEPLOG_NOTES``.
        group: Runs that belong together. Default: ``STEPLOG_RUN_GROUP``.
        job_type: What kind of work, such as ``train`` or ``eval``. Default: ``STEPLOG_JOB_TYPE``.
        dir: The folder below which ``steplog/<project>/<id>/`` is made. Default: ``STEPLOG_DIR``, else the working
            directory.
        mode: ``online`` (default): to disk, and to a server as soon as one answers. ``offline``: to disk until
            ``steplog sync``. ``shared``: as ``online``, where several processes write the run of one ``id``, each with
            a ``label`` in its settings. ``disabled``: nowhere. Default: ``STEPLOG_MODE``.
        resume: Whether to go on with a run that is there already, on the server or below the same folder. ``"allow"``:
            go on with the run of this ``id``, or begin it. ``"must"``: it must be there. ``"never"``: it must not.
            ``"auto"`` or true: go on with the last run below the same folder that did not end well. Steps then go on
            behind the last, and config, summary, tags and notes are those of the run. Default: ``STEPLOG_RESUME``, else
            no.
        reinit: What to do while a run is open. ``"return_previous"`` or false: answer that run; the other arguments are
            not looked at. ``"finish_previous"`` or true: finish it first. ``"create_new"``: begin another beside it,
            which does not become ``steplog.run``. Default: answer it; in a notebook finish it.
        fork_from: ``"ID?_step=N"``: begin a new run with the history of another one up to step N, and with its config,
            where ``config`` says nothing else.
        resume_from: ``"ID?_step=N"``: go back to step N of a run and on from there; later rows do not count any more.
        allow_val_change: Whether config keys may get other values: later, and by ``config`` in a run that is gone on
            with. Default: no, the earlier values stay; in notebooks they may later.
        config_exclude_keys: Keys of ``config`` to leave out.
        config_include_keys: The only keys of ``config`` to take.
        save_code: Whether a copy of the main script is kept as ``code/`` among the run's files. Default:
            ``STEPLOG_SAVE_CODE``, else no.
        sync_tensorboard: Whether scalars that the script writes with tensorboardX or PyTorch for TensorBoard are logged
            too, each at its own step, with ``global_step`` beside them. Do not ``log`` with other steps then. Default:
            no.
        settings: A ``Settings``, or a dict of what that takes.

    Every variable may also begin with ``WANDB_``. What no argument and no variable says is looked up in
    ``steplog/settings`` below the working directory and in ``~/.config/steplog/settings``: lines such as
    ``project = digits``.

    Raises:
        InvalidDataError: A name, setting or config is not allowed.
        ConfigError: A config file is missing or wrong.
        UsageError: Arguments exclude each other, or the run to go on with is not there (or is, when it must not).
        CommError: The server had to be asked about a run and did not answer.
        Error: Neither the folder nor a temporary one can be written.
    """
    from steplog import _session

    return _session.init(
        config,
        settings,
        project=project,
        entity=entity,
        name=name,
        id=id,
        tags=tags,
        notes=notes,
        group=group,
        job_type=job_type,
        dir=dir,
        mode=mode,
        resume=resume,
        reinit=reinit,
        fork_from=fork_from,
        resume_from=resume_from,
        allow_val_change=allow_val_change,
        config_exclude_keys=config_exclude_keys,
        config_include_keys=config_include_keys,
        save_code=save_code,
        sync_tensorboard=sync_tensorboard,
    )


if TYPE_CHECKING:

    def log(data: Any, step: SupportsIndex | None = None, commit: bool | None = None, sync: bool | None = None) -> None:
        """Log a row to the open run; see ``Run.log``. Without a run it raises ``Error``."""

    def alert(
        title: str,
        text: str,
        level: str | AlertLevel | None = None,
        wait_duration: int | float | datetime.timedelta | None = None,
    ) -> None:
        """Tell people something about the open run; see ``Run.alert``. Without a run it raises ``Error``."""

    def define_metric(
        name: str,
        step_metric: str | Metric | None = None,
        step_sync: bool | None = None,
        hidden: bool | None = None,
        summary: str | None = None,
        overwrite: bool | None = None,
    ) -> Metric:
        """Define a metric of the open run; see ``Run.define_metric``. Without a run it raises ``Error``."""

    def log_code(
        root: str | os.PathLike[str] | None = ".",
        name: str | None = None,
        include_fn: Callable[..., bool] | None = None,
        exclude_fn: Callable[..., bool] | None = None,
    ) -> list[str]:
        """Keep the code of the open run; see ``Run.log_code``. Without a run it raises ``Error``."""

    def save(
        glob_str: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
        base_path: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
        policy: str = "live",
        glob: bool = True,
    ) -> bool | list[str]:
        """Save files with the open run; see ``Run.save``. Without a run it raises ``Error``."""

    def log_artifact(
        artifact_or_path: Artifact | str | os.PathLike[str],
        name: str | None = None,
        type: str | None = None,
        aliases: Iterable[str] | str | None = None,
        tags: Iterable[str] | str | None = None,
    ) -> Artifact:
        """Make a version that the open run made; see ``Run.log_artifact``. Without a run it raises ``Error``."""

    def use_artifact(
        artifact_or_name: Artifact | str, type: str | None = None, aliases: Iterable[str] | str | None = None
    ) -> Artifact:
        """Take a version as an input of the open run; see ``Run.use_artifact``. Without a run it raises ``Error``."""

    def link_artifact(artifact: Artifact, target_path: str, aliases: Iterable[str] | str | None = None) -> None:
        """Link a version into a registry; see ``Run.link_artifact``. Without a run it raises ``Error``."""

    def log_model(
        path: str | os.PathLike[str], name: str | None = None, aliases: Iterable[str] | str | None = None
    ) -> Artifact:
        """Make a version of a model of the open run; see ``Run.log_model``. Without a run it raises ``Error``."""

    def use_model(name: str) -> str:
        """Take a model as an input of the open run; see ``Run.use_model``. Without a run it raises ``Error``."""

    def link_model(
        path: str | os.PathLike[str],
        registered_model_name: str,
        name: str | None = None,
        aliases: Iterable[str] | str | None = None,
    ) -> Artifact:
        """Make a version of a model and link it; see ``Run.link_model``. Without a run it raises ``Error``."""

    def mark_preempting() -> None:
        """Mark the open run; see ``Run.mark_preempting``. Without a run it raises ``Error``."""

    def watch(
        models: Any,
        criterion: Any = None,
        log: str | None = "gradients",
        log_freq: int = 1000,
        idx: int | None = None,
        log_graph: bool = False,
    ) -> None:
        """Log histograms of PyTorch models to the open run; see ``Run.watch``. Without a run it raises ``Error``."""

    def unwatch(models: Any = None) -> None:
        """Stop watching models; see ``Run.unwatch``. Without a run it raises ``Error``."""


def finish(exit_code: int | None = None) -> None:
    """End the open run; see ``Run.finish``. Without a run it does nothing."""
    if run is not None:
        run.finish(exit_code)


def login(key: str | None = None, host: str | None = None, verify: bool = False) -> bool:
    """Say which server to use and with which key, for this process; the command ``steplog login`` keeps them for good.

    Args:
        key: API key. Default: ``STEPLOG_API_KEY``, else the one of ``steplog login``; a server without accounts needs
            none.
        host: URL of the server. Default: ``STEPLOG_BASE_URL``, else the one of ``steplog login``.
        verify: Whether a server that does not let us in, or does not answer within 5 seconds, is an error.

    Returns:
        Whether the server lets us in; when it does not answer, whether a key is known.

    Raises:
        InvalidDataError: The key or the URL is empty or no str.
        AuthenticationError: With ``verify``: the server does not know the key.
        CommError: With ``verify``: the server does not answer.
    """
    from steplog import _session

    return _session.login(key, host, verify)


def as_wandb() -> None:
    """Let ``import wandb`` give steplog, in this process and in those that it begins from now on.

    What frameworks and scripts do with wandb then goes to steplog: ``report_to="wandb"``, ``WandbLogger``,
    ``wandb.init``. Call it before anything imports wandb; whether wandb is installed does not matter. The variable
    ``STEPLOG_AS_WANDB=1`` does the same for every Python of an environment, with no change to a script. What steplog
    does not have yet, such as ``wandb.sweep``, raises an ``Error`` that names it when it is used.

    Raises:
        UsageError: The real wandb is imported already.
    """
    from steplog import _as_wandb

    _as_wandb.enable()


def join(exit_code: int | None = None) -> None:
    """Do what ``finish`` does, under its old name."""
    finish(exit_code)


def __getattr__(name: str) -> Any:
    modules = {
        "AlertLevel": "_alert",
        "Api": "api",
        "Artifact": "_artifact",
        "Audio": "_media.audio",
        "Classes": "_media.classes",
        "Config": "_config",
        "Histogram": "_histogram",
        "History": "_history",
        "Html": "_media.html",
        "Image": "_media.image",
        "JoinedTable": "_media.joined_table",
        "Metric": "_metric",
        "Molecule": "_media.molecule",
        "Object3D": "_media.object3d",
        "Run": "_run",
        "Settings": "_settings",
        "Summary": "_summary",
        "Table": "_media.table",
        "Video": "_media.video",
    }
    if name not in modules:
        raise AttributeError(f"module 'steplog' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"steplog.{modules[name]}"), name)
