"""What the server and the UI weigh."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import server
from options import Options
from result import Result


def measure(options: Options) -> Iterator[Result]:
    with server.running(options.binary, options.work / "idle" / "data") as own:
        own.request("GET", "/")
        own.request("GET", "/api/v1/projects")
        time.sleep(3)
        yield Result("server memory, idle", own.status("VmRSS") / (1 << 20), "MiB", 40, note="no runs yet")
    yield binary(options)
    yield from first_load(server.ROOT / "ui" / "dist")


def binary(options: Options) -> Result:
    stripped = options.work / "stripped"
    shutil.copy(options.binary, stripped)
    note = f"{options.binary.parent.name} profile"
    if options.binary.parent.name != "dist":
        subprocess.run(["strip", str(stripped)], check=True)
        note += ", stripped here; `dist`, which is shipped, is smaller"
    return Result("binary with UI", stripped.stat().st_size / (1 << 20), "MiB", 40, note=note)


def first_load(dist: Path) -> Iterator[Result]:
    """The page, and the scripts and styles that it or its scripts load at once; fonts are compressed by themselves."""
    page = dist / "index.html"
    if not page.exists():
        return
    files = {page}
    waiting = [dist / name.lstrip("/") for name in re.findall(r'(?:src|href)="(/[^"]+)"', page.read_text())]
    while waiting:
        path = waiting.pop()
        if path in files or not path.is_file():
            continue
        files.add(path)
        if path.suffix == ".js":
            static = re.findall(r'(?:from|import)\s*"\./([^"]+)"', path.read_text())
            waiting += [path.parent / name for name in static]
    packed = sum(len(gzip.compress(path.read_bytes(), 6)) for path in files)
    scripts = [path for path in dist.rglob("*") if path.suffix in (".js", ".css")]
    everything = sum(len(gzip.compress(path.read_bytes(), 6)) for path in scripts)
    note = f"{len(files)} files; every script and style there is, lazy ones too: {everything / 1024:.0f} KiB"
    yield Result("UI first load, gzip", packed / 1024, "KiB", 300, note=note)
