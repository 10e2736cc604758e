"""What can be set about a run and about the client itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Names that the field's usual client has for the same thing.
ALIASES = {
    "x_label": "label",
    "x_primary": "primary",
    "x_save_requirements": "save_requirements",
    "x_stats_sampling_interval": "system_interval",
    "root_dir": "dir",
    "run_group": "group",
    "run_id": "id",
    "run_job_type": "job_type",
    "run_name": "name",
    "run_notes": "notes",
    "run_tags": "tags",
}

#: Names of the same that mean the opposite.
NEGATED = {"save_git": "disable_git", "x_disable_stats": "system_metrics"}

#: Arguments of ``init`` that may also be given as settings.
OF_RUN = (
    "dir",
    "entity",
    "fork_from",
    "group",
    "id",
    "job_type",
    "mode",
    "name",
    "notes",
    "project",
    "reinit",
    "resume",
    "resume_from",
    "sweep_id",
    "tags",
)

#: What only settings say, each with its type.
OF_CLIENT: dict[str, tuple[type, ...]] = {
    "api_key": (str,),
    "base_url": (str,),
    "console": (str,),
    "disable_code": (bool,),
    "disable_git": (bool,),
    "finish_detached": (bool,),
    "finish_timeout": (int, float),
    "init_timeout": (int, float),
    "label": (str,),
    "primary": (bool,),
    "quiet": (bool,),
    "save_requirements": (bool,),
    "silent": (bool,),
    "sticky_summary": (bool,),
    "symlink": (bool,),
    "system_interval": (int, float),
    "system_metrics": (bool,),
}

KNOWN = tuple(sorted((*OF_RUN, *OF_CLIENT)))


class Settings(Mapping[str, "Any"]):
    """Settings for ``init(settings=…)``; arguments of ``init`` itself win.

    They can be read and set as items and as attributes; one that was not set is ``None`` as an attribute. What is not
    set comes from the variable of the name, such as ``STEPLOG_FINISH_TIMEOUT``; ``primary``, ``fork_from``,
    ``resume_from`` and ``reinit`` have none.

    Args:
        values: Any of

            - ``base_url``, ``api_key``: the server and the key for it
            - ``finish_timeout``: how long ``finish`` waits for the server, in seconds; default 60
            - ``init_timeout``: how long ``init`` waits for it when a run is resumed or forked; default 10
            - ``finish_detached``: whether ``finish`` leaves the sending to a process in the background; default no
            - ``symlink``: whether ``save`` makes links where it can, and not copies; default yes
            - ``label``: what this process is called, where several write one run (``mode="shared"``)
            - ``primary``: whether this process speaks for such a run; default yes
            - ``sticky_summary``: whether summary values set by hand stay when their keys are logged afterwards; default
              yes, also by ``STEPLOG_STICKY_SUMMARY``
            - ``system_metrics``: whether what the machine is busy with is sampled; default yes
            - ``system_interval``: seconds between two samples, at least 0.1; default 10
            - ``save_requirements``: whether ``requirements.txt`` with the installed packages is kept; default yes
            - ``disable_git``: whether git is not asked for the commit that is run; default no
            - ``disable_code``: whether no code is kept, neither ``diff.patch`` with what was changed since the commit
              nor, whatever ``save_code`` says, the main script; default no
            - ``console``: what is recorded of what the script prints, while it is printed as ever. ``"auto"`` and
              ``"wrap"``: what Python writes to ``sys.stdout`` and ``sys.stderr``. ``"redirect"``: what is written to
              the file descriptors 1 and 2, by child processes and libraries in C too; where both lead to one place, all
              of it counts as stdout. ``"off"``: nothing. Messages of steplog itself never are. Default: ``"auto"``
            - ``quiet``: say warnings only; ``silent``: say nothing
            - what ``init`` takes too: ``dir``, ``entity``, ``fork_from``, ``group``, ``id``, ``job_type``, ``mode``,
              ``name``, ``notes``, ``project``, ``reinit``, ``resume``, ``resume_from``, ``sweep_id``, ``tags``; with
              ``run_`` before it, or as ``root_dir``, ``x_label``, ``x_primary``, as scripts of the field say it; so are
              ``x_save_requirements`` and ``x_stats_sampling_interval``, and ``save_git`` and ``x_disable_stats``, which
              mean the opposite

    Raises:
        InvalidDataError: A name is unknown, or a value has the wrong type.
    """

    __slots__ = ("_values",)
    _values: dict[str, Any]

    def __init__(self, **values: Any) -> None:
        object.__setattr__(self, "_values", {})
        for name, value in values.items():
            self[name] = value

    def __getitem__(self, name: str) -> Any:
        if name in NEGATED:
            return _opposite(self._values[NEGATED[name]])
        return self._values[ALIASES.get(name, name)]

    def __setitem__(self, name: str, value: Any) -> None:
        if name in NEGATED:
            name, value = NEGATED[name], _opposite(value)
        name = ALIASES.get(name, name)
        if name not in KNOWN:
            raise InvalidDataError(f"unknown setting {name!r}; known are {', '.join(KNOWN)}")
        types = OF_CLIENT.get(name)
        if value is not None and types is not None and (not isinstance(value, types) or _is_stray_bool(value, types)):
            wanted = " or ".join(kind.__name__ for kind in types)
            raise InvalidDataError(f"the setting {name} is a {type(value).__name__}, not a {wanted}")
        self._values[name] = value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in NEGATED:
            return _opposite(self._values.get(NEGATED[name]))
        if ALIASES.get(name, name) not in KNOWN:
            raise AttributeError(f"unknown setting {name!r}; known are {', '.join(KNOWN)}")
        return self._values.get(ALIASES.get(name, name))

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def update(self, values: Mapping[str, Any]) -> None:
        """Set several, all or none.

        Args:
            values: Settings by name.

        Raises:
            InvalidDataError: A name is unknown, or a value has the wrong type.
        """
        checked = Settings(**values)
        self._values.update(checked._values)

    def __repr__(self) -> str:
        shown = {name: "***" if name == "api_key" else value for name, value in self._values.items()}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def to_settings(given: Any) -> Settings:
    """Settings from what ``init`` was given."""
    if given is None:
        return Settings()
    if isinstance(given, Mapping):
        return Settings(**given)
    raise InvalidDataError(f"settings is a {type(given).__name__}, not a dict or Settings")


def _opposite(value: Any) -> Any:
    """The opposite of a bool; what is none is left to be refused."""
    return not value if isinstance(value, bool) else value


def _is_stray_bool(value: object, types: tuple[type, ...]) -> bool:
    return isinstance(value, bool) and bool not in types
