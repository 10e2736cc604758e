"""What the server answers in pages, as a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

Item = TypeVar("Item")


class Pages(Generic[Item]):
    """A sequence whose items are read in pages as they are asked for, and kept."""

    def __init__(self, next_page: Callable[[], list[Item] | None]) -> None:
        # Answers None behind the last page; a page may be empty.
        self._next_page = next_page
        self._read: list[Item] = []
        self._at_end = False

    def _read_until(self, count: int | None) -> None:
        """Reads pages until there are so many items, or all."""
        while not self._at_end and (count is None or len(self._read) < count):
            page = self._next_page()
            self._at_end = page is None
            self._read += page or []

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            ends = [end for end in (index.start, index.stop) if end is not None]
            forward = index.stop is not None and all(end >= 0 for end in ends) and (index.step or 1) > 0
            self._read_until(index.stop if forward else None)
        else:
            self._read_until(None if index < 0 else index + 1)
        return self._read[index]

    def __iter__(self) -> Iterator[Item]:
        at = 0
        while True:
            self._read_until(at + 1)
            if at >= len(self._read):
                return
            yield self._read[at]
            at += 1
