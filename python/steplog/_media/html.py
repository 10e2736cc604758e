"""Pages."""

from __future__ import annotations

import os
import re
from typing import Any, ClassVar

from steplog._media.base import FileMedia
from steplog._media.content import Bytes, checked_name
from steplog.errors import InvalidDataError

#: What a page is given so that its links do not open inside of the frame that shows it, and its text is readable.
INJECTED = '<base target="_blank"><style>body{margin:8px;font-family:system-ui,sans-serif}</style>'


class Html(FileMedia):
    """A page, shown in a frame of its own.

    Args:
        data: HTML as text; the path of a file that is there and ends in ``.html``; or an open file.
        inject: Whether links are made to open in a new tab, and the page gets a readable font; what the page itself
            says wins.
        data_is_not_path: Whether text is never taken for a path.

    Raises:
        FileNotFoundError: ``data`` is a path, not a str, and there is no such file.
        InvalidDataError: ``data`` is something else, or no UTF-8.
    """

    __slots__ = ()
    _type: ClassVar[str] = "html-file"
    _folder: ClassVar[str] = "html"

    def __init__(self, data: str | os.PathLike[str] | Any, inject: bool = True, data_is_not_path: bool = False) -> None:
        text = _text(data, data_is_not_path)
        super().__init__(Bytes((_injected(text) if inject else text).encode(), "html"), None)

    @property
    def html(self) -> str:
        """The page, with what was injected; what is in an artifact is fetched."""
        return self.read().decode(errors="replace")


def _text(data: Any, data_is_not_path: bool) -> str:
    read: Any = data
    if isinstance(data, os.PathLike):
        checked_name(os.fsdecode(data), "Html", ("html",))
    if isinstance(data, os.PathLike) or (isinstance(data, str) and not data_is_not_path and _is_file(data)):
        with open(data, "rb") as file:
            read = file.read()
    elif hasattr(data, "read"):
        if hasattr(data, "seek") and (not hasattr(data, "seekable") or data.seekable()):
            data.seek(0)
        read = data.read()
    if isinstance(read, (bytes, bytearray)):
        try:
            return bytes(read).decode()
        except UnicodeDecodeError:
            raise InvalidDataError("Html: the page is not UTF-8") from None
    if not isinstance(read, str):
        raise InvalidDataError(
            f"Html takes text, a path that ends in .html or an open file, not a {type(read).__name__}"
        )
    return read


def _is_file(text: str) -> bool:
    try:
        return text.endswith(".html") and os.path.isfile(text)
    except ValueError:
        return False


def _injected(page: str) -> str:
    # Before all that the page says in its head, so that this wins.
    for before in (r"<head(\s[^>]*)?>", r"<html(\s[^>]*)?>", r"<!doctype[^>]*>"):
        if found := re.search(before, page, re.IGNORECASE):
            return page[: found.end()] + INJECTED + page[found.end() :]
    return INJECTED + page
