#!/usr/bin/env python3
"""Measures the hot paths of steplog and prints each figure beside its budget; see docs/benchmarks.md.

Needs the Python package in this interpreter's environment, and the `steplog` binary in `target/dist` or
`target/release`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import traceback
from pathlib import Path

import document
from options import BENCH, Options
from result import HEAD, line
from server import find_binary, machine

#: Where the rows of a measure stand in docs/benchmarks.md, when it is not among the budgets.
TABLES = {"artifacts": "artifacts"}

MEASURES = ["client", "console", "ingest", "query", "live", "artifacts", "footprint"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, for a first look")
    parser.add_argument("--seconds", type=int, default=60, help="length of the memory soak")
    parser.add_argument("--only", default=",".join(MEASURES), help="which parts, separated by commas")
    parser.add_argument("--binary", type=Path, default=find_binary(), help="the steplog binary")
    parser.add_argument(
        "--write", action="store_true", help="put the tables of what was measured into docs/benchmarks.md"
    )
    chosen = parser.parse_args()
    if chosen.binary is None:
        parser.error("there is no steplog binary: cargo build --release")
    (BENCH / ".work").mkdir(exist_ok=True)
    failed = False
    began_on = machine()
    tables: dict[str, list[str]] = {}
    print(began_on)
    print(f"\n{HEAD}", flush=True)
    with tempfile.TemporaryDirectory(dir=BENCH / ".work") as work:
        options = Options(chosen.binary.resolve(), Path(work), chosen.quick, chosen.seconds)
        for name in chosen.only.split(","):
            lines = tables.setdefault(TABLES.get(name, "budgets"), [HEAD])
            try:
                for result in importlib.import_module(f"measures.{name}").measure(options):
                    lines.append(line(result))
                    print(lines[-1], flush=True)
            except Exception:
                failed = True
                print(f"{name} could not be measured:\n{traceback.format_exc()}", file=sys.stderr)
    if chosen.write:
        for table, lines in tables.items():
            document.write(table, began_on, "\n".join(lines))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
