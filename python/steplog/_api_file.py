"""The files of a run of a server."""

from __future__ import annotations

import os

from steplog._api_pages import Pages
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from steplog._native import NativeApiFile, NativeApiRun


class File:
    """A file of a run as it was when it was listed; made by ``Run.files()`` and ``Run.file()``."""

    def __init__(self, native: NativeApiFile) -> None:
        self._native, self._info = native, native.info()

    @property
    def name(self) -> str:
        """Folders and name, joined by ``/``; unique in its run."""
        return str(self._info["path"])

    @property
    def size(self) -> int:
        """Size in bytes."""
        return int(self._info["size_bytes"])

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the content, 64 hex digits. None where the server shows a folder, whose files nobody hashed."""
        digits = self._info["sha256"]
        return None if digits is None else str(digits)

    @property
    def mimetype(self) -> str:
        """What it is, by the ending of its name, such as ``image/png``."""
        return str(self._info["media_type"])

    @property
    def updated_at(self) -> str:
        """When this content came to the server: ISO 8601 in UTC."""
        return str(self._info["updated_at_iso"])

    @property
    def url(self) -> str:
        """Where the server has its content; to be asked with the API key, where keys are needed."""
        return self._native.url

    def download(self, root: str | os.PathLike[str] = ".", replace: bool = False, exist_ok: bool = False) -> str:
        """Write what the server has of it now into a folder, under its name.

        Folders that are missing are made, and nothing is written outside of ``root``. The file is there when all of it
        is, with the size and hash that the server says. When the connection breaks off, another one brings the rest.
        Ctrl-C ends it while bytes come.

        Args:
            root: Folder, relative to the working directory or absolute.
            replace: Whether a file that stands there is replaced.
            exist_ok: Whether a file that stands there is kept and taken for this one. ``replace`` is stronger.

        Returns:
            Path of the file: ``root`` and its name.

        Raises:
            InvalidDataError: A file stands there, or a link in ``root`` leads out of it.
            IsADirectoryError: A folder stands there.
            NotFoundError: The file or its run was removed.
            CommError: The server refuses, does not answer, or did not send all of it.
            Error: The disk refuses.
        """
        folder = os.fspath(root)
        if not isinstance(folder, str):
            raise InvalidDataError(f"root is a {type(folder).__name__}, not a str")
        return self._native.download(folder, replace, exist_ok)

    def delete(self) -> None:
        """Remove it from the server; a run that goes on and has saved it sends it again when it changes.

        Raises:
            NotFoundError: It is gone already.
            CommError: The server refuses, or does not answer.
        """
        self._native.delete()

    def __repr__(self) -> str:
        return f"<steplog.api.File {self.name} ({self.size} bytes)>"


class Files(Pages[File]):
    """Files of a run as a sequence by name, read in pages as they are asked for and kept; made by ``Run.files()``.

    ``len()`` reads all pages.
    """

    def __init__(self, run: NativeApiRun, names: list[str] | None, prefix: str, per_page: int) -> None:
        self._names = None if names is None else frozenset(names)
        # So that the server lists few others.
        common = os.path.commonprefix(names or [])  # noqa: RUF071  # Of characters, as a prefix is.
        native = run.files(max(prefix, common, key=len), per_page)
        self._prefix = prefix

        def next_page() -> list[File] | None:
            page = native.next_page()
            return [file for file in map(File, page) if self._has(file.name)] if page else None

        super().__init__(next_page)

    def _has(self, name: str) -> bool:
        return name.startswith(self._prefix) and (self._names is None or name in self._names)

    def __len__(self) -> int:
        self._read_until(None)
        return len(self._read)

    def __bool__(self) -> bool:
        self._read_until(1)
        return bool(self._read)

    def __repr__(self) -> str:
        return "<steplog.api.Files>"


def name_list(names: Any) -> list[str] | None:
    """Names of files as a list; None for all."""
    if names is None:
        return None
    listed = [names] if isinstance(names, str) else list(names)
    for name in listed:
        if not isinstance(name, str):
            raise InvalidDataError(f"the file name {name!r} is a {type(name).__name__}, not a str")
    if not listed:
        raise InvalidDataError("names is empty: leave it out for all")
    return listed
