"""What was logged is read, filtered, changed and removed through ``steplog.Api``."""

from __future__ import annotations

import json
import math
import os
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest

import steplog
from rig.processes import Script, Server
from rig.processes import steplog as command

RUNS = """
import steplog
for index in range(5):
    config = {"lr": 10.0**-index, "model": {"name": "cnn" if index % 2 else "mlp", "depth": index}, "deep": index > 2}
    with steplog.init(project="digits", id=f"run-{index}", name=f"Run {index}", config=config, group=f"g{index % 2}",
                      tags=["all", f"t{index}"], job_type="train", notes=f"note {index}") as run:
        for step in range(10 * (index + 1)):
            run.log({"loss": index + 1 / (step + 1), "nested": {"a.b": step}})
        run.summary["best"] = {"loss": index, "where": "here"}
        if index == 4:
            run.finish(exit_code=3)
"""

#: A quiet NaN, NaNs with payloads, infinities, negative zero, the smallest subnormal.
BITS = [
    0x7FF8000000000000,
    0x7FF8DEADBEEF0001,
    0xFFFFFFFFFFFFFFFF,
    0x7FF0000000000000,
    0xFFF0000000000000,
    0x8000000000000000,
    0x0000000000000001,
]

ODD = f"""
import struct, steplog
with steplog.init(project="digits", id="odd") as run:
    for step, bits in enumerate({BITS!r}):
        (value,) = struct.unpack("<d", struct.pack("<Q", bits))
        run.log({{"value": value}}, step=step, commit=False)
        if step % 2:
            run.log({{"whole": 2**62 + step, "text": "x", "list": [step, None], "flag": True}}, step=step)
"""

LONG = """
import steplog
with steplog.init(project="digits", id="long") as run:
    for step in range(20_000):
        run.log({"loss": 9.0 if step == 12_345 else 0.5, "lr": 1 - step / 20_000})
        if step % 1000 == 0:
            run.log({"val": step}, step=step)
"""


@pytest.fixture(autouse=True)
def clean_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("STEPLOG_", "WANDB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))


def train(code: str, home: Path, server: Server) -> None:
    with Script(code, home=home, STEPLOG_BASE_URL=server.url) as script:
        assert script.end()[0] == 0, script.said()


@pytest.fixture
def api(home: Path, server: Server) -> steplog.Api:
    """A server with five runs."""
    train(RUNS, home, server)
    return steplog.Api(base_url=server.url)


def ids(runs: Any) -> str:
    return "".join(run.id.removeprefix("run-") for run in runs)


def test_projects_and_names(api: steplog.Api, server: Server) -> None:
    assert (api.base_url, api.default_entity) == (server.url, "local")
    (project,) = api.projects()
    assert (project.path, project.run_count, project.running_count) == (["local", "digits"], 5, 0)
    assert project.created_at <= project.updated_at and project.created_at.endswith("Z")
    assert api.projects("nobody") == []
    assert ids(project.runs()) == ids(api.runs("digits")) == ids(api.runs("local/digits")) == "01234"
    paths = ["local/digits/run-1", "digits/run-1", "local/digits/runs/run-1", f"{server.url}/local/digits/runs/run-1"]
    assert [api.run(path).id for path in paths] == ["run-1"] * 4
    named = steplog.Api({"base_url": server.url, "project": "digits"})
    assert (named.run("run-2").id, ids(named.runs())) == ("run-2", "01234")


def test_one_run_in_full(api: steplog.Api, server: Server) -> None:
    run = api.run("local/digits/run-2")
    listed = api.runs("digits")[2]
    for one in (run, listed):
        assert (one.id, one.name, one.entity, one.project) == ("run-2", "Run 2", "local", "digits")
        assert (one.path, one.url) == (["local", "digits", "run-2"], f"{server.url}/local/digits/runs/run-2")
        assert (one.state, one.exit_code, one.group, one.job_type) == ("finished", 0, "g0", "train")
        assert (one.tags, one.notes, one.sweep_id) == (["all", "t2"], "note 2", None)
        assert (one.last_step, one.lastHistoryStep, one.row_count) == (29, 29, 30)
        assert one.config == {"lr": 0.01, "model": {"name": "mlp", "depth": 2}, "deep": False}
        assert one.summary == {
            "loss": 2 + 1 / 30,
            "nested": {"a.b": 29},
            "best": {"loss": 2, "where": "here"},
            "_step": 29,
            "_runtime": one.duration,
        }
        assert one.summary._json_dict == one.summary
        assert one.metadata["python"] == sys.version.split()[0]
        assert one.created_at <= one.updated_at == one.heartbeat_at and one.finished_at is not None
        assert one.start_time > 1.7e9
    failed = api.run("digits/run-4")
    assert (failed.state, failed.exit_code) == ("failed", 3)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, "01234"),
        ({}, "01234"),
        ({"config.lr": {"$gt": 0.01}, "state": "finished"}, "01"),
        ({"config.lr.value": {"$lte": 0.001}}, "34"),
        ({"summary_metrics.loss": {"$gte": 2, "$lt": 4}}, "23"),
        ({"summary_metrics.best.where": "here"}, "01234"),
        ({"summary_metrics._step": {"$gt": 29}}, "34"),
        ({"$or": [{"config.model.name": "cnn"}, {"state": {"$ne": "finished"}}]}, "134"),
        ({"$and": [{"group": "g0"}, {"$not": {"config.deep": True}}]}, "02"),
        ({"tags": {"$in": ["t1", "t3"]}}, "13"),
        ({"tags": {"$nin": ["t1", "t3"]}}, "024"),
        ({"tags": "all", "display_name": "Run 3"}, "3"),
        ({"name": "run-1"}, "1"),
        ({"name": "Run 1"}, "1"),
        ({"config.none": {"$exists": True}}, ""),
        ({"config.none": {"$exists": False}, "jobType": "train"}, "01234"),
        ({"created_at": {"$gt": "2020-01-01T00:00:00Z"}}, "01234"),
        ({"created_at": {"$lt": "2020-01-01"}}, ""),
        ('config.lr < 0.1 and notes ~ "NOTE" and not id = "run-3"', "24"),
    ],
)
def test_filters(api: steplog.Api, filters: Any, expected: str) -> None:
    runs = api.runs("digits", filters=filters)
    assert (ids(runs), len(runs), bool(runs)) == (expected, len(expected), bool(expected))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("-created_at", "43210"),
        ("+config.lr", "43210"),
        ("-summary_metrics.loss", "43210"),
        ("-group,+display_name", "13024"),
        ("state, -config.lr.value", "40123"),
    ],
)
def test_orders(api: steplog.Api, order: str, expected: str) -> None:
    assert ids(api.runs("digits", order=order)) == expected


def test_runs_are_a_sequence_read_in_pages(api: steplog.Api) -> None:
    def runs() -> steplog.api.Runs:
        return api.runs("digits", per_page=2)

    assert (len(runs()), ids(runs()), ids(list(runs()))) == (5, "01234", "01234")
    assert (runs()[3].id, runs()[-1].id) == ("run-3", "run-4")
    assert [ids(runs()[part]) for part in (slice(1, 4), slice(None, 2), slice(-2, None), slice(None, None, -2))] == [
        "123",
        "01",
        "34",
        "420",
    ]
    with pytest.raises(IndexError):
        runs()[5]
    same = runs()
    assert same[0] is same[0] and next(iter(same)) is same[0]


def test_scan_history_gives_every_row(api: steplog.Api) -> None:
    run = api.run("digits/run-1")
    rows = list(run.scan_history(page_size=7))
    assert [row["_step"] for row in rows] == list(range(20))
    assert rows[4].keys() == {"_step", "_timestamp", "_runtime", "loss", r"nested.a\.b"}
    assert (rows[4]["loss"], rows[4][r"nested.a\.b"]) == (1.2, 4)
    assert list(run.scan_history(["loss"], page_size=20)) == [{"loss": 1 + 1 / (step + 1)} for step in range(20)]
    some = run.scan_history(["_step", "loss"], page_size=2, min_step=3, max_step=6)
    assert [row["_step"] for row in some] == [3, 4, 5]
    assert list(run.scan_history(["loss", "nope"])) == []
    assert list(run.scan_history(["_step"]))[-1] == {"_step": 19}


def test_history_as_dataframe_and_as_dicts(api: steplog.Api) -> None:
    run = api.run("digits/run-1")
    frame = run.history()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["_step", "_timestamp", "_runtime", "loss", r"nested.a\.b"]
    assert frame["_step"].tolist() == list(range(20)) and frame["loss"].dtype == numpy.float64
    assert list(run.history(keys=["loss"]).columns) == ["_step", "loss"]
    by_time = run.history(keys=["loss"], x_axis="_runtime")
    assert list(by_time.columns) == ["_runtime", "loss"] and len(by_time) == 20
    by_metric = run.history(keys=["loss"], x_axis=r"nested.a\.b")
    assert by_metric[r"nested.a\.b"].tolist() == list(range(20))
    assert run.history(keys=["loss"], pandas=False)[2] == {"_step": 2, "loss": 1 + 1 / 3}
    nothing = run.history(keys=["loss", "nope"])
    assert (list(nothing.columns), len(nothing)) == (["_step", "loss", "nope"], 0)


def test_samples_hide_no_extreme(home: Path, server: Server) -> None:
    train(LONG, home, server)
    run = steplog.Api(base_url=server.url).run("digits/long")
    frame = run.history(samples=200)
    assert 100 <= len(frame) <= 200
    assert frame.loc[frame["loss"].idxmax()][["_step", "loss"]].tolist() == [12_345, 9.0]
    assert (frame["_step"].iloc[0], frame["_step"].iloc[-1]) == (0, 19_999)
    assert frame["_step"].is_monotonic_increasing
    # Evenly over the run: no tenth of it is without rows.
    assert set(frame["_step"] // 2000) == set(range(10))
    # Few rows have this one, and none of them is left out.
    assert run.history(samples=200, keys=["val", "loss"])["val"].tolist() == list(range(0, 20_000, 1000))
    assert len(run.history(samples=20_000)) == 20_000
    assert sum(1 for _ in run.scan_history(["loss"], page_size=3000)) == 20_000


def bits_of(values: Any) -> list[int]:
    return [struct.unpack("<Q", struct.pack("<d", value))[0] for value in values]


def test_tables_keep_bits_and_types(home: Path, server: Server, tmp_path: Path) -> None:
    train(ODD, home, server)
    run = steplog.Api(base_url=server.url).run("digits/odd")
    table = run.history_table()
    arrow = table.to_arrow()
    assert bits_of(arrow["value"].to_pylist()) == BITS
    assert arrow["whole"].to_pylist() == [None if step % 2 == 0 else 2**62 + step for step in range(7)]
    assert table.to_arrow() is arrow
    frame = table.to_pandas()
    assert frame["value"].to_numpy().view("u8").tolist() == BITS
    assert frame["list"].tolist()[:2] == [None, [1, None]]
    assert frame["text"].tolist()[1] == "x" and frame["flag"].tolist()[1] is True
    shown = table.to_polars()
    assert shown["value"].to_numpy().view("u8").tolist() == BITS
    assert shown["whole"].to_list() == arrow["whole"].to_pylist()
    # Whoever speaks Arrow takes the table as it is.
    taken = pyarrow.table(table)
    assert (taken.schema, bits_of(taken["value"].to_pylist())) == (arrow.schema, BITS)
    assert polars.DataFrame(table).equals(shown)
    dicts = table.to_dicts()
    assert [math.isnan(row["value"]) for row in dicts] == [True] * 3 + [False] * 4
    assert [row["value"] for row in dicts[3:]] == [math.inf, -math.inf, -0.0, 5e-324]
    assert dicts[1]["list"] == [1, None] and "list" not in dicts[0]
    some = run.history_table(keys=["whole"], min_step=2, max_step=4)
    assert some.to_polars().to_dicts() == [{"_step": 3, "whole": 2**62 + 3}]
    table.write(tmp_path / "rows.parquet")
    assert bits_of(pyarrow.parquet.read_table(tmp_path / "rows.parquet")["value"].to_pylist()) == BITS
    table.write(str(tmp_path / "rows.jsonl"))
    assert json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[3])["value"] == "Infinity"
    with pytest.raises(steplog.UsageError, match=r"ends with none of \.arrow, \.arrows, \.csv, \.jsonl, \.parquet"):
        table.write(tmp_path / "rows.xlsx")
    assert sorted(path.name for path in tmp_path.glob("rows*")) == ["rows.jsonl", "rows.parquet"]


def test_tables_without_the_libraries(home: Path, server: Server) -> None:
    train(ODD, home, server)
    code = """
import sys
for name in sys.argv[2].split(","):
    sys.modules[name] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in sys.argv[2] else find(name, *rest)
import steplog
run = steplog.Api(base_url=sys.argv[1]).run("digits/odd")
answer = run.history(keys=["whole"])
rows = answer if isinstance(answer, list) else answer.to_dict("records")
print(type(answer).__name__, rows[0])
if "polars" not in sys.argv[2]:
    import polars
    print(run.history_table().to_polars()["value"].to_numpy().view("u8").tolist())
    print(polars.DataFrame(run.history_table(keys=["whole"])).shape)
"""
    row = f"{{'_step': 1, 'whole': {2**62 + 1}}}"
    for missing, expected in [
        ("pandas,pyarrow,polars", [f"list {row}"]),
        ("pyarrow,polars", [f"DataFrame {row}"]),
        ("pyarrow,pandas", [f"list {row}", str(BITS), "(3, 2)"]),
    ]:
        with Script(code, server.url, missing, home=home) as script:
            status, out = script.end()
            assert (status, out.splitlines()) == (0, expected), script.said()


def test_changes_are_kept(api: steplog.Api, server: Server) -> None:
    run = api.run("digits/run-0")
    run.name, run.notes, run.tags, run.group = "better", "# new", [*run.tags, "best"], "g9"
    run.config["lr"] = 0.5
    run.config["new"] = {"x": [1, math.inf]}
    del run.config["deep"]
    run.summary["loss"] = math.inf
    run.summary["best"]["loss"] = -1
    del run.summary["best"]["where"]
    run.update()
    server.kill()
    server.start()
    for one in (run, api.run("digits/run-0"), api.runs("digits", {"group": "g9"})[0]):
        assert (one.name, one.notes, one.tags, one.group) == ("better", "# new", ["all", "t0", "best"], "g9")
        model = {"name": "mlp", "depth": 0}
        assert one.config == {"lr": 0.5, "model": model, "new": {"x": [1, math.inf]}}
        assert (one.summary["loss"], one.summary["best"]) == (math.inf, {"loss": -1})
    assert ids(api.runs("digits", {"config.lr": 0.5, "summary_metrics.best.loss": -1})) == "0"
    # Taken back what can be taken back.
    run.notes = run.group = None
    run.tags = []
    run.save()
    again = api.run("digits/run-0")
    assert (again.notes, again.group, again.tags, again.name) == (None, None, [], "better")


def test_summary_update_sends_the_summary_alone(api: steplog.Api) -> None:
    run = api.run("digits/run-0")
    run.name = "not sent"
    run.config["lr"] = 7
    run.summary["score"] = 1
    run.summary.update({"other": "x"}, more=None)
    kept = api.run("digits/run-0")
    assert (kept.name, kept.config["lr"], kept.summary["score"], kept.summary["other"]) == ("Run 0", 1.0, 1, "x")
    assert "more" not in kept.summary
    assert (run.name, run.config["lr"]) == ("not sent", 7)
    run.update()
    kept = api.run("digits/run-0")
    assert (kept.name, kept.config["lr"]) == ("not sent", 7)
    run.summary["_step"] = 7
    with pytest.raises(steplog.UsageError, match=r"summary\['_step'\] tells of the run itself"):
        run.summary.update()
    run.load(force=True)
    assert run.summary["_step"] == 9


def test_a_resumed_process_does_not_undo_changes(home: Path, server: Server) -> None:
    first = 'import steplog\nwith steplog.init(project="digits", id="r", config={"lr": 0.1, "seed": 1}) as run:\n'
    train(first + '    run.log({"loss": 1.0})\n    run.summary["best"] = 0.5\n', home, server)
    api = steplog.Api(base_url=server.url)
    run = api.run("digits/r")
    run.config["lr"] = 0.2
    del run.config["seed"]
    run.summary.update(best=0.1, loss=0.0)
    run.update()
    more = '    run.log({"loss": 0.25, "accuracy": 0.9}, step=5)\n    run.summary["best"] = 0.4\n'
    train(first.replace("0.1", "0.3").replace("seed", "more") + more, home, server)
    for _ in range(2):
        run.load(force=True)
        assert run.config == {"lr": 0.2, "more": 1}
        assert {key: run.summary[key] for key in ("best", "loss", "accuracy")} == {
            "best": 0.1,
            "loss": 0.0,
            "accuracy": 0.9,
        }
        assert run.row_count == 2
        server.kill()
        server.start()


def test_a_removed_run_is_gone(api: steplog.Api) -> None:
    run = api.run("digits/run-3")
    run.delete()
    assert ids(api.runs("digits")) == "0124"
    for call in (
        lambda: api.run("digits/run-3"),
        run.delete,
        lambda: run.load(force=True),
        lambda: next(run.scan_history()),
        lambda: run.history(),
        run.stop,
    ):
        with pytest.raises(steplog.NotFoundError, match="there is no run local/digits/run-3") as caught:
            call()
        assert isinstance(caught.value, (steplog.CommError, ValueError))
    with pytest.raises(steplog.NotFoundError, match='there is no project "local/none"'):
        len(api.runs("none"))


def test_what_the_server_refuses_is_named(api: steplog.Api, home: Path) -> None:
    run = api.run("digits/run-0")
    run.name = " "
    with pytest.raises(steplog.UsageError, match="a run's name must have 1 to 512 characters"):
        run.update()
    with pytest.raises(steplog.UsageError, match="the filter is wrong at character 1"):
        len(api.runs("digits", "= 3"))


def test_the_stored_login_and_the_environment_are_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = command("user", "add", "ada", "--data", "data", home=home, stdin="a long password\n")
    assert added.returncode == 0, added.stderr
    with Server(home) as server:
        with pytest.raises(steplog.CommError, match="log in"):
            steplog.Api(base_url=server.url).projects()
        logged_in = command("login", server.url, home=home, stdin="ada\na long password\n")
        assert logged_in.returncode == 0, logged_in.stderr
        assert steplog.Api().base_url == server.url
        assert (steplog.Api().projects(), steplog.Api().default_entity) == ([], "ada")
        with pytest.raises(steplog.CommError, match="key"):
            steplog.Api(api_key="steplog-" + "0" * 40).projects()
        monkeypatch.setenv("WANDB_ENTITY", "bob")
        monkeypatch.setenv("WANDB_PROJECT", "digits")
        assert steplog.Api().default_entity == "bob"
        with pytest.raises(steplog.NotFoundError, match='there is no project "bob/digits"'):
            len(steplog.Api().runs())


def test_other_threads_go_on_while_a_call_waits(api: steplog.Api, server: Server) -> None:
    done: list[int] = []
    threads = [
        threading.Thread(target=lambda: done.extend(len(list(run.scan_history())) for run in api.runs("digits")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted([10, 20, 30, 40, 50] * 4)


def test_a_forked_child_reads_too(api: steplog.Api) -> None:
    assert len(api.runs("digits")) == 5
    child = os.fork()
    if child == 0:
        os._exit(len(api.runs("digits")) + 60)
    assert (os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(api.runs("digits"))) == (65, 5)
