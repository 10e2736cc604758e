"""The bytes of a media object, wherever they are."""

from __future__ import annotations

import hashlib
import os
from typing import Any, Protocol

from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from steplog._media.base import Sink, Source

#: So much of a file is read at once, in bytes.
CHUNK_BYTES = 1 << 20


class Content(Protocol):
    """Bytes with a hash. What is added to an artifact stands there under a name that is made of it, so that equal
    content gives equal digests.
    """

    format: str

    @property
    def size(self) -> int:
        """In bytes."""

    @property
    def sha256(self) -> str:
        """In 64 hex digits."""

    def read(self) -> bytes:
        """All of it."""

    def add_to(self, sink: Sink, folder: str) -> str:
        """Add it to an artifact; answers its path there."""


class Bytes:
    """Content that was made here; in memory, so that a table of many small images needs no folder to be cleaned up."""

    __slots__ = ("_data", "_sha256", "format")

    def __init__(self, data: bytes, format: str) -> None:
        self._data, self.format = data, format
        self._sha256 = hashlib.sha256(data).hexdigest()

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self._data)

    @property
    def sha256(self) -> str:
        """In 64 hex digits."""
        return self._sha256

    def read(self) -> bytes:
        """All of it."""
        return self._data

    def add_to(self, sink: Sink, folder: str) -> str:
        """Add it to an artifact; answers its path there."""
        path = f"{folder}/{self._sha256[:20]}.{self.format}"
        sink.add_bytes(path, self._data)
        return path


class LocalFile:
    """A file of the script: it keeps its name, and is read when it is needed."""

    __slots__ = ("_hashed", "_path", "format")

    def __init__(self, path: str) -> None:
        if not os.path.isfile(path):
            raise (IsADirectoryError if os.path.isdir(path) else FileNotFoundError)(f"there is no file {path}")
        # The script may change its working directory before the file is needed.
        self._path = os.path.abspath(path)
        self.format = path.lower().rpartition(".")[2] if "." in os.path.basename(path) else ""
        self._hashed: tuple[tuple[int, int], str] | None = None

    @property
    def size(self) -> int:
        """In bytes."""
        return os.path.getsize(self._path)

    @property
    def sha256(self) -> str:
        """In 64 hex digits, of what the file holds now."""
        status = os.stat(self._path)
        state = (status.st_size, status.st_mtime_ns)
        if self._hashed is None or self._hashed[0] != state:
            digest = hashlib.sha256()
            with open(self._path, "rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
            self._hashed = (state, digest.hexdigest())
        return self._hashed[1]

    def read(self) -> bytes:
        """All of it."""
        with open(self._path, "rb") as file:
            return file.read()

    def add_to(self, sink: Sink, folder: str) -> str:
        """Add a copy to an artifact; answers its path there."""
        sha256 = self.sha256
        path = f"{folder}/{sha256[:20]}/{os.path.basename(self._path)}"
        sink.add_local_file(path, self._path, sha256)
        return path


class Stored:
    """A file of an artifact, fetched when it is needed."""

    __slots__ = ("_path", "_sha256", "_size", "_source", "format")

    def __init__(self, source: Source, said: dict[str, Any]) -> None:
        path, sha256, size = said.get("path"), said.get("sha256"), said.get("size")
        if not (isinstance(path, str) and isinstance(sha256, str) and isinstance(size, int)):
            raise InvalidDataError(f"the artifact's {said.get('_type')} does not say path, sha256 and size of its file")
        self._source, self._path, self._sha256, self._size = source, path, sha256, size
        self.format = path.rpartition(".")[2].lower()

    @property
    def size(self) -> int:
        """In bytes."""
        return self._size

    @property
    def sha256(self) -> str:
        """In 64 hex digits."""
        return self._sha256

    def read(self) -> bytes:
        """All of it."""
        with open(self._source.local_file(self._path), "rb") as file:
            return file.read()

    def add_to(self, sink: Sink, folder: str) -> str:
        """Add a copy to another artifact; answers its path there."""
        sink.add_local_file(self._path, self._source.local_file(self._path), self._sha256)
        return self._path


def checked_name(name: str, noun: str, formats: tuple[str, ...]) -> str:
    """What the name ends in, if that is one of the formats.

    Raises:
        InvalidDataError: It is none of them.
    """
    lower = name.lower()
    for word in formats:
        if lower.endswith(f".{word}"):
            return word
    raise InvalidDataError(f"{noun}: {name!r} ends in none of {', '.join(formats)}")
