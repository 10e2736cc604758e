"""Collections of artifacts of a server, or of this disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steplog._native import NativeCollection


class ArtifactCollection:
    """Versions of one name and type, as it was when it was read; made by ``Api.artifact_collection()``."""

    def __init__(self, native: NativeCollection) -> None:
        self._native, self._info = native, native.info()

    @property
    def name(self) -> str:
        """Name, unique in its project."""
        return str(self._info["name"])

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
    def path(self) -> str:
        """``entity/project/name``."""
        return f"{self.entity}/{self.project}/{self.name}"

    @property
    def is_registry(self) -> bool:
        """Whether it holds links to versions of other collections."""
        return bool(self._info["kind"] == "registry")

    @property
    def aliases(self) -> dict[str, str]:
        """The version that each alias points at."""
        return {entry["alias"]: entry["version"] for entry in self._info["aliases"]}

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

    @property
    def description(self) -> str | None:
        """What it is, markdown; setting it changes it on the server."""
        text = self._info["description"]
        return None if text is None else str(text)
