"""Collections of artifacts, and the runs that artifacts name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steplog._api_pages import Pages
from steplog._argument import text
from steplog._artifact import Artifact, alias_list
from steplog.errors import InvalidDataError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from steplog._api_run import Run
    from steplog._native import NativeArtifact, NativeArtifacts, NativeCollection, NativeCollections


class ArtifactCollection:
    """Versions of one name and type, as the collection was when it was read; made by ``Api.artifact_collection()``."""

    def __init__(self, native: NativeCollection) -> None:
        self._native = native

    @property
    def _info(self) -> dict[str, Any]:
        return self._native.info()

    @property
    def name(self) -> str:
        """Name, unique in its project; setting it changes it on the server, and versions keep their numbers."""
        return str(self._info["name"])

    @name.setter
    def name(self, name: str) -> None:
        self._native.update(name=text("name", name))

    @property
    def type(self) -> str:
        """What its versions are, such as ``dataset`` or ``model``."""
        return str(self._info["type"])

    @property
    def entity(self) -> str:
        """User or team."""
        return str(self._info["entity"])

    @property
    def project(self) -> str:
        """Project."""
        return str(self._info["project"])

    @property
    def qualified_name(self) -> str:
        """``entity/project/name``."""
        return f"{self.entity}/{self.project}/{self.name}"

    @property
    def is_registry(self) -> bool:
        """Whether it holds links to versions of other collections."""
        return bool(self._info["kind"] == "registry")

    @property
    def description(self) -> str | None:
        """What it is, markdown; setting it changes it on the server."""
        description = self._info["description"]
        return None if description is None else str(description)

    @description.setter
    def description(self, description: str | None) -> None:
        self._native.update(description="" if description is None else text("description", description))

    @property
    def aliases(self) -> dict[str, str]:
        """The version that each alias points at."""
        return {entry["alias"]: entry["version"] for entry in self._info["aliases"]}

    @property
    def protected_aliases(self) -> list[str]:
        """Aliases that are not moved or removed before they are taken off this list; setting it changes it on the
        server.
        """
        return list(self._info["protected_aliases"])

    @protected_aliases.setter
    def protected_aliases(self, aliases: Iterable[str]) -> None:
        self._native.update(protected_aliases=alias_list(aliases))

    @property
    def version_count(self) -> int:
        """How many versions it has."""
        return int(self._info["version_count"])

    @property
    def size(self) -> int:
        """Bytes of the files of all versions, each content once."""
        return int(self._info["size_bytes"])

    @property
    def created_at(self) -> str:
        """When it was made: ISO 8601 in UTC."""
        return str(self._info["created_at_iso"])

    @property
    def updated_at(self) -> str:
        """When a version or alias last came or went: ISO 8601 in UTC."""
        return str(self._info["updated_at_iso"])

    def artifacts(self, per_page: int = 50) -> Artifacts:
        """Its versions, newest first, read in pages as they are asked for.

        Args:
            per_page: Versions in each request: 1 to 1,000.

        Raises:
            CommError: The server refuses, or does not answer (when versions are asked for).
        """
        return Artifacts(self._native.versions(page_size(per_page)))

    def delete(self) -> None:
        """Delete it with all its versions, and the bytes that no other one needs.

        Raises:
            CommError: The server does not answer, or refuses: an alias of it is protected.
        """
        self._native.delete()

    def __repr__(self) -> str:
        return f"<steplog.api.ArtifactCollection {self.type} {self.qualified_name}>"


class ArtifactType:
    """What versions of collections are, such as ``dataset`` or ``model``; made by ``Api.artifact_types()``.

    Attributes:
        name: The type.
        project: ``entity/project`` or ``project``, as it was asked for.
        collection_count: How many collections of the project have it.
    """

    def __init__(
        self, name: str, project: str, collection_count: int, collections: Callable[[str, int], ArtifactCollections]
    ) -> None:
        self.name, self.project, self.collection_count = name, project, collection_count
        self._collections = collections

    def collections(self, per_page: int = 50) -> ArtifactCollections:
        """The collections of the project that have it, by name.

        Args:
            per_page: Collections in each request: 1 to 1,000.

        Raises:
            CommError: The server refuses, or does not answer (when collections are asked for).
        """
        return self._collections(self.name, per_page)

    def __repr__(self) -> str:
        return f"<steplog.api.ArtifactType {self.name} ({self.collection_count} collections)>"


class Artifacts(Pages[Artifact]):
    """Versions of a collection as a sequence, newest first, read in pages as they are asked for and kept.

    ``len()`` reads all pages.
    """

    def __init__(self, native: NativeArtifacts) -> None:
        super().__init__(lambda: [Artifact._of(version) for version in native.next_page()] or None)

    def __len__(self) -> int:
        self._read_until(None)
        return len(self._read)

    def __repr__(self) -> str:
        return "<steplog.api.Artifacts>"


class ArtifactCollections(Pages[ArtifactCollection]):
    """Collections as a sequence by type and name, read in pages as they are asked for and kept.

    ``len()`` reads all pages.
    """

    def __init__(self, native: NativeCollections) -> None:
        super().__init__(lambda: [ArtifactCollection(collection) for collection in native.next_page()] or None)

    def __len__(self) -> int:
        self._read_until(None)
        return len(self._read)

    def __repr__(self) -> str:
        return "<steplog.api.ArtifactCollections>"


class ArtifactRun:
    """A run that an artifact names and no server has: it is on this disk alone, or was deleted.

    Attributes:
        id: Run id.
        project: Project.
        entity: User or team.
        name: Name; ``None`` where nobody knows it.
    """

    __slots__ = ("entity", "id", "name", "project")

    id: str
    project: str
    entity: str
    name: str | None

    def __init__(self, said: dict[str, Any]) -> None:
        self.id, self.project, self.entity, self.name = said["run_id"], said["project"], said["entity"], said["name"]

    @property
    def path(self) -> list[str]:
        """Entity, project and id."""
        return [self.entity, self.project, self.id]

    def __repr__(self) -> str:
        return f"<steplog.api.ArtifactRun {'/'.join(self.path)}>"


def runs_of(artifact: NativeArtifact, said: list[dict[str, Any]]) -> list[Run | ArtifactRun]:
    """The runs that an artifact names, in that order, as its server has them."""
    from steplog._api_run import Run

    native = artifact.api()
    found: dict[tuple[str, str], Run] = {}
    if native is not None:
        for place in sorted({f"{run['entity']}/{run['project']}" for run in said}):
            ids = [run["run_id"] for run in said if f"{run['entity']}/{run['project']}" == place]
            # So many at once that a page has them all.
            for first in range(0, len(ids), 500):
                try:
                    page = native.runs(place, {"id": {"$in": ids[first : first + 500]}}, "+created_at", 1000)
                    runs = [Run(run) for run in page.next_page()]
                except NotFoundError:
                    continue
                found.update(((place, run.id), run) for run in runs)
    return [found.get((f"{run['entity']}/{run['project']}", run["run_id"])) or ArtifactRun(run) for run in said]


def page_size(per_page: Any, most: int = 1000) -> int:
    """The size of a page, if it is allowed.

    Raises:
        InvalidDataError: It is not.
    """
    if isinstance(per_page, bool) or not isinstance(per_page, int) or not 1 <= per_page <= most:
        raise InvalidDataError(f"per_page must be 1 to {most}, not {per_page!r}")
    return per_page
