"""What a run looks like in a notebook that has no server; with a real kernel and a server it is a story of its own."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

import steplog

CELL = "padding:2px 10px 2px 0;border:0;text-align:"


def test_without_a_server_a_run_is_a_table_of_its_metrics() -> None:
    run = steplog.init(project="p", id="a", name="<b>bold</b>")
    for step in range(3):
        run.log({"loss": 2 - step, "n": {"acc": step / 2}, "text": "t", "nothing": float("nan")})
    run.finish()
    assert (
        run._repr_html_()
        == run.to_html()
        == (
            '<div style="border:1px solid #8884;border-radius:8px;padding:10px 14px;display:inline-block">'
            "<strong>&lt;b&gt;bold&lt;/b&gt;</strong> <span style='opacity:.6'>local/p/a · finished</span>"
            '<table style="margin-top:8px">'
            f'<tr style="background:none"><td style="{CELL}left">loss</td><td style="{CELL}left">'
            '<svg width="160" height="22" viewBox="0 0 160 22" role="img">'
            '<polyline points="0.0,1.0 80.0,11.0 160.0,21.0" fill="none" stroke="#4c7df0" stroke-width="1.5"/></svg>'
            f'</td><td style="{CELL}right">0</td></tr>'
            f'<tr style="background:none"><td style="{CELL}left">n.acc</td><td style="{CELL}left">'
            '<svg width="160" height="22" viewBox="0 0 160 22" role="img">'
            '<polyline points="0.0,21.0 80.0,11.0 160.0,1.0" fill="none" stroke="#4c7df0" stroke-width="1.5"/></svg>'
            f'</td><td style="{CELL}right">1</td></tr>'
            f'</table><div style="margin-top:8px;opacity:.75"><code>steplog ui {run.root}</code></div></div>'
        )
    )


def test_a_long_run_keeps_its_extremes_in_the_picture() -> None:
    run = steplog.init()
    for step in range(10_000):
        run.log({"loss": 1e308 if step == 4321 else -1e308 if step == 8765 else 0.0})
    points = run.to_html().split('points="')[1].split('"')[0].split()
    heights = [float(point.split(",")[1]) for point in points]
    assert (len(points) <= 120, heights.count(1.0), heights.count(21.0), set(heights)) == (
        True,
        1,
        1,
        {1.0, 11.0, 21.0},
    )


def test_a_hidden_one_is_folded_and_a_disabled_one_keeps_nothing() -> None:
    run = steplog.init(name="n", mode="disabled")
    run.log({"loss": 1})
    shown = run.to_html(hidden=True)
    assert shown.startswith("<details><summary>run n</summary><div ") and shown.endswith("</div></details>")
    assert ">loss<" in shown and "Nothing of it is kept." in shown


def test_a_script_has_nowhere_to_show_a_run() -> None:
    assert steplog.init().display() is False


@pytest.mark.parametrize(
    ("error", "exits"),
    [(KeyboardInterrupt(), [255]), (ValueError(), []), (None, [])],
    ids=["interrupt", "error", "end"],
)
def test_an_interrupted_cell_ends_the_run(
    error: BaseException | None, exits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from conftest import journals

    calls: list[Any] = []
    events = types.SimpleNamespace(register=lambda name, call: calls.append((name, call)))
    shell = types.SimpleNamespace(has_trait=lambda name: name == "kernel", events=events)
    notebook = types.ModuleType("IPython")
    notebook.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    run = steplog.init()
    beside = steplog.init(reinit="create_new")
    [(name, call)] = calls
    call(types.SimpleNamespace(error_in_exec=error))
    assert (name, journals(run)[0].exits, journals(beside)[0].exits) == ("post_run_cell", exits, exits)
    beside.finish()
