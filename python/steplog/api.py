"""Reading runs from a server.

>>> import steplog
>>> api = steplog.Api()  # doctest: +SKIP
>>> runs = api.runs("ada/digits", filters={"config.lr": {"$gt": 0.1}, "state": "finished"})  # doctest: +SKIP
>>> runs[0].history(keys=["loss"])  # doctest: +SKIP
>>> runs[0].file("model.pt").download("checkpoints")  # doctest: +SKIP
"""

from __future__ import annotations

from steplog._api_console import ConsoleLine
from steplog._api_file import File, Files
from steplog._api_history import HistoryTable
from steplog._api_pages import Pages
from steplog._api_run import Run, Summary
from steplog._api_system import SystemTable
from steplog._native import NativeApi
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from steplog._native import NativeRuns

__all__ = ["Api", "ConsoleLine", "File", "Files", "HistoryTable", "Project", "Run", "Runs", "Summary", "SystemTable"]

#: What may stand in ``overrides``.
OVERRIDES = ("base_url", "entity", "project")


class Api:
    """A server, to read from: its projects and runs.

    Threads and forked children may use it. Other Python threads go on while it waits for the server.

    Args:
        overrides: ``base_url``, ``entity`` and ``project`` in one dict.
        timeout: Seconds that the server may take to begin an answer. Default: 60.
        api_key: API key. Default: ``STEPLOG_API_KEY``, else the one of ``steplog login``.
        base_url: URL of the server. Default: ``STEPLOG_BASE_URL``, else the one of ``steplog login``, else
            ``http://127.0.0.1:7837``.
        entity: Entity of paths that name none. Default: ``STEPLOG_ENTITY``, else the one of ``steplog login``, else
            what the server says.
        project: Project of paths that name none. Default: ``STEPLOG_PROJECT``.

    Every variable may also begin with ``WANDB_``. Nothing is sent yet.

    Raises:
        InvalidDataError: An argument is not allowed.
    """

    def __init__(
        self,
        overrides: Mapping[str, str] | None = None,
        timeout: float | None = None,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        entity: str | None = None,
        project: str | None = None,
    ) -> None:
        known = dict(overrides or {})
        if unknown := sorted(set(known) - set(OVERRIDES)):
            raise InvalidDataError(f"unknown override {unknown[0]!r}; known are {', '.join(OVERRIDES)}")
        self._native = NativeApi(
            base_url=base_url or known.get("base_url"),
            api_key=api_key,
            entity=entity or known.get("entity"),
            project=project or known.get("project"),
            timeout=timeout,
        )

    @property
    def base_url(self) -> str:
        """URL of the server."""
        return self._native.base_url

    @property
    def default_entity(self) -> str:
        """The entity of paths that name none.

        Raises:
            CommError: Nobody named one here, and no server answers.
        """
        return self._native.default_entity()

    def projects(self, entity: str | None = None) -> list[Project]:
        """The projects, the one with the newest activity first.

        Args:
            entity: Only those of this user or team. Default: all that can be read.

        Raises:
            CommError: The server refuses, or does not answer.
        """
        return [Project(self, info) for info in self._native.projects(entity)]

    def runs(
        self,
        path: str | None = None,
        filters: Mapping[str, Any] | str | None = None,
        order: str = "+created_at",
        per_page: int = 50,
    ) -> Runs:
        """The runs of a project, read in pages as they are asked for; each has its whole config and summary.

        Args:
            path: ``entity/project`` or ``project``. Default: the default project.
            filters: A dict such as ``{"config.lr": {"$gt": 0.1}, "state": "finished"}``, with the operators ``$and $or
                $nor $not $eq $ne $gt $gte $lt $lte $in $nin $exists``; or an expression such as ``config.lr > 0.1 and
                state = "finished"``. Fields are ``id name display_name state tags group job_type notes created_at
                updated_at duration last_step row_count``, ``config.PATH`` and ``summary_metrics.PATH``. In a dict
                ``name`` is the id or the name, times may be ISO 8601 texts, and ``$ne``, ``$nin`` and ``$not`` hold for
                runs without the field.
            order: Fields separated by commas, ``-`` in front for the largest first. Runs without a value come last.
            per_page: Runs in each request: 1 to 5,000.

        Raises:
            InvalidDataError: The path, a field, an operator or a number is not allowed.
            NotFoundError: There is no such project (when runs are asked for).
            CommError: The server refuses, or does not answer (when runs are asked for).
        """
        if isinstance(per_page, bool) or not isinstance(per_page, int) or not 1 <= per_page <= 5000:
            raise InvalidDataError(f"per_page must be 1 to 5000, not {per_page!r}")
        return Runs(self._native.runs(path or "", filters, order, per_page))

    def run(self, path: str) -> Run:
        """One run.

        Args:
            path: ``entity/project/id``, ``project/id``, ``id``, or the address of its page.

        Raises:
            InvalidDataError: The path is none.
            NotFoundError: There is no such run.
            CommError: The server refuses, or does not answer.
        """
        return Run(self._native.run(path))

    def __repr__(self) -> str:
        return f"<steplog.Api {self.base_url}>"


class Project:
    """A project of a server, as it was when it was read."""

    def __init__(self, api: Api, info: dict[str, Any]) -> None:
        self._api, self._info = api, info

    @property
    def name(self) -> str:
        """Name, unique in its entity."""
        return str(self._info["name"])

    @property
    def entity(self) -> str:
        """User or team."""
        return str(self._info["entity"])

    @property
    def path(self) -> list[str]:
        """Entity and name."""
        return [self.entity, self.name]

    @property
    def run_count(self) -> int:
        """How many runs it has."""
        return int(self._info["run_count"])

    @property
    def running_count(self) -> int:
        """How many of them are running."""
        return int(self._info["running_count"])

    @property
    def created_at(self) -> str:
        """When its first run began: ISO 8601 in UTC."""
        return str(self._info["created_at_iso"])

    @property
    def updated_at(self) -> str:
        """When data last came: ISO 8601 in UTC."""
        return str(self._info["updated_at_iso"])

    def runs(
        self, filters: Mapping[str, Any] | str | None = None, order: str = "+created_at", per_page: int = 50
    ) -> Runs:
        """The runs of the project; see ``Api.runs``."""
        return self._api.runs("/".join(self.path), filters, order, per_page)

    def __repr__(self) -> str:
        return f"<steplog.api.Project {'/'.join(self.path)} ({self.run_count} runs)>"


class Runs(Pages[Run]):
    """Runs of a project as a sequence, read in pages as they are asked for and kept; made by ``Api.runs()``.

    ``len()`` is how many match, as of the newest page.
    """

    def __init__(self, native: NativeRuns) -> None:
        super().__init__(lambda: [Run(run) for run in native.next_page()] or None)
        self._native = native

    def __len__(self) -> int:
        return self._native.total()

    def __bool__(self) -> bool:
        return len(self) > 0

    def __repr__(self) -> str:
        return f"<steplog.api.Runs {self._native.project}>"
