"""Reading runs from a server.

>>> import steplog
>>> api = steplog.Api()  # doctest: +SKIP
>>> runs = api.runs("ada/digits", filters={"config.lr": {"$gt": 0.1}, "state": "finished"})  # doctest: +SKIP
>>> runs[0].history(keys=["loss"])  # doctest: +SKIP
>>> runs[0].file("model.pt").download("checkpoints")  # doctest: +SKIP
>>> api.artifact("ada/digits/images:latest").download()  # doctest: +SKIP
"""

from __future__ import annotations

from steplog._api_artifact import (
    ArtifactCollection,
    ArtifactCollections,
    ArtifactRun,
    Artifacts,
    ArtifactType,
    page_size,
)
from steplog._api_console import ConsoleLine
from steplog._api_file import File, Files
from steplog._api_history import HistoryTable
from steplog._api_pages import Pages
from steplog._api_run import Run, Summary
from steplog._api_system import SystemTable
from steplog._argument import text
from steplog._artifact import Artifact
from steplog._native import NativeApi
from steplog.errors import InvalidDataError, NotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from steplog._native import NativeRuns

__all__ = [
    "Api",
    "ArtifactCollection",
    "ArtifactCollections",
    "ArtifactRun",
    "ArtifactType",
    "Artifacts",
    "ConsoleLine",
    "File",
    "Files",
    "HistoryTable",
    "Project",
    "Run",
    "Runs",
    "Summary",
    "SystemTable",
]

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

    def artifact(self, name: str, type: str | None = None) -> Artifact:
        """A version of an artifact.

        Args:
            name: ``name``, ``name:version`` or ``name:alias``, or a digest, each with ``project/`` or
                ``entity/project/`` in front or not; without a version it is ``latest``.
            type: What it must be.

        Raises:
            InvalidDataError: It has another type, or the name is none.
            NotFoundError: There is none.
            CommError: The server refuses, or does not answer.
        """
        return Artifact._of(self._native.artifact(text("name", name), _type(type)))

    def artifact_exists(self, name: str, type: str | None = None) -> bool:
        """Whether there is a version of this name.

        Args:
            name: As of ``artifact``.
            type: What it must be.

        Raises:
            InvalidDataError: The name is none.
            CommError: The server refuses, or does not answer.
        """
        return self._native.artifact_exists(text("name", name), _type(type))

    def artifacts(self, type_name: str, name: str, per_page: int = 50) -> Artifacts:
        """The versions of a collection, newest first, read in pages as they are asked for.

        Args:
            type_name: What it must be, such as ``dataset``.
            name: ``name``, ``project/name`` or ``entity/project/name``.
            per_page: Versions in each request: 1 to 1,000.

        Raises:
            InvalidDataError: The name is none, or the collection has another type.
            NotFoundError: There is no such collection.
            CommError: The server refuses, or does not answer.
        """
        return self.artifact_collection(type_name, name).artifacts(per_page)

    def artifact_versions(self, type_name: str, name: str, per_page: int = 50) -> Artifacts:
        """Do what ``artifacts`` does, under its old name.

        Args:
            type_name: What it must be.
            name: The collection.
            per_page: Versions in each request.

        Raises:
            InvalidDataError: The name is none, or the collection has another type.
            NotFoundError: There is no such collection.
        """
        return self.artifacts(type_name, name, per_page)

    def artifact_collection(self, type_name: str, name: str) -> ArtifactCollection:
        """A collection of versions.

        Args:
            type_name: What it must be, such as ``dataset``.
            name: ``name``, ``project/name`` or ``entity/project/name``.

        Raises:
            InvalidDataError: The name is none, or the collection has another type.
            NotFoundError: There is no such collection.
            CommError: The server refuses, or does not answer.
        """
        wanted, collection = (
            text("type_name", type_name),
            ArtifactCollection(self._native.artifact_collection(text("name", name))),
        )
        if collection.type != wanted:
            raise InvalidDataError(f'{collection.qualified_name} has the type "{collection.type}", not "{wanted}"')
        return collection

    def artifact_collection_exists(self, name: str, type: str | None = None) -> bool:
        """Whether there is a collection of this name.

        Args:
            name: ``name``, ``project/name`` or ``entity/project/name``.
            type: What it must be.

        Raises:
            InvalidDataError: The name is none.
            CommError: The server refuses, or does not answer.
        """
        return self._native.artifact_collection_exists(text("name", name), _type(type))

    def artifact_collections(
        self,
        project_name: str | None = None,
        type_name: str | None = None,
        per_page: int = 50,
        *,
        registry: bool | None = None,
        search: str | None = None,
    ) -> ArtifactCollections:
        """The collections of a project by type and name, read in pages as they are asked for.

        Args:
            project_name: ``entity/project`` or ``project``. Default: the default project.
            type_name: Only those of this type.
            per_page: Collections in each request: 1 to 1,000.
            registry: Only those that hold links to versions of others (true), or only those that do not (false).
            search: Only those with this in their name.

        Raises:
            InvalidDataError: The path is none.
            CommError: The server refuses, or does not answer.
        """
        kind = None if registry is None else "registry" if registry else "source"
        wanted = None if search is None else text("search", search)
        native = self._native.artifact_collections(
            project_name or "", _type(type_name), kind, wanted, page_size(per_page)
        )
        return ArtifactCollections(native)

    def artifact_types(self, project: str | None = None) -> list[ArtifactType]:
        """The types that the collections of a project have, by name.

        Args:
            project: ``entity/project`` or ``project``. Default: the default project.

        Raises:
            NotFoundError: There is no such project.
            CommError: The server refuses, or does not answer.
        """
        place = project or ""

        def collections(type_name: str, per_page: int) -> ArtifactCollections:
            return self.artifact_collections(place, type_name, per_page)

        return [ArtifactType(name, place, count, collections) for name, count in self._native.artifact_types(place)]

    def artifact_type(self, type_name: str, project: str | None = None) -> ArtifactType:
        """One of the types that the collections of a project have.

        Args:
            type_name: The type.
            project: As of ``artifact_types``.

        Raises:
            NotFoundError: No collection has it.
            CommError: The server refuses, or does not answer.
        """
        for found in self.artifact_types(project):
            if found.name == type_name:
                return found
        raise NotFoundError(f"no collection of {project or 'the project'} has the type {type_name!r}")

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


def _type(type: str | None) -> str | None:
    return None if type is None else text("type", type)


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
