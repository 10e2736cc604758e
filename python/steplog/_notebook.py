"""Notebooks: what a run looks like in one, and cells that end before the run does."""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from steplog._run import Run

#: How long a cell waits to learn whether there is a server to show, in seconds.
SERVER_WAIT = 1.0
#: What a picture drawn here is made of at most: bytes of the journal that are read for it, metrics, points of each.
MOST_JOURNAL_BYTES = 32 << 20
MOST_METRICS = 24
MOST_POINTS = 120

_followed: Any = None


def in_notebook() -> bool:
    """Whether cells of a notebook are being run; IPython is asked only if somebody loaded it."""
    shell = _shell()
    return shell is not None and bool(shell.has_trait("kernel"))


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def follow_cells() -> None:
    """End open runs when a cell is interrupted: the rest of the cell, with its ``finish()``, will never be run."""
    global _followed
    shell = _shell()
    if shell is not None and shell is not _followed and hasattr(shell, "events"):
        shell.events.register("post_run_cell", _after_cell)
        _followed = shell


def _after_cell(result: Any = None) -> None:
    if isinstance(getattr(result, "error_in_exec", None), KeyboardInterrupt):
        from steplog import _session

        _session.finish_open_runs(255)


def display(run: Run, height: int, hidden: bool) -> bool:
    """Show a run below the cell that is being run; whether there is one."""
    if not in_notebook():
        return False
    import importlib

    # Its functions have types only in some versions.
    ipython: Any = importlib.import_module("IPython.display")
    ipython.display(ipython.HTML(to_html(run, height, hidden)))
    return True


def to_html(run: Run, height: int, hidden: bool) -> str:
    """A run as HTML: its live page in a frame where a server has it, else what this process knows of it."""
    from html import escape

    url = run.url
    if url is not None and _has_server(run):
        scheme, _, rest = url.partition("://")
        host, _, path = rest.partition("/")
        source, title = escape(f"{scheme}://{host}/embed/{path}"), escape(f"run {run.path}")
        style = f"display:block;width:100%;height:{int(height)}px;border:1px solid #8884;border-radius:8px"
        shown = f'<iframe src="{source}" title="{title}" style="{style}"></iframe>'
    else:
        shown = _card(run)
    if hidden:
        label = escape(run.name or run.id)
        return f"<details><summary>run {label}</summary>{shown}</details>"
    return shown


def _has_server(run: Run) -> bool:
    """Whether the server answers. A run that has just begun may not know yet."""
    deadline = time.monotonic() + SERVER_WAIT
    while not run.status().connected:
        if run.finished or time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def _card(run: Run) -> str:
    from html import escape

    state = "finished" if run.finished else "recording"
    name, path = escape(run.name or run.id), escape(run.path)
    where = "Nothing of it is kept." if run.disabled else f"<code>steplog ui {escape(run.root or '.')}</code>"
    rows = "".join(_metric_row(key, values) for key, values in _metrics(run))
    table = f'<table style="margin-top:8px">{rows}</table>' if rows else ""
    return (
        '<div style="border:1px solid #8884;border-radius:8px;padding:10px 14px;display:inline-block">'
        f"<strong>{name}</strong> <span style='opacity:.6'>{path} · {state}</span>{table}"
        f'<div style="margin-top:8px;opacity:.75">{where}</div></div>'
    )


def _metrics(run: Run) -> Iterable[tuple[str, list[float]]]:
    """The numbers of each metric, in the order in which they were logged."""
    from math import isfinite

    if run.disabled or run.status().journal_bytes > MOST_JOURNAL_BYTES:
        return [(key, [value]) for key, value in _leaves(run.summary.as_dict()) if isfinite(value)][:MOST_METRICS]
    found: dict[str, list[float]] = {}
    for row in run.history:
        for key, value in _leaves(row):
            if isfinite(value) and not key.startswith("_") and (key in found or len(found) < MOST_METRICS):
                found.setdefault(key, []).append(value)
    return found.items()


def _leaves(values: dict[str, Any], before: str = "") -> Iterable[tuple[str, float]]:
    for key, value in values.items():
        if isinstance(value, dict):
            if "_type" not in value:
                yield from _leaves(value, f"{before}{key}.")
        elif isinstance(value, (int, float)):
            yield f"{before}{key}", float(value)


def _metric_row(key: str, values: list[float]) -> str:
    from html import escape

    cell = "padding:2px 10px 2px 0;border:0;text-align:"
    return (
        f'<tr style="background:none"><td style="{cell}left">{escape(key)}</td>'
        f'<td style="{cell}left">{_spark_line(values)}</td><td style="{cell}right">{values[-1]:.6g}</td></tr>'
    )


def _spark_line(values: list[float]) -> str:
    """A small picture of how a metric went: of many values the lowest and highest of each part."""
    width, height = 160, 22
    part = max(1, -(-2 * len(values) // MOST_POINTS))
    chunks = [values[at : at + part] for at in range(0, len(values), part)]
    points = [extreme for chunk in chunks for extreme in ((min(chunk), max(chunk)) if part > 1 else chunk)]
    if len(points) < 2:
        return ""
    low, high = min(points), max(points)
    # Halves, for the difference of two large numbers may be more than a float can hold.
    span = high / 2 - low / 2 or 1.0
    places = (
        f"{at * width / (len(points) - 1):.1f},{height - 1 - (point / 2 - low / 2) / span * (height - 2):.1f}"
        for at, point in enumerate(points)
    )
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">'
        f'<polyline points="{" ".join(places)}" fill="none" stroke="#4c7df0" stroke-width="1.5"/></svg>'
    )
