"""The history of a run, as far as this process wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from steplog._run import Run


class History:
    """The rows that this process logged to a run.

    Iterating gives the complete rows as nested dicts, in the order in which they were completed, with the keys
    ``_step``, ``_timestamp`` (Unix seconds) and ``_runtime`` (seconds since the start). ``len()`` is how many there
    are, and an index gives one. Each of these reads the whole journal of this process back from disk: to go through it
    more than once, keep ``list(run.history)``. Rows of other processes are read with ``steplog.Api``.
    """

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._run.read_history())

    def __len__(self) -> int:
        return len(self._run.read_history())

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self._run.read_history()[index]

    def keys(self) -> list[str]:
        """The top-level keys of all rows, in the order in which they first came."""
        return list(dict.fromkeys(key for row in self for key in row if not key.startswith("_")))

    def add(self, row: Mapping[str, Any], step: int | None = None) -> None:
        """Log a complete row, as ``Run.log`` with ``commit=True`` does.

        Args:
            row: Metrics by key.
            step: The row's step. Default: the run's.

        Raises:
            InvalidDataError: Something in the row cannot be logged; nothing of this call was.
            UsageError: The run is finished.
        """
        self._run.log(row, step=step, commit=True)

    def update(self, row: Mapping[str, Any]) -> None:
        """Add to the open row without completing it, as ``Run.log`` with ``commit=False`` does.

        Args:
            row: Metrics by key.

        Raises:
            InvalidDataError: Something in the row cannot be logged; nothing of this call was.
            UsageError: The run is finished.
        """
        self._run.log(row, commit=False)

    def __repr__(self) -> str:
        return f"<steplog.History of {self._run.path}>"
