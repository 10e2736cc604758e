"""A run's history as a table: for pandas, polars, Arrow, or as a file."""

from __future__ import annotations

import json
import os

from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas
    import polars
    import pyarrow

    from steplog._native import NativeApiRun, NativeDownload

#: Bytes copied at a time into a file.
PIECE_BYTES = 1 << 20

FORMATS = {".arrow": "arrow", ".arrows": "arrow", ".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}


class HistoryTable:
    """Rows of a run, as a table with a row for each step; made by ``Run.history_table()``.

    Columns are ``_step``, ``_timestamp`` (Unix seconds), ``_runtime`` (seconds since the run began) and the metrics. A
    metric with integers only is an integer column, with numbers only a float column, with booleans only a boolean one,
    with text only a text column; any other holds lists, maps or values of several types, as JSON text in Arrow and
    polars and as Python objects in pandas. What was not logged at a step is null. Floats keep their bits.

    The server is asked when data is first needed. With pyarrow installed the data goes from the socket into Arrow's
    memory and from there to polars without a copy. The table has the Arrow PyCapsule interface: ``pyarrow.table(t)``,
    ``polars.DataFrame(t)``, DuckDB and others take it as it is.
    """

    def __init__(
        self,
        run: NativeApiRun,
        keys: list[str] | None,
        columns: list[str] | None,
        samples: int | None,
        from_step: int | None,
        to_step: int | None,
    ) -> None:
        self._run, self._columns = run, columns
        self._query: dict[str, Any] = {"keys": keys, "samples": samples, "from_step": from_step, "to_step": to_step}
        self._arrow: pyarrow.Table | None = None

    def to_arrow(self) -> pyarrow.Table:
        """The rows as a ``pyarrow.Table``, which is kept for further calls. Needs pyarrow.

        Raises:
            NotFoundError: The run is gone.
            CommError: No server answers, or the download broke off.
        """
        if self._arrow is None:
            import pyarrow.ipc

            with _closing(self._download("arrow")) as source, pyarrow.ipc.open_stream(source) as stream:
                table = stream.read_all()
            self._arrow = table if self._columns is None else table.select(self._columns)
        return self._arrow

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a ``pandas.DataFrame``. Needs pandas; pyarrow too where the payload of a NaN matters.

        What was not logged is NaN, as pandas has it; integers with gaps become floats by that.

        Raises:
            NotFoundError: The run is gone.
            CommError: No server answers, or the download broke off.
        """
        import pandas

        if not _is_installed("pyarrow"):
            return pandas.DataFrame(self.to_dicts(), columns=self._columns)
        import pyarrow

        table = self.to_arrow()
        frame: pandas.DataFrame = table.to_pandas()
        for field in table.schema:
            if field.type == pyarrow.large_utf8():
                values = [None if text is None else json.loads(text) for text in table.column(field.name).to_pylist()]
                frame[field.name] = pandas.Series(values, dtype=object, index=frame.index)
        return frame

    def to_polars(self) -> polars.DataFrame:
        """The rows as a ``polars.DataFrame``. Needs polars; with pyarrow nothing is copied.

        Raises:
            NotFoundError: The run is gone.
            CommError: No server answers, or the download broke off.
        """
        import polars

        if _is_installed("pyarrow"):
            frame = polars.from_arrow(self.to_arrow())
            assert isinstance(frame, polars.DataFrame)
            return frame
        with _closing(self._download("arrow")) as source:
            frame = polars.read_ipc_stream(source.read())
        return frame if self._columns is None else frame.select(self._columns)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as dicts, without what was not logged. Needs no library.

        They come as JSON: the payload of a NaN is lost, integers beyond 64 bits are text, and the texts ``NaN``,
        ``Infinity`` and ``-Infinity`` are taken for the numbers.

        Raises:
            NotFoundError: The run is gone.
            CommError: No server answers, or the download broke off.
        """
        pages = self._run.rows(columns=self._columns, page_size=100_000, **self._query)
        rows: list[dict[str, Any]] = []
        while page := pages.next_page():
            rows += page
        return rows

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the rows into a file, with all of ``_step``, ``_timestamp`` and ``_runtime``.

        Args:
            path: File ending with ``.parquet``, ``.arrow`` (an IPC stream), ``.csv`` or ``.jsonl``. It is there when
                all of it is.

        Raises:
            InvalidDataError: The file's ending is another one.
            NotFoundError: The run is gone.
            CommError: No server answers, or the download broke off.
            OSError: The file cannot be written.
        """
        target = os.fspath(path)
        ending = os.path.splitext(target)[1]
        if ending not in FORMATS:
            raise InvalidDataError(f"the file {target!r} ends with none of {', '.join(sorted(FORMATS))}")
        save(self._download(FORMATS[ending]), target)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        if _is_installed("pyarrow"):
            return self.to_arrow().__arrow_c_stream__(requested_schema)
        return self.to_polars().__arrow_c_stream__(requested_schema)

    def _download(self, form: str) -> NativeDownload:
        return self._run.download_history(form, **self._query)

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self._query.items() if value is not None)
        return f"<steplog.api.HistoryTable {said}".rstrip() + ">"


class _closing:
    """Lets go of the connection in the end."""

    def __init__(self, download: NativeDownload) -> None:
        self._download = download

    def __enter__(self) -> NativeDownload:
        return self._download

    def __exit__(self, *_: object) -> None:
        self._download.close()


def save(download: NativeDownload, target: str) -> None:
    """Write a download beside its file and rename it at the end, so that half a file is never taken for a whole one."""
    part = f"{target}.{os.getpid()}.part"
    try:
        with _closing(download) as source, open(part, "wb") as file:
            while piece := source.read(PIECE_BYTES):
                file.write(piece)
        os.replace(part, target)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise


def _is_installed(library: str) -> bool:
    from importlib.util import find_spec

    return find_spec(library) is not None
