"""``init`` while a run is open, settings, and runs that travel between processes."""

from __future__ import annotations

import datetime
import multiprocessing
import pickle
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import pytest

import steplog
from conftest import history, journals, rows


@pytest.mark.parametrize("reinit", [None, "default", "return_previous", False])
def test_the_open_run_is_answered_and_the_arguments_are_not_looked_at(reinit: Any) -> None:
    run = steplog.init(project="p", config={"a": 1})
    again = steplog.init(project="other", config={"a": 2}, reinit=reinit)
    assert again is run and run.project == "p" and dict(run.config) == {"a": 1}


@pytest.mark.parametrize("reinit", [True, "finish_previous"])
def test_the_open_run_is_finished_first(reinit: Any) -> None:
    run = steplog.init(project="p")
    run.log({"a": 1}, commit=False)
    again = steplog.init(project="q", reinit=reinit)
    assert again is not run and steplog.run is again
    assert (journals(run)[0].exits, history(run)) == ([0], {0: {"a": 1}})


@pytest.mark.parametrize("reinit", [None, "default"])
def test_in_a_notebook_the_open_run_is_finished_first_unless_told_otherwise(
    reinit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = types.ModuleType("IPython")
    notebook.get_ipython = lambda: types.SimpleNamespace(has_trait=lambda name: name == "kernel")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    run = steplog.init()
    assert steplog.init(reinit="return_previous") is run
    again = steplog.init(reinit=reinit)
    assert (again is run, steplog.run is again, journals(run)[0].exits) == (False, True, [0])


def test_a_run_beside_the_open_one_does_not_become_global() -> None:
    run = steplog.init(project="p")
    beside = steplog.init(project="q", reinit="create_new")
    assert steplog.run is run and beside.project == "q"
    steplog.log({"a": 1})
    beside.log({"b": 2})
    beside.finish()
    assert steplog.run is run
    run.finish()
    assert (history(run), history(beside)) == ({0: {"a": 1}}, {0: {"b": 2}})


def test_a_first_run_with_create_new_is_not_global_either() -> None:
    run = steplog.init(reinit="create_new")
    assert steplog.run is None
    run.finish()


def test_other_words_are_refused() -> None:
    with pytest.raises(ValueError, match="reinit 'sometimes' is none of True, False, 'default', 'return_previous'"):
        steplog.init(reinit="sometimes")


@pytest.mark.parametrize(
    "arguments",
    [
        {"project": "a/b"},
        {"id": "a:b"},
        {"tags": [""]},
        {"mode": "live"},
        {"config": {"key": object}, "config_exclude_keys": ["a"], "config_include_keys": ["b"]},
        {"config": "missing.yaml"},
        {"resume": "must", "fork_from": "a?_step=1"},
        {"fork_from": "a"},
        {"settings": {"base_url": "nowhere"}},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
def test_a_refused_call_ends_no_run(arguments: dict[str, Any]) -> None:
    run = steplog.init()
    with pytest.raises(steplog.Error):
        steplog.init(reinit=True, **arguments)
    assert (steplog.run is run, run.finished) == (True, False)
    run.log({"a": 1})


def test_an_unknown_argument_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'anything'"):
        steplog.init(anything=1)  # type: ignore[call-arg]


def test_settings_say_what_arguments_do_not() -> None:
    settings = steplog.Settings(run_name="from settings", project="p", x_label="rank 0", run_tags=["a"])
    run = steplog.init(name="argument", settings=settings, mode="shared")
    assert (run.name, run.project, run.label, run.tags, run.mode) == ("argument", "p", "rank 0", ("a",), "shared")
    assert journals(run)[0].start["label"] == "rank 0"
    assert settings.label == "rank 0" and settings["project"] == "p" and settings.api_key is None
    run.finish()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sped": 1}, "unknown setting 'sped'; known are api_key, base_url"),
        ({"quiet": 1}, "the setting quiet is a int, not a bool"),
        ({"finish_timeout": "5"}, "the setting finish_timeout is a str, not a int or float"),
        ({"init_timeout": True}, "the setting init_timeout is a bool"),
        (["quiet"], "settings is a list, not a dict or Settings"),
    ],
)
def test_settings_are_checked(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        steplog.init(settings=settings)


def test_settings_hide_the_key() -> None:
    assert repr(steplog.Settings(api_key="secret", quiet=True)) == "Settings(api_key='***', quiet=True)"


def test_a_processs_word_for_itself_and_who_speaks_for_the_run() -> None:
    run = steplog.init(id="a", mode="shared", settings={"label": "rank 1", "primary": False})
    start = journals(run)[0].start
    assert ("environment" in start, start["label"], start["mode"]) == (False, "rank 1", "shared")
    run.finish()


def test_what_no_argument_says_is_looked_up_in_the_environment_then_in_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "steplog").mkdir()
    (tmp_path / "config/steplog").mkdir(parents=True)
    workspace = "[default]\nproject = workspace\nrun_group = workspace\njob_type = workspace\n"
    (tmp_path / "steplog/settings").write_text(workspace)
    user = "project = user\nrun_group = user\njob_type = user\nnotes = user\nentity = user\n# tags = none\n"
    (tmp_path / "config/steplog/settings").write_text(user)
    monkeypatch.setenv("WANDB_RUN_GROUP", "environment")
    monkeypatch.setenv("STEPLOG_PROJECT", "environment")
    run = steplog.init(project="argument")
    found = (run.project, run.group, run.job_type, run.notes, run.entity, run.tags)
    assert found == ("argument", "environment", "workspace", "user", "user", ())


def test_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_SWEEP_ID", "s1")
    run = steplog.init(project="p", mode="online", settings={"finish_timeout": 0, "base_url": "http://127.0.0.1:9"})
    assert (run.sweep_id, run.get_sweep_url()) == ("s1", "http://127.0.0.1:9/local/p/sweeps/s1")
    assert run.get_url() == f"http://127.0.0.1:9/local/p/runs/{run.id}"
    run.finish()


def test_a_sweep_may_be_said_in_settings_and_its_addresses_are_attributes_too() -> None:
    settings = {"sweep_id": "s2", "finish_timeout": 0, "base_url": "http://127.0.0.1:9"}
    run = steplog.init(project="a b", entity="ann", mode="online", settings=settings)
    assert (run.sweep_id, run.sweep_url) == ("s2", "http://127.0.0.1:9/ann/a%20b/sweeps/s2")
    assert run.project_url == "http://127.0.0.1:9/ann/a%20b"


def test_old_members_do_not_warn() -> None:
    run = steplog.init()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.log({"a": 1}, sync=True)
        assert (run.mode, len(run.history)) == ("offline", 1)
        assert (run.get_url(), run.get_project_url(), run.get_sweep_url()) == (None, None, None)
        run.join()


def test_without_a_sweep_there_is_no_url() -> None:
    run = steplog.init()
    assert (run.sweep_id, run.get_sweep_url(), run.get_url(), run.get_project_url()) == (None, None, None, None)


def test_join_is_finish() -> None:
    run = steplog.init()
    run.join(3)
    assert (journals(run)[0].exits, steplog.run) == ([3], None)
    steplog.init()
    steplog.join()
    assert steplog.run is None


def test_a_disabled_run_has_names_of_its_own() -> None:
    run = steplog.init(mode="disabled")
    assert (run.name, run.project, run.entity) == (f"dummy-{run.id}", "dummy", "dummy")


def test_the_history_is_read_back() -> None:
    run = steplog.init()
    run.log({"a": 1, "n": {"b": 2}})
    run.log({"a": 2}, step=5)
    run.history.update({"c": 3})
    assert [row["_step"] for row in run.history] == [0]
    run.history.add({"d": 4})
    run.finish()
    found = [{key: value for key, value in row.items() if key[0] != "_"} for row in run.history]
    assert found == [{"a": 1, "n": {"b": 2}}, {"a": 2, "c": 3, "d": 4}]
    assert (len(run.history), run.history.keys(), run.history[1]["_step"]) == (2, ["a", "n", "c", "d"], 5)
    row = run.history[0]
    assert abs(row["_timestamp"] - run.start_time - row["_runtime"]) < 1e-3
    assert datetime.datetime.fromtimestamp(row["_timestamp"]).year >= 2026


def test_status_of_an_offline_run() -> None:
    run = steplog.init()
    run.log({"a": 1})
    status = run.status()
    assert (status.synced_bytes, status.connected, status.synced_at) == (0, False, None)
    run.finish()


def log_pickled(run: steplog.Run) -> None:
    run.log({"child": 1})
    run.finish()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_run_that_is_sent_to_another_process_is_written_there_too(method: str) -> None:
    run = steplog.init(project="p", id="a")
    run.log({"parent": 0})
    child = multiprocessing.get_context(method).Process(target=log_pickled, args=(run,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    run.log({"parent": 1})
    run.finish()
    parent, other = journals(run)
    assert other.start["parent_stream"] == parent.stream
    assert [(row.step, row.values) for row in other.rows] == [(1, {"child": 1})]
    assert [row.values for row in rows(run)] == [{"parent": 0}, {"parent": 1}]


def test_a_run_that_is_pickled_is_itself_in_its_own_process() -> None:
    run = steplog.init()
    assert pickle.loads(pickle.dumps(run)) is run


def test_a_run_tells_its_settings_and_its_folder(tmp_path: Path) -> None:
    run = steplog.init(project="p", id="a", settings={"finish_timeout": 3})
    settings = run.settings
    assert dict(settings) == {"finish_timeout": 3}
    settings.finish_timeout = 9
    assert run.settings.finish_timeout == 3
    assert run.sync_dir == str(tmp_path / "steplog/p/a")


def test_login_without_a_server_tells_whether_a_key_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPLOG_API_KEY", "")
    monkeypatch.delenv("STEPLOG_API_KEY")
    assert steplog.login() is False
    assert steplog.login(key=" abc ") is True
    with pytest.raises(steplog.CommError, match=r"http://127\.0\.0\.1:9"):
        steplog.login(verify=True)
    with pytest.raises(ValueError, match="login: key is empty or no str"):
        steplog.login(key=" ")
    with pytest.raises(ValueError, match="login: host is empty or no str"):
        steplog.login(host=3)  # type: ignore[arg-type]


def test_a_key_for_another_product_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "theirs")
    assert steplog.login() is False
