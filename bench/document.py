"""Puts measured tables into docs/benchmarks.md, between the marks that say where they belong."""

from __future__ import annotations

import time
from pathlib import Path

import server

PAGE = server.ROOT / "docs" / "benchmarks.md"


def write(name: str, began_on: str, table: str, page: Path = PAGE) -> None:
    """Replaces what stands between `<!-- NAME -->` and `<!-- /NAME -->`; `began_on` tells of the machine."""
    text = page.read_text()
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    if begin not in text or end not in text:
        raise ValueError(f"{page} has no place for {name}")
    front, rest = text.split(begin, 1)
    _, back = rest.split(end, 1)
    measured = f"Measured {time.strftime('%Y-%m-%d')}: {began_on}.\n"
    page.write_text(f"{front}{begin}{measured}\n{table}\n{end}{back}")
