"""The run of this process, and its end when the script does not end it."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterable, Mapping

import steplog
from steplog import _absent
from steplog._config_source import select, to_dict
from steplog._run import Run, exit_code_of
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, NoReturn

#: Exit code that the interpreter is ending with, as far as it is known.
_exit_code = 0
_hooked = False
_open_runs: list[Run] = []

SETTINGS = ("api_key", "base_url", "finish_timeout", "quiet", "silent", "sticky_summary")


def init(
    project: str | None,
    entity: str | None,
    name: str | None,
    id: str | None,
    config: Any,
    tags: Iterable[str] | None,
    notes: str | None,
    group: str | None,
    job_type: str | None,
    dir: str | os.PathLike[str] | None,
    mode: str | None,
    allow_val_change: bool | None,
    config_exclude_keys: Iterable[str] | None,
    config_include_keys: Iterable[str] | None,
    settings: Mapping[str, Any] | None,
) -> Run:
    """Begin a run, or answer the one that is open."""
    if steplog.run is not None:
        return steplog.run
    known = dict(settings or {})
    unknown = sorted(set(known) - set(SETTINGS))
    if unknown:
        raise InvalidDataError(f"unknown setting {unknown[0]!r}; known are {', '.join(SETTINGS)}")
    quiet, silent = known.pop("quiet", None), known.pop("silent", None)
    run = Run(
        project=project,
        entity=entity,
        name=name,
        id=id,
        config=select(to_dict(config), config_include_keys, config_exclude_keys),
        tags=None if tags is None else list(tags),
        notes=notes,
        group=group,
        job_type=job_type,
        dir=dir,
        mode=mode,
        environment=_environment(),
        verbosity="silent" if silent else "quiet" if quiet else None,
        **known,
    )
    run.open_config(bool(allow_val_change))
    _hook()
    _open_runs.append(run)
    steplog.run, steplog.config, steplog.summary, steplog.log = run, run.config, run.summary, run.log
    return run


def finish(run: Run, exit_code: int | None) -> None:
    """End a run; the globals go back to what they were before ``init``."""
    if run in _open_runs:
        _open_runs.remove(run)
    if steplog.run is run:
        reset()
    run.close(_exit_code if exit_code is None else exit_code)


def reset() -> None:
    """Put the module's globals back to what they are without a run."""
    steplog.run, steplog.config, steplog.summary = None, _absent.NoRun("config"), _absent.NoRun("summary")
    steplog.log = _absent.log


def _environment() -> dict[str, Any]:
    """What is worth knowing about where the run runs.

    No environment variable and no argument of the command: either may be a secret.
    """
    main = sys.modules.get("__main__")
    return {
        "program": getattr(main, "__file__", None) or "<interactive>",
        "python": sys.version.split()[0],
        "executable": sys.executable,
        "working_directory": os.getcwd(),
        "platform": f"{sys.platform} {os.uname().release}" if hasattr(os, "uname") else sys.platform,
        "cpu_count": os.cpu_count(),
    }


def _hook() -> None:
    """Begin to watch how the interpreter ends."""
    global _hooked
    if _hooked:
        return
    _hooked = True
    atexit.register(_finish_open_runs)
    process = os.getpid()
    exit_before, hook_before = sys.exit, sys.excepthook

    def exit(status: Any = None, /) -> NoReturn:
        _remember(exit_code_of(SystemExit, SystemExit(status)))
        exit_before(status)

    def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _remember(exit_code_of(kind, error))
        hook_before(kind, error, trace)

    def _remember(code: int) -> None:
        global _exit_code
        if os.getpid() == process:
            _exit_code = code

    sys.exit = exit
    sys.excepthook = excepthook


def _finish_open_runs() -> None:
    for run in list(_open_runs):
        finish(run, None)
