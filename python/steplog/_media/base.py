"""What all media objects have in common."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Protocol

from steplog._media.content import Bytes, Content, LocalFile, Stored, checked_name
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Self


class Sink(Protocol):
    """Where a media object puts its files: an artifact that is being made.

    What is added again under the same path with the same content is there once.
    """

    def add_bytes(self, path: str, data: bytes) -> None:
        """Add a file with this content."""

    def add_local_file(self, path: str, local_path: str, sha256: str) -> None:
        """Add a copy of a file of this disk, whose content has the hash."""


class Source(Protocol):
    """Where the files of a media object are: a version of an artifact."""

    def local_file(self, path: str) -> str:
        """The path on this disk of an entry, which is fetched if need be.

        Raises:
            KeyError: There is no such entry.
        """


class Media:
    """Something to look at or listen to, or a table: what ``Artifact.add`` takes and ``Artifact.get`` gives back.

    It is a ``Table``, ``Image``, ``Audio``, ``Video``, ``Html``, ``Object3D``, ``Molecule``, ``JoinedTable`` or
    ``Classes``. What is one file has a ``caption``, a ``format`` (what its name ends in), a ``size`` in bytes, a
    ``sha256`` and ``read()``, which answers its bytes. Objects are equal when their content is. What was made of an
    array or of an open file is kept in memory, and a file is read when it is added.
    """

    __slots__ = ()
    _type: ClassVar[str]

    def _to_json(self, sink: Sink) -> dict[str, Any]:
        """What the entry holds; the files that it names are added."""
        raise NotImplementedError

    @classmethod
    def _from_json(cls, said: dict[str, Any], source: Source) -> Self:
        """The object of an entry. What an artifact says is checked, for anybody may have made it."""
        raise NotImplementedError


class FileMedia(Media):
    """A media object that is one file."""

    __slots__ = ("_caption", "_content")
    _folder: ClassVar[str]
    _content: Content
    _caption: str | None

    def __init__(self, content: Content, caption: str | None) -> None:
        if caption is not None and not isinstance(caption, str):
            raise InvalidDataError(f"caption is a {type(caption).__name__}, not a str")
        self._content, self._caption = content, caption

    @property
    def caption(self) -> str | None:
        """Text that is shown with it."""
        return self._caption

    @property
    def format(self) -> str:
        """What the name of its file ends in, such as ``png``; without the dot."""
        return self._content.format

    @property
    def size(self) -> int:
        """Size of its file, in bytes."""
        return self._content.size

    @property
    def sha256(self) -> str:
        """SHA-256 of its file, in 64 hex digits."""
        return self._content.sha256

    def read(self) -> bytes:
        """The content of its file; one that is in an artifact is fetched."""
        return self._content.read()

    def _to_json(self, sink: Sink) -> dict[str, Any]:
        path = self._content.add_to(sink, f"media/{self._folder}")
        said = {"_type": self._type, "path": path, "sha256": self.sha256, "size": self.size, **self._details()}
        return said if self._caption is None else {**said, "caption": self._caption}

    def _details(self) -> dict[str, Any]:
        """What its JSON says beside what every file has."""
        return {}

    @classmethod
    def _from_json(cls, said: dict[str, Any], source: Source) -> Self:
        media = cls.__new__(cls)
        caption = said.get("caption")
        FileMedia.__init__(media, Stored(source, said), caption if isinstance(caption, str) else None)
        media._read_details(said, source)
        return media

    def _read_details(self, said: dict[str, Any], source: Source) -> None:
        """Take over what ``_details`` wrote."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = self._content, other._content
        return mine.sha256 == theirs.sha256 and self._caption == other._caption and self._same_details(other)

    def _same_details(self, other: Self) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<steplog.{type(self).__name__} {self.format}{f' {self._caption!r}' if self._caption else ''}>"


def content_of(data: Any, noun: str, formats: tuple[str, ...], file_type: str | None = None) -> Content | None:
    """The content of a path or of an open file; ``None`` when it is neither.

    Args:
        data: What the script gave.
        noun: What to call it in errors.
        formats: What its name may end in.
        file_type: What the name of an open file that has none would end in.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidDataError: It is no file of these formats.
    """
    if isinstance(data, (str, os.PathLike)):
        path = os.fspath(data)
        if not isinstance(path, str):
            raise InvalidDataError(f"{noun}: the path is a {type(path).__name__}, not a str")
        checked_name(path, noun, formats)
        return LocalFile(path)
    if not hasattr(data, "read"):
        return None
    name = getattr(data, "name", None)
    if file_type is None and not isinstance(name, str):
        raise InvalidDataError(f"{noun}: file_type says what an open file without a name is: {', '.join(formats)}")
    word = checked_name(f".{file_type.lstrip('.')}" if file_type is not None else str(name), noun, formats)
    if hasattr(data, "seek") and (not hasattr(data, "seekable") or data.seekable()):
        data.seek(0)
    read = data.read()
    if not isinstance(read, (str, bytes, bytearray)):
        raise InvalidDataError(f"{noun}: the open file gives a {type(read).__name__}, not text or bytes")
    return Bytes(read.encode() if isinstance(read, str) else bytes(read), word)
