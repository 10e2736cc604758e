"""Runs every check that is no test: formats, lints, types. What a check prints is shown only when it fails."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON_FILES = ["python", "tests", "examples", "scripts", "bench"]

CHECKS: list[tuple[str, list[str], str]] = [
    ("rustfmt", ["cargo", "fmt", "--all", "--check"], "."),
    ("clippy", ["cargo", "clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"], "."),
    ("rustdoc", ["cargo", "doc", "--release", "--no-deps", "--document-private-items"], "."),
    ("ruff format", [sys.executable, "-m", "ruff", "format", "--check", *PYTHON_FILES], "."),
    ("ruff check", [sys.executable, "-m", "ruff", "check", *PYTHON_FILES], "."),
    ("mypy", [sys.executable, "-m", "mypy", "--strict", "python/steplog"], "."),
    ("stubtest", [sys.executable, "-m", "mypy.stubtest", "steplog._native"], "."),
    ("reference of the Python API", [sys.executable, "scripts/reference.py", "--check"], "."),
    ("ui types, lints and format", ["npm", "run", "--silent", "check"], "ui"),
]


def passes(name: str, command: list[str], folder: str) -> bool:
    """Runs one check and says how it went."""
    begun = time.monotonic()
    environment = {**os.environ, "RUSTDOCFLAGS": "-D warnings"}
    done = subprocess.run(
        command, cwd=ROOT / folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    word = "ok" if done.returncode == 0 else "FAILED"
    print(f"{name:<28} {word} ({time.monotonic() - begun:.1f} s)", flush=True)
    if done.returncode != 0:
        print(f"$ {' '.join(command)}\n{done.stdout}", flush=True)
    return done.returncode == 0


results = [passes(*check) for check in CHECKS]
print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
sys.exit(0 if all(results) else 1)
