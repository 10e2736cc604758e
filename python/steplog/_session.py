"""The run of this process, and its end when the script does not end it."""

from __future__ import annotations

import atexit
import builtins
import os
import sys
from weakref import WeakKeyDictionary

import steplog
from steplog import _absent, _console
from steplog._argument import exit_code as checked_exit_code
from steplog._argument import tag_list, text
from steplog._config_source import select, to_dict
from steplog._notebook import follow_cells, in_notebook, notebook_path
from steplog._run import Run, exit_code_of
from steplog.errors import AuthenticationError, CommError, InvalidDataError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, NoReturn

    from steplog._settings import Settings

#: Exit code that the interpreter is ending with, as far as it is known.
_exit_code = 0
_hooked = False
_open_runs: list[Run] = []
#: What each run was begun with.
_settings: WeakKeyDictionary[Run, Settings] = WeakKeyDictionary()

#: How long `login` waits for the server, in seconds.
LOGIN_TIMEOUT = 5

#: Arguments of `init` that are text.
TEXTS = (
    "console",
    "entity",
    "fork_from",
    "group",
    "id",
    "job_type",
    "mode",
    "name",
    "notes",
    "project",
    "resume_from",
    "sweep_id",
)

REINIT = ("default", "return_previous", "finish_previous", "create_new")


def init(config: Any, settings: Any, **arguments: Any) -> Run:
    """Begin a run, or answer the one that is open."""
    from steplog._settings import OF_CLIENT, to_settings

    chosen = to_settings(settings)
    given = {name: value for name, value in arguments.items() if value is not None}
    values = {**chosen, **given}
    reinit = _reinit(values.pop("reinit", None))
    resume = _resume(values.pop("resume", None))
    open_run = steplog.run if reinit != "create_new" else None
    if open_run is not None:
        if resume == "must":
            raise UsageError(f"resume='must' while the run {open_run.path} is open; finish() it first")
        if reinit == "return_previous":
            return open_run
    # Refused before the open run is ended for the new one.
    for name in TEXTS:
        if values.get(name) is not None:
            text(name, values[name])
    tags = values.pop("tags", None)
    if tags is not None:
        tags = [tags] if isinstance(tags, str) else tag_list(tags)
    include, exclude = values.pop("config_include_keys", None), values.pop("config_exclude_keys", None)
    quiet, silent = values.pop("quiet", None), values.pop("silent", None)
    save_code, sync_tensorboard = values.pop("save_code", None), values.pop("sync_tensorboard", None)
    _console.prepare(values.get("console"))
    entries = select(to_dict(config), include, exclude)
    # These need a run that uses them.
    artifacts = {key: value for key, value in entries.items() if _is_artifact(value)}
    run = Run(
        config={key: value for key, value in entries.items() if key not in artifacts},
        tags=tags,
        resume=resume,
        environment=_environment(),
        verbosity="silent" if silent else "quiet" if quiet else None,
        package_folders=[folder or os.getcwd() for folder in sys.path if isinstance(folder, str)],
        sender_command=[sys.executable, "-m", "steplog._send"],
        # Called when nothing of the arguments is wrong as far as can be told: a refused call must not end a run.
        before=None if open_run is None else lambda: finish(open_run, None),
        **{name: value for name, value in values.items() if name not in OF_CLIENT or value is not None},
    )
    if artifacts:
        run._open_config(True).update(artifacts)
    run._open_config(bool(values.get("allow_val_change")))
    _hook()
    _open_runs.append(run)
    _settings[run] = chosen
    _console.begin(run)
    if reinit != "create_new":
        make_global(run)
    if in_notebook():
        follow_cells()
    if run.keeps_code and (_is_yes("SAVE_CODE") if save_code is None else save_code):
        from steplog import _code

        _code.save_main_script(run)
    if sync_tensorboard:
        from steplog import _tensorboard

        _tensorboard.follow(run)
    return run


def _is_artifact(value: Any) -> bool:
    """Whether it is an artifact; where nobody has imported these, nobody has one."""
    module = sys.modules.get("steplog._artifact")
    return module is not None and isinstance(value, module.Artifact)


def _is_yes(name: str) -> bool:
    """Whether an environment variable says yes."""
    value = os.environ.get(f"STEPLOG_{name}") or os.environ.get(f"WANDB_{name}") or ""
    return value.lower() in ("1", "true", "yes", "on")


def settings_of(run: Run) -> Settings:
    """A copy of the settings that a run was begun with."""
    from steplog._settings import Settings

    return Settings(**dict(_settings.get(run) or {}))


def login(key: str | None, host: str | None, verify: bool) -> bool:
    """Remember a server and a key for this process, and ask whether it lets us in."""
    from steplog.api import Api

    for name, value in (("key", key), ("host", host)):
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise InvalidDataError(f"login: {name} is empty or no str")
    if host is not None:
        os.environ["STEPLOG_BASE_URL"] = host.strip()
    if key is not None:
        os.environ["STEPLOG_API_KEY"] = key.strip()
    try:
        Api(timeout=LOGIN_TIMEOUT).projects()
    except CommError as error:
        if verify:
            raise
        return not isinstance(error, AuthenticationError) and "STEPLOG_API_KEY" in os.environ
    return True


def make_global(run: Run) -> None:
    """Let the module's globals speak of this run."""
    steplog.run, steplog.config, steplog.summary = run, run.config, run.summary
    for name in _absent.CALLS:
        setattr(steplog, name, getattr(run, name))


def attach(path: str, arguments: dict[str, Any]) -> Run:
    """The run that was pickled: itself in the process that has it, a part of it in another."""
    for run in _open_runs:
        if run.path == path:
            return run
    run = Run(sender_command=[sys.executable, "-m", "steplog._send"], **arguments)
    _hook()
    _open_runs.append(run)
    _console.begin(run)
    return run


def _reinit(word: Any) -> str:
    if word in (True, False):
        word = "finish_previous" if word else "return_previous"
    if word is None or word == "default":
        # A cell that is run again begins a new run; a script that calls init() twice means the same one.
        return "finish_previous" if in_notebook() else "return_previous"
    if word not in REINIT:
        raise InvalidDataError(f"reinit {word!r} is none of True, False, {', '.join(map(repr, REINIT))}")
    return str(word)


def _resume(word: Any) -> str | None:
    if word is None or word is False:
        return None
    if word is True:
        return "auto"
    if not isinstance(word, str):
        raise InvalidDataError(f"resume is a {type(word).__name__}, not a bool or one of allow, must, never, auto")
    return word


def finish(run: Run, exit_code: int | None) -> None:
    """End a run; the globals go back to what they were before ``init``."""
    code = _exit_code if exit_code is None else checked_exit_code(exit_code)
    if run in _open_runs:
        _open_runs.remove(run)
    if steplog.run is run:
        reset()
    _console.end(run)
    run.close(code)


def reset() -> None:
    """Put the module's globals back to what they are without a run."""
    steplog.run, steplog.config, steplog.summary = None, _absent.NoRun("config"), _absent.NoRun("summary")
    for name, call in _absent.CALLS.items():
        setattr(steplog, name, call)


def _environment() -> dict[str, Any]:
    """What can be said at once about what is run; secrets are taken out of it before it is kept."""
    main = sys.modules.get("__main__")
    module = getattr(getattr(main, "__spec__", None), "name", None)
    return {
        "command": list(sys.orig_argv),
        "program": notebook_path() or getattr(main, "__file__", None) or "<interactive>",
        **({"module": module.removesuffix(".__main__")} if isinstance(module, str) else {}),
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
    atexit.register(finish_open_runs)
    process = os.getpid()
    exit_before, hook_before = sys.exit, sys.excepthook
    quitter: Any = type(getattr(builtins, "exit", None))

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
    # exit() and quit() are there when `site` is: they raise without asking sys.exit.
    if quitter.__name__ == "Quitter":
        quit_before = quitter.__call__

        def quit(self: Any, code: Any = None) -> None:
            _remember(exit_code_of(SystemExit, SystemExit(code)))
            quit_before(self, code)

        quitter.__call__ = quit


def finish_open_runs(exit_code: int | None = None) -> None:
    """End the runs that the script left open."""
    for run in list(_open_runs):
        finish(run, exit_code)
