"""What an artifact consists of: entries by path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from steplog._artifact import Artifact


class ArtifactManifestEntry:
    """A file or reference of an artifact.

    Attributes:
        path: Folders and name in the artifact, joined by ``/``.
        digest: MD5 of the content in base64; of a reference its entity tag, MD5 or URI.
        size: Size in bytes; ``None`` where a reference's is not known.
        sha256: SHA-256 of the content, 64 hex digits; ``None`` for references.
        ref: Where the bytes of a reference are, such as ``s3://bucket/key``; ``None`` for files.
        extra: What else is known of a reference, such as the object's version.
    """

    __slots__ = ("_artifact", "digest", "extra", "path", "ref", "sha256", "size")

    path: str
    digest: str
    size: int | None
    sha256: str | None
    ref: str | None
    extra: dict[str, Any]

    def __init__(self, artifact: Artifact, said: Mapping[str, Any]) -> None:
        self._artifact = artifact
        self.path, self.digest, self.size = said["path"], said["digest"], said["size"]
        self.sha256, self.ref, self.extra = said["sha256"], said["ref"], said.get("extra", {})

    @property
    def name(self) -> str:
        """Another name of ``path``."""
        return self.path

    def ref_target(self) -> str:
        """Where the bytes of a reference are.

        Raises:
            InvalidDataError: It is a file.
        """
        if self.ref is None:
            raise InvalidDataError(f"{self.path!r} is a file of the artifact, and no reference")
        return self.ref

    def ref_url(self) -> str:
        """A URL for it, which ``Artifact.add_reference`` of another artifact takes.

        Raises:
            ArtifactNotLoggedError: The artifact has no version yet.
        """
        return self.ref or f"steplog-artifact://{self._artifact._info()['id']}/{self.path}"

    def download(self, root: str | os.PathLike[str] | None = None, skip_cache: bool | None = None) -> str:
        """Bring it to this disk; a file that is there already and has the content is left as it is.

        Args:
            root: Folder that its path is below. Default: as of ``Artifact.download``.
            skip_cache: Whether it becomes a file of its own, which can be written to, and is not kept in the cache.
                Default: no.

        Returns:
            Path of the file.

        Raises:
            ArtifactNotLoggedError: The artifact has no version yet.
            InvalidDataError: A link is in the way.
            IntegrityError: Bytes are damaged, or a referenced object has changed.
            NotFoundError: A referenced object is gone.
            CommError: The server or the place of a reference refuses, or does not answer.
            Error: The disk refuses.
        """
        return self._artifact._download_entry(self.path, root, skip_cache)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ArtifactManifestEntry):
            return NotImplemented
        return all(
            getattr(self, name) == getattr(other, name) for name in ("path", "digest", "size", "sha256", "ref", "extra")
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<steplog.ArtifactManifestEntry {self.path} {self.ref or self.digest}>"


class ArtifactManifest:
    """The entries of an artifact, as they were when it was asked for.

    Attributes:
        entries: The entries by path, in the order of their paths.
    """

    __slots__ = ("_digest", "entries")

    entries: dict[str, ArtifactManifestEntry]

    def __init__(self, entries: dict[str, ArtifactManifestEntry], digest: str) -> None:
        self.entries, self._digest = entries, digest

    def digest(self) -> str:
        """MD5 over all paths and digests, 32 hex digits: equal content has equal digests, whatever its name."""
        return self._digest

    def get_entry_by_path(self, path: str) -> ArtifactManifestEntry | None:
        """The entry at a path; ``None`` when there is none.

        Args:
            path: The path.
        """
        return self.entries.get(path)

    def size(self) -> int:
        """The sizes that are known, added up, in bytes."""
        return sum(entry.size or 0 for entry in self.entries.values())

    def to_manifest_json(self) -> dict[str, Any]:
        """The entries as the field writes a manifest, for whoever reads those."""
        contents = {}
        for path, entry in self.entries.items():
            said: dict[str, Any] = {"digest": entry.digest}
            if entry.size is not None:
                said["size"] = entry.size
            if entry.ref is not None:
                said |= {"ref": entry.ref, "extra": entry.extra}
            contents[path] = said
        return {
            "version": 1,
            "storagePolicy": "wandb-storage-policy-v1",
            "storagePolicyConfig": {"storageLayout": "V2"},
            "contents": contents,
        }

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, path: object) -> bool:
        return path in self.entries

    def __repr__(self) -> str:
        return f"<steplog.ArtifactManifest of {len(self.entries)} entries>"
