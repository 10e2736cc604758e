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
from steplog.errors import CommError, ConfigError, Error, InvalidDataError, NotFoundError, UsageError

# Importing steplog must cost a few milliseconds, and `typing` alone costs ten: what only type checkers and `init` need
# is imported there.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from steplog._config import Config
    from steplog._run import Run
    from steplog._summary import Summary
    from steplog.api import Api

__all__ = [
    "Api",
    "CommError",
    "Config",
    "ConfigError",
    "Error",
    "InvalidDataError",
    "NotFoundError",
    "Run",
    "Summary",
    "UsageError",
    "__version__",
    "config",
    "finish",
    "init",
    "log",
    "run",
    "summary",
]

#: The open run, or ``None``.
run: Run | None = None
#: The open run's config.
config: Any = _absent.NoRun("config")
#: The open run's summary.
summary: Any = _absent.NoRun("summary")
#: The open run's ``log``.
log: Callable[..., None] = _absent.log


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
    settings: Mapping[str, Any] | None = None,
) -> Run:
    """Begin a run; needs no server, and waits for none.

    Args:
        project: Project; at most 128 bytes, none of ``/\\#?%:``. Default: ``STEPLOG_PROJECT``, else ``uncategorized``.
        entity: User or team. Default: ``STEPLOG_ENTITY``, else the one of ``steplog login``, else ``local``.
        name: Name shown to people. Default: ``STEPLOG_NAME``, else the server makes one up.
        id: Id, unique in the project. Default: ``STEPLOG_RUN_ID``, else 8 random characters.
        config: What the run is set up with: a dict, or an object with attributes such as an ``argparse.Namespace``.
        tags: Tags, 1 to 64 characters each. Default: ``STEPLOG_TAGS``, separated by commas.
        notes: Notes, markdown. Default: ``STEPLOG_NOTES``.
        group: Runs that belong together. Default: ``STEPLOG_RUN_GROUP``.
        job_type: What kind of work, such as ``train`` or ``eval``. Default: ``STEPLOG_JOB_TYPE``.
        dir: The folder below which ``steplog/<project>/<id>/`` is made. Default: ``STEPLOG_DIR``, else the working
            directory.
        mode: ``online`` (default): to disk, and to a server as soon as one answers. ``offline``: to disk until
            ``steplog sync``. ``disabled``: nowhere. Default: ``STEPLOG_MODE``.
        settings: ``base_url`` and ``api_key`` of the server, ``finish_timeout`` in seconds (default 60), ``quiet``
            (only warnings) and ``silent`` (not one byte).

    Every variable may also begin with ``WANDB_``. While a run is open, ``init`` answers that run.

    Raises:
        InvalidDataError: A name or setting is not allowed.
        Error: Neither the folder nor a temporary one can be written.
    """
    from steplog import _session

    return _session.init(project, entity, name, id, config, tags, notes, group, job_type, dir, mode, settings)


def finish(exit_code: int | None = None) -> None:
    """End the open run, if there is one; see ``Run.finish``."""
    if run is not None:
        run.finish(exit_code)


def __getattr__(name: str) -> Any:
    modules = {"Api": "api", "Config": "_config", "Run": "_run", "Summary": "_summary"}
    if name not in modules:
        raise AttributeError(f"module 'steplog' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"steplog.{modules[name]}"), name)
