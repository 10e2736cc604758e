#!/usr/bin/env python3
"""Measures steplog side by side with the packages that a user would pick instead; see docs/benchmarks.md.

Each tracker is installed into an environment of its own below `bench/.peers` and does the same work, in rounds: every
round gives each tracker its turn, so that a busy moment of the machine falls on all of them. Printed are medians. All
trackers work in a network namespace without a way out, where that can be made (as root).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import document
import server
import tree

BENCH = Path(__file__).resolve().parent
PEERS = BENCH / ".peers"
NAMES = [
    "steplog",
    "steplog_online",
    "json_lines",
    "goodseed",
    "trackio",
    "tensorboardx",
    "swanlab",
    "aim",
    "wandb",
    "wandb_online",
    "neptune_scale",
    "mlflow",
]
CHARTS = ["steplog_online", "goodseed", "trackio", "tensorboardx", "aim", "mlflow"]

#: What is measured, a table each: name, whether less is better, title with its unit.
TABLES = [
    [
        ("p50_1", True, "`log` p50, 1 scalar, µs"),
        ("p50_10", True, "10 scalars, µs"),
        ("p50_100", True, "100 scalars, µs"),
        ("p99_10", True, "p99, 10 scalars, µs"),
        ("cpu", True, "CPU per call of 10, µs"),
    ],
    [
        ("import_ms", True, "import, ms"),
        ("empty_s", True, "empty run, s"),
        ("lost", True, "rows lost of 10,000"),
        ("memory_mib", True, "peak of 100k calls, MiB"),
        ("disk", True, "bytes per scalar"),
    ],
    [
        ("ingest", False, "ingest, points/s"),
        ("chart_ms", True, "chart of 1,000 points, ms"),
        ("spike", False, "shows a one-point spike"),
    ],
]


def install(adapters: dict[str, ModuleType], wheel: Path | None) -> None:
    """Makes the environments; those that are there and complete stay."""
    PEERS.mkdir(exist_ok=True)
    for adapter in adapters.values():
        folder = PEERS / adapter.VENV
        wanted = [str(wheel) if need == "steplog" and wheel else need for need in adapter.REQUIREMENTS]
        wanted = [str(BENCH.parent) if need == "steplog" else need for need in wanted]
        stamp = folder / "requirements.txt"
        if stamp.exists() and stamp.read_text() == "\n".join(wanted) and "steplog" not in adapter.REQUIREMENTS:
            continue
        print(f"installing {' '.join(adapter.REQUIREMENTS) or 'nothing'} for {adapter.TITLE}", flush=True)
        if not folder.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        if wanted:
            pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *wanted], check=True)
            if "steplog" in adapter.REQUIREMENTS:
                subprocess.run([*pip, "--force-reinstall", "--no-deps", wanted[0]], check=True)
        stamp.write_text("\n".join(wanted))


def cut_off() -> bool:
    """Starts this program anew in a network namespace that has nothing but a loopback; whether it is in one."""
    if os.environ.get("BENCH_CUT_OFF"):
        with socket.socket() as any_socket:
            import fcntl

            name = struct.pack("16sH14x", b"lo", 0x1 | 0x40)  # up and running
            fcntl.ioctl(any_socket, 0x8914, name)
        return True
    probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    if probe.returncode == 0:
        os.environ["BENCH_CUT_OFF"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv, "--no-install"])
    return False


class Bench:
    """Runs tasks and keeps what they measured."""

    def __init__(self, adapters: dict[str, ModuleType], servers: dict[str, str], work: Path) -> None:
        self.adapters, self.servers, self.work = adapters, servers, work
        self.values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.notes: dict[str, list[str]] = defaultdict(list)
        self.turn = 0

    def environment(self, name: str, folder: Path) -> dict[str, str]:
        adapter = self.adapters[name]
        told = {
            key: value.format(server=self.servers.get(getattr(adapter, "SERVER", ""), ""), run=folder.name)
            for key, value in adapter.ENVIRONMENT.items()
        }
        home = folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": f"{PEERS / adapter.VENV / 'bin'}:/usr/bin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(home),
            **told,
        }

    def python(self, name: str) -> str:
        return str(PEERS / self.adapters[name].VENV / "bin" / "python")

    def task(self, name: str, task: str, calls: int = 0, scalars: int = 0, folder: Path | None = None) -> Any:
        """Does one task in a fresh folder, or the one given."""
        self.turn += 1
        folder = folder or self.work / f"{name}-{task}-{self.turn}"
        folder.mkdir(exist_ok=True)
        (folder / "result.json").unlink(missing_ok=True)
        environment = self.environment(name, folder)
        command = [
            self.python(name),
            str(BENCH / "trackers" / "worker.py"),
            name,
            task,
            str(folder),
            str(calls),
            str(scalars),
        ]
        use = tree.run(command, environment, folder)
        result = folder / "result.json"
        if not result.exists() and task != "kill":
            tail = (folder / "output.txt").read_text(errors="replace")[-1500:]
            raise RuntimeError(f"{name}: {task} ended with {use.code}\n{tail}")
        return folder, use, json.loads(result.read_text()) if result.exists() else {}

    def put(self, row: str, name: str, value: float) -> None:
        self.values[row][name].append(value)

    def calls(self, name: str, wanted: int) -> int:
        return min(wanted, getattr(self.adapters[name], "CALLS", wanted))

    def log_calls(self, name: str) -> None:
        for scalars, calls in ((1, 20_000), (10, 10_000), (100, 2_000)):
            folder, _, result = self.task(name, "call", self.calls(name, calls), scalars)
            self.put(f"p50_{scalars}", name, result["p50_us"])
            if scalars == 10:
                self.put("p99_10", name, result["p99_us"])
            shutil.rmtree(folder)

    def imports(self, name: str) -> None:
        folder = self.work / f"{name}-import"
        environment = self.environment(name, folder)
        times: dict[str, list[float]] = {"pass": [], f"import {self.adapters[name].IMPORT}": []}
        for _ in range(6):
            for code, found in times.items():
                begun = time.perf_counter()
                subprocess.run(
                    [self.python(name), "-c", code],
                    env=environment,
                    cwd=folder,
                    check=True,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                found.append((time.perf_counter() - begun) * 1_000)
        bare, imported = (statistics.median(found[1:]) for found in times.values())
        self.put("import_ms", name, imported - bare)

    def fill(self, name: str) -> None:
        """An empty run and one of 100,000 scalars: what a call costs in CPU, and a scalar on disk."""
        empty_folder, empty, _ = self.task(name, "fill", 0, 0)
        self.put("empty_s", name, empty.seconds)
        calls = self.calls(name, 10_000)
        folder, use, result = self.task(name, "fill", calls, 10)
        cpu = use.cpu_seconds - empty.cpu_seconds - 2 * result["making_rows_cpu_seconds"]
        self.put("cpu", name, cpu / calls * 1e6)
        self.put("disk", name, (size(folder) - size(empty_folder)) / (calls * 10))
        shutil.rmtree(folder)
        shutil.rmtree(empty_folder)

    def kill(self, name: str) -> None:
        calls = self.calls(name, 10_000)
        folder, use, _ = self.task(name, "kill", calls, 10)
        if use.code != -9:
            raise RuntimeError(f"{name}: kill ended with {use.code}")
        _, _, result = self.task(name, "count", folder=folder)
        self.put("lost", name, (calls - result["rows"]) * 10_000 / calls)
        shutil.rmtree(folder)

    def memory(self, name: str) -> None:
        folder, use, _ = self.task(name, "fill", self.calls(name, 100_000), 1)
        self.put("memory_mib", name, use.peak_bytes / (1 << 20))
        shutil.rmtree(folder)

    def charts(self, name: str) -> None:
        folder, _, result = self.task(name, "ingest")
        self.put("ingest", name, result["points_per_second"])
        _, _, result = self.task(name, "chart", folder=folder)
        self.put("chart_ms", name, result["chart_ms"])
        self.put("spike", name, float(result["spike"]))
        self.notes[name].append(f"first chart {result['first_ms']:.0f} ms, {result['points']} numbers")
        shutil.rmtree(folder)


def size(folder: Path) -> int:
    """Bytes of the files of a run, without what the bench itself wrote there."""
    own = {"result.json", "output.txt"}
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and path.name not in own)
    return sum(path.stat().st_size for path in files if "__pycache__" not in path.parts)


@contextmanager
def stub() -> Iterator[str]:
    port = server.free_port()
    process = subprocess.Popen([sys.executable, str(BENCH / "trackers" / "wandb_stub.py"), str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def table(bench: Bench, names: list[str], measures: list[tuple[str, bool, str]]) -> str:
    """The medians as Markdown: a row for each tracker, with the ratio to steplog's own figure, the worse of its two."""
    lines = ["| | " + " | ".join(title for _, _, title in measures) + " |", "| --- |" + " ---: |" * len(measures)]
    for name in names:
        cells = [cell(bench, name, measure, less) for measure, less, _ in measures]
        if any(cell != "–" for cell in cells):
            lines.append(f"| {bench.adapters[name].TITLE} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(bench: Bench, name: str, measure: str, less_is_better: bool) -> str:
    middle = {name: statistics.median(values) for name, values in bench.values[measure].items()}
    if name not in middle:
        return "–"
    value = middle[name]
    if measure == "spike":
        return "yes" if value else "no"
    ours = [value for name, value in middle.items() if name.startswith("steplog")]
    if name.startswith("steplog") or not ours or measure == "lost" or value <= 0:
        return number(value)
    ratio = value / max(ours) if less_is_better else min(ours) / value
    return f"{number(value)} ({number(ratio)}×)"


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def measure(bench: Bench, names: list[str], tasks: list[str], rounds: int, keep: Path | None) -> None:
    """Does every task with every tracker, round by round. A tracker that fails at one has no figure there."""
    for task in tasks:
        for turn in range(rounds if task not in ("memory", "charts", "kill") else 1):
            for name in names:
                if task == "charts" and name not in CHARTS:
                    continue
                title, begun = bench.adapters[name].TITLE, time.perf_counter()
                try:
                    getattr(bench, task)(name)
                except Exception as error:
                    print(f"{title}: {task}: {error}")
                print(f"{task} {turn + 1}: {title}, {time.perf_counter() - begun:.1f} s", flush=True)
                if keep:
                    # After each, for a sitting may be ended at any time.
                    keep.write_text(json.dumps(bench.values, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the short tasks; the long ones are done once")
    parser.add_argument("--only", help="names of adapters, separated by commas")
    parser.add_argument("--tasks", default="log_calls,imports,fill,kill,memory,charts", help="which tasks, by name")
    parser.add_argument("--wheel", type=Path, help="a steplog wheel; by default it is built from this tree")
    parser.add_argument("--no-install", action="store_true", help="take the environments as they are")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    parser.add_argument("--keep", type=Path, help="keep values in this file and go on from it, for several sittings")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else NAMES
    sys.path.append(str(BENCH / "trackers"))
    adapters = {name: importlib.import_module(f"adapters.{name}") for name in names}
    if not options.no_install:
        install(adapters, options.wheel)
    if not cut_off():
        print("no network namespace could be made: the trackers' own offline modes have to do")
    tree.adopt_orphans()
    began_on = server.machine()
    print(began_on)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-peers-")))
        servers = {"wandb_stub": stack.enter_context(stub())} if "wandb_online" in names else {}
        binary = server.find_binary()
        if binary:
            own = stack.enter_context(server.running(binary, work / "server" / "data"))
            servers["steplog"] = own.url
        elif "steplog_online" in names:
            print("there is no steplog binary (cargo build --release): steplog (online) is left out")
            names = [name for name in names if name != "steplog_online"]
        bench = Bench(adapters, servers, work)
        if options.keep and options.keep.exists():
            for row, values in json.loads(options.keep.read_text()).items():
                bench.values[row].update(values)
        try:
            measure(bench, names, options.tasks.split(","), options.rounds, options.keep)
        except KeyboardInterrupt:
            print("interrupted; what was measured until now:")
        print()
        measured = [measures for measures in TABLES if any(bench.values[measure] for measure, _, _ in measures)]
        tables = "\n\n".join(table(bench, names, measures) for measures in measured)
        print(tables, end="\n\n")
        if options.write:
            document.write("peers", began_on, tables)
        for name, notes in bench.notes.items():
            print(f"{adapters[name].TITLE}: {'; '.join(notes)}")


if __name__ == "__main__":
    main()
