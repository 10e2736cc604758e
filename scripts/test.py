"""Runs parts of the test, each a target of the Makefile, all whatever fails, and counts what passed and failed."""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# The closing lines of nextest, cargo test, pytest, vitest, and of scripts/check.py.
CLOSING = re.compile(
    r"^\s*(Summary \[.*|test result: .*|Tests  .*|=* ?\d+ (passed|failed|error).* in [0-9.]+s.*"
    r"|\d+ passed, \d+ failed)$"
)
COUNT = re.compile(r"(\d+) (passed|failed|errors?|timed out)\b")


def run(part: str) -> tuple[int, int, float]:
    """Runs one part; how many passed and failed, and the seconds it took."""
    begun = time.monotonic()
    passed = failed = 0
    with subprocess.Popen(
        ["make", part], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as make:
        assert make.stdout is not None
        for line in make.stdout:
            print(line, end="", flush=True)
            if CLOSING.match(plain := COLOUR.sub("", line.rstrip())):
                for count, word in COUNT.findall(plain):
                    if word == "passed":
                        passed += int(count)
                    else:
                        failed += int(count)
    if make.returncode != 0 and failed == 0:
        failed = 1
    return passed, failed, time.monotonic() - begun


begun = time.monotonic()
results = {part: run(part) for part in sys.argv[1:]}
print("\npart            passed  failed  seconds")
for part, (passed, failed, seconds) in results.items():
    print(f"{part:<14} {passed:7} {failed:7} {seconds:8.1f}")
print(f"{'all':<14} {'':7} {'':7} {time.monotonic() - begun:8.1f}\n")
failed = sum(failed for _, failed, _ in results.values())
print(f"{sum(passed for passed, _, _ in results.values())} passed, {failed} failed")
sys.exit(1 if failed else 0)
