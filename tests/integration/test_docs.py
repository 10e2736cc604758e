"""Every script of the pages about frameworks runs as it is, and its runs arrive."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import Training

PAGES = Path(__file__).resolve().parents[2] / "docs" / "integrations"

SCRIPTS = [
    pytest.param(page.stem, script, id=f"{page.stem}-{number}")
    for page in sorted(PAGES.glob("*.md"))
    for number, script in enumerate(re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL))
]

#: How many runs a script makes, when it is not one.
RUNS = {"optuna-1": 5}


def test_every_integration_has_a_page_with_a_script() -> None:
    integrations = {path.stem for path in (PAGES.parents[1] / "python/steplog/integration").glob("[a-z]*.py")}
    assert {param.values[0] for param in SCRIPTS} == {*integrations, "as-wandb", "pytorch"}


@pytest.mark.parametrize(("page", "script"), SCRIPTS)
def test_a_script_of_a_page(training: Training, request: pytest.FixtureRequest, page: str, script: str) -> None:
    training(script, STEPLOG_SILENT="1")
    runs = training.api.runs(f"local/{page}")
    assert len(runs) == RUNS.get(request.node.callspec.id, 1)
    assert all(run["state"] == "finished" and run["exit_code"] == 0 and run["row_count"] > 0 for run in runs)
