"""Every script of the page about artifacts runs as it is, one after the other, without a server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "artifacts.md"


def test_the_scripts_of_the_page_run(tmp_path: Path) -> None:
    scripts = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    environment = {**os.environ, "STEPLOG_CACHE_DIR": str(tmp_path / "cache")}
    said = []
    for script in scripts:
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{script}\n{done.stderr}"
        said += done.stdout.splitlines()
    assert [line.rpartition(" ")[0] if line.startswith("digits:v0 ") else line for line in said] == [
        "digits:v0",
        "digits:v1",
        "['more.csv', 'test.csv']",
        f"file://{tmp_path}/large.bin",
        "['cat', 'dog'] <base target=\"_blank\"><style>body{margin:8px;font-family:system-ui,sans-serif}</style>"
        "<b>a cat</b>",
        "classifier:v0",
    ]
