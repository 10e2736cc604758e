"""`steplog.as_wandb()`: `import wandb` gives steplog, without any framework."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = """
import importlib.metadata, importlib.util, json, sys
import steplog

def refused(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except steplog.Error as error:
        return str(error)
    raise AssertionError("it was not refused")
"""


def python(code: str, **variables: str) -> str:
    """What a script prints that ends well."""
    process = subprocess.run(
        [sys.executable, "-c", BEGIN + code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_a_script_of_the_field() -> None:
    python("""
steplog.as_wandb()
import wandb
assert wandb.run is None and "You must call" in refused(wandb.log, {"a": 1})
run = wandb.init(project="p", id="a", config={"lr": 0.1}, anonymous=None, tensorboard=False)
assert wandb.run is run is steplog.run and isinstance(run, wandb.Run)
wandb.log({"loss": 0.5})
wandb.config.update({"batch": 8})
wandb.summary["best"] = 1
wandb.define_metric("loss", summary="min")
assert wandb.config.as_dict() == {"lr": 0.1, "batch": 8}
assert wandb.summary["loss"] == 0.5 and wandb.summary["best"] == 1
assert [row["loss"] for row in run.history] == [0.5]
wandb.log({"spread": wandb.Histogram([1, 2, 3])})
wandb.finish()
assert wandb.run is None
with wandb.init(project="p", mode="disabled", settings=wandb.Settings(silent=True)) as run:
    pass
for name in wandb.__all__:
    getattr(wandb, name)
assert set(wandb.__all__) <= set(dir(wandb))
""")


def test_every_way_to_ask_for_it_finds_it() -> None:
    python("""
steplog.as_wandb()
steplog.as_wandb()
assert len([finder for finder in sys.meta_path if type(finder).__module__ == "steplog._as_wandb"]) == 1
spec = importlib.util.find_spec("wandb")
assert spec is not None and spec.origin.endswith("_wandb/__init__.py")
assert "wandb" not in sys.modules
import wandb
assert wandb.__file__ == spec.origin and wandb.__version__ == importlib.metadata.version("wandb")
distribution = importlib.metadata.distribution("wandb")
assert distribution.metadata["Name"] == "wandb" and distribution.version.split(".") >= ["0", "12", "10"]
assert "wandb" in importlib.metadata.packages_distributions()["wandb"]
assert importlib.metadata.version("steplog") == steplog.__version__
there = [entry.metadata["Name"] for entry in importlib.metadata.distributions()]
assert there.count("wandb") == 1
# pip looks into folders, where there is none.
assert "wandb" not in [entry.metadata["Name"] for entry in importlib.metadata.distributions(path=sys.path)]
try:
    importlib.metadata.version("wandb-core")
except importlib.metadata.PackageNotFoundError:
    pass
else:
    raise AssertionError

from wandb.errors import AuthenticationError, CommError, Error, UsageError
from wandb.errors.term import termlog
from wandb.sdk import wandb_run
from wandb.sdk.lib import RunDisabled, config_util, runid, telemetry
from wandb.sdk.lib.disabled import SummaryDisabled
from wandb.sdk.wandb_alerts import AlertLevel
from wandb.sdk.wandb_config import Config
from wandb.sdk.wandb_settings import Settings
from wandb.sdk.wandb_summary import Summary
from wandb.wandb_run import Run
from wandb.apis.public import Api
import wandb.data_types, wandb.env, wandb.plot, wandb.sklearn, wandb.util, wandb.errors.errors
assert (Run, wandb_run.Run, wandb.sdk.wandb_run.Run) == (steplog.Run,) * 3
assert config_util.ConfigError is steplog.ConfigError and Error is steplog.Error and Api is steplog.Api
assert wandb.data_types.Image is wandb.Image and wandb.data_types.Histogram is steplog.Histogram
assert len(runid.generate_id()) == 8 and len(wandb.util.generate_id(3)) == 3
with telemetry.context() as told:
    told.feature.anything = True
assert wandb.util.get_module("json") is json and wandb.util.get_module("no_such_module") is None
assert refused(wandb.util.get_module, "no_such_module", required="it is needed") == "it is needed"
wandb.env.set_project("q")
assert wandb.env.get_project() == "q"
wandb.setup(); wandb.require("core"); wandb.ensure_configured(); wandb.teardown()
""")


def test_artifacts_and_media_are_those_of_steplog() -> None:
    python("""
steplog.as_wandb()
import wandb
from wandb import Artifact, Image, Table, log_artifact
from wandb.sdk.artifacts.artifact import Artifact as Deep
from wandb.sdk.artifacts.exceptions import ArtifactNotLoggedError
from wandb.data_types import Html
assert Artifact is Deep is steplog.Artifact and Image is steplog.Image and Html is wandb.Html is steplog.Html
assert "You must call" in refused(log_artifact, "a")
with wandb.init(project="p") as run:
    artifact = wandb.Artifact("data", type="dataset", metadata={"rows": 1})
    artifact.add(wandb.Table(columns=["a"], data=[[1]]), "table")
    run.log_artifact(artifact, aliases=["best"])
    artifact.wait()
    assert run.use_artifact("data:best").get("table") == wandb.Table(columns=["a"], data=[[1]])
    assert wandb.log_model(sys.executable, name="model").type == "model"
    for value in (wandb.Html("x"), wandb.Table(columns=["a"]), [wandb.Html("x")], {"nested": wandb.Html("x")}):
        assert "which cannot be logged; an artifact can hold it" in refused(wandb.log, {"a": value})
""")


def test_what_is_not_there_yet_says_so_when_it_is_used() -> None:
    python("""
steplog.as_wandb()
import wandb
from wandb import Plotly, agent, sweep
assert not isinstance(1, (Plotly, wandb.Bokeh))
assert refused(Plotly, [1]).startswith("wandb.Plotly is not in steplog yet: ")
assert refused(wandb.data_types.EvalTable, data=[]).startswith("wandb.EvalTable is not in steplog yet: ")
assert refused(sweep, {}).startswith("wandb.sweep is not in steplog yet: ")
assert refused(wandb.plot.line, 1, 2).startswith("wandb.plot.line is not in steplog yet: ")
assert refused(wandb.sklearn.plot_roc).startswith("wandb.sklearn.plot_roc is not in steplog yet: ")
assert refused(wandb.init, monitor_gym=True).startswith("wandb.init(monitor_gym=True) is not in steplog yet: ")
run = wandb.init(project="p")
for name in ("upsert_artifact", "finish_artifact", "plot_table"):
    assert refused(getattr(run, name), "a").startswith(f"run.{name} is not in steplog yet: ")
try:
    wandb.init(force=True)
except wandb.CommError:
    pass
else:
    raise AssertionError
try:
    wandb.nothing_of_the_kind
except AttributeError as error:
    assert "module 'wandb' has no attribute 'nothing_of_the_kind'" in str(error)
else:
    raise AssertionError
""")


def test_runs_have_private_members_only_where_steplog_stands_for_wandb() -> None:
    python("""
assert not hasattr(steplog.Run, "_label") and not hasattr(steplog.Run, "_attach_id")
steplog.as_wandb()
assert hasattr(steplog.Run, "_label") and hasattr(steplog.Run, "_attach_id")
""")


def test_messages_and_settings(capfd: pytest.CaptureFixture[str]) -> None:
    script = """
steplog.as_wandb()
import wandb
for _ in range(2):
    wandb.termlog("said")
    wandb.termwarn("once", repeat=False)
    wandb.termerror("bad")
    settings = wandb.Settings(x_disable_stats=True, run_name="n", start_method="thread")
print(dict(settings), file=sys.stdout)
try:
    wandb.Settings(nonsense=1)
except ValueError as error:
    assert "unknown setting 'nonsense'" in str(error)
else:
    raise AssertionError
"""
    process = subprocess.run(
        [sys.executable, "-c", BEGIN + script],
        env={name: value for name, value in os.environ.items() if name != "STEPLOG_SILENT"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.stdout == "{'name': 'n'}\n", process.stderr
    assert process.stderr.splitlines() == [
        "steplog: said",
        "steplog: warning: once",
        "steplog: error: bad",
        "steplog: warning: the setting x_disable_stats has no meaning here",
        "steplog: warning: the setting start_method has no meaning here",
        "steplog: said",
        "steplog: error: bad",
    ]


def test_the_variable_needs_no_line_of_code_and_reaches_other_processes(tmp_path: Path) -> None:
    code = """
import subprocess, sys
import wandb
print(wandb.__version__, "steplog" in wandb.__file__)
if len(sys.argv) == 1:
    subprocess.run([sys.executable, "-c", "import wandb; print(wandb.__version__, True)"], check=True)
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    command = [sys.executable, str(script)]
    on = subprocess.run(
        command, env={**os.environ, "STEPLOG_AS_WANDB": "1"}, capture_output=True, text=True, timeout=60
    )
    assert on.stdout.splitlines() == ["0.31.0 True"] * 2, on.stderr
    for value in ("", "0", "false"):
        off = subprocess.run(command, env={**os.environ, "STEPLOG_AS_WANDB": value}, capture_output=True, text=True)
        assert "No module named 'wandb'" in off.stderr
    # The call reaches them as well.
    script.write_text(f"import steplog; steplog.as_wandb()\n{code}")
    called = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert called.stdout.splitlines() == ["0.31.0 True"] * 2, called.stderr


def test_pip_is_not_told_that_wandb_is_installed() -> None:
    command = [sys.executable, "-m", "pip", "list", "--format", "freeze", "--disable-pip-version-check"]
    process = subprocess.run(command, env={**os.environ, "STEPLOG_AS_WANDB": "1"}, capture_output=True, text=True)
    names = [line.partition("==")[0] for line in process.stdout.splitlines()]
    assert process.returncode == 0 and "steplog" in names and "wandb" not in names, process.stderr


def test_an_unset_variable_costs_no_import() -> None:
    code = "import sys; print(sorted(name for name in sys.modules if name.startswith('steplog')))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert process.stdout == "[]\n"


def test_a_wandb_that_is_installed_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "__init__.py").write_text("raise AssertionError('the real one')\n")
    (tmp_path / "wandb-0.1.dist-info").mkdir()
    (tmp_path / "wandb-0.1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: wandb\nVersion: 0.1\n")
    (tmp_path / "wandb" / "real.py").write_text("")
    python(
        """
assert importlib.metadata.version("wandb") == "0.1"
steplog.as_wandb()
assert importlib.metadata.version("wandb") == "0.31.0"
import wandb
assert importlib.util.find_spec("wandb.real") is None
""",
        PYTHONPATH=str(tmp_path),
    )


def test_a_wandb_that_is_imported_already_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "wandb.py").write_text("")
    python(
        """
import wandb
message = refused(steplog.as_wandb)
assert message.startswith("as_wandb: the real wandb is imported already, from ") and "STEPLOG_AS_WANDB=1" in message
assert sys.modules["wandb"] is wandb and importlib.util.find_spec("wandb").origin == wandb.__file__
""",
        PYTHONPATH=str(tmp_path),
    )


def test_a_run_goes_on_in_another_process_by_its_attach_id() -> None:
    out = python("""
steplog.as_wandb()
import subprocess, wandb
run = wandb.init(project="p", id="a")
run.log({"parent": 1})
child = f'''
import wandb
run = wandb._attach({run._attach_id!r})
assert wandb.run is run and run.id == "a"
run.log({{"child": 2}})
'''
subprocess.run([sys.executable, "-c", child], check=True)
assert wandb._attach(run._attach_id) is run
run._label(code="some_framework", repo="x")
run.finish()
print(json.dumps(run.dir))
""")
    from journal_reader import read_run

    found = [row.values for journal in read_run(Path(json.loads(out)).parent) for row in journal.rows]
    assert sorted(found, key=str) == [{"child": 2}, {"parent": 1}]
