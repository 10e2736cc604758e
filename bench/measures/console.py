"""What recording what is printed costs: the print itself, and everything else beside it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator

import server
from options import Options
from result import Result

#: Lines a second that a script may print without noticing, as microseconds for each.
BUDGET_MICROS = 10


def measure(options: Options) -> Iterator[Result]:
    yield from printing(options)
    with server.running(options.binary, options.work / "console" / "data") as own:
        yield from beside(options, own)


def printing(options: Options) -> Iterator[Result]:
    """A typical line, printed by Python to where it costs nothing, and to a pipe that is read."""
    for target in ("/dev/null", "pipe"):
        found: dict[str, list[float]] = {"off": [], "wrap": [], "redirect": []}
        for _ in range(5):
            for mode, times in found.items():
                arguments = (mode, target, options.scaled(300_000))
                times.append(json.loads(options.probe("print_lines", options.work / "print", None, *arguments)))
        off, wrap, redirect = (statistics.median(times) for times in found.values())
        note = f"{1e6 / wrap:,.0f} lines/s; not recorded: {off:.2g} µs, redirected: {redirect:.2g} µs"
        yield Result(f"`print` of a line to {target}, recorded", wrap, "µs", BUDGET_MICROS, note=note)


def beside(options: Options, own: server.Server) -> Iterator[Result]:
    """Figures of the other measures, which are taken with the console recorded, as it is by default, and without."""
    found: dict[str, list[dict[str, float]]] = {"off": [], "wrap": [], "redirect": []}
    calls: dict[str, list[float]] = {mode: [] for mode in found}
    for _ in range(9):
        for mode in found:
            life = json.loads(options.probe("lifecycle", options.work / "life", own.url, mode))
            found[mode].append(life)
            rows = json.loads(options.probe("log", options.work / "log", None, options.scaled(50_000), 10, mode))
            calls[mode].append(rows["p50_us"])

    def of(name: str) -> dict[str, float]:
        return {mode: statistics.median(one[name] for one in lives) for mode, lives in found.items()}

    log = {mode: statistics.median(times) for mode, times in calls.items()}
    for what, by_mode, unit, budget in (
        ("`init()`", of("init_ms"), "ms", 10.0),
        ("`finish()`", of("finish_ms"), "ms", 50.0),
        ("`log` of 10 scalars, p50", log, "µs", 0.9),
    ):
        note = f"not recorded: {by_mode['off']:.2g} {unit}, redirected: {by_mode['redirect']:.2g} {unit}"
        yield Result(f"{what}, console recorded", by_mode["wrap"], unit, budget, note=note)
