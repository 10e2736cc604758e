"""What the machines of a run were busy with, as a table."""

from __future__ import annotations

from steplog._api_history import HistoryTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import polars
    import pyarrow

    from steplog._native import NativeApiRun, NativeDownload


class SystemTable(HistoryTable):
    """Samples of what machines were busy with, as a table with a row for each; made by ``Run.system_table()``.

    Columns are ``_step`` (the run's highest step when the sample came), ``_timestamp`` (Unix seconds), ``_runtime``
    (seconds since the run began) and the system metrics, such as ``cpu``; where processes have labels, ``LABEL/cpu``.
    Rows come process by process as they began. What a sample does not have is null. It is read as a ``HistoryTable``.
    """

    def __init__(self, run: NativeApiRun, columns: list[str] | None = None, samples: int | None = None) -> None:
        super().__init__(run, None, None, None, None, None)
        self._wanted, self._samples = columns, samples

    def to_arrow(self) -> pyarrow.Table:
        """The samples as a ``pyarrow.Table``, which is kept for further calls. Needs pyarrow.

        Raises:
            NotFoundError: The run is gone.
            CommError: No server answers, or the download broke off.
        """
        if self._arrow is None:
            import pyarrow

            table = super().to_arrow()
            table = table.take(self._chosen(table.num_rows))
            if self._wanted is not None:
                nothing = pyarrow.nulls(table.num_rows, pyarrow.float64())
                have = {column: table.column(column) for column in table.column_names}
                table = pyarrow.table({column: have.get(column, nothing) for column in self._wanted})
            self._arrow = table
        return self._arrow

    def to_polars(self) -> polars.DataFrame:
        """The samples as a ``polars.DataFrame``. Needs polars; with pyarrow nothing is copied.

        Raises:
            NotFoundError: The run is gone.
            CommError: No server answers, or the download broke off.
        """
        import polars

        frame = super().to_polars()
        frame = frame[self._chosen(frame.height)]
        if self._wanted is None:
            return frame
        nothing = polars.lit(None, dtype=polars.Float64)
        return frame.select(
            polars.col(column) if column in frame.columns else nothing.alias(column) for column in self._wanted
        )

    def to_dicts(self) -> list[dict[str, Any]]:
        """The samples as dicts, without what they do not have. Needs no library.

        Raises:
            NotFoundError: The run is gone.
            CommError: No server answers, or the download broke off.
        """
        rows = self._run.system_rows()
        rows = [rows[index] for index in self._chosen(len(rows))]
        if self._wanted is None:
            return rows
        return [{column: row.get(column) for column in self._wanted} for row in rows]

    def _chosen(self, count: int) -> list[int]:
        """Which samples are taken: all, or some at even distances with the first and the last."""
        wanted = count if self._samples is None else min(self._samples, count)
        if wanted < 2:
            return list(range(wanted))
        return [index * (count - 1) // (wanted - 1) for index in range(wanted)]

    def _download(self, form: str) -> NativeDownload:
        return self._run.download_system(form)

    def __repr__(self) -> str:
        return "<steplog.api.SystemTable>"
