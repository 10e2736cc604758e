"""The module's own functions, the context manager, and the modes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import steplog
from conftest import history, journals


def test_module_level_names_follow_the_open_run() -> None:
    run = steplog.init(config={"lr": 0.1})
    assert steplog.run is run
    steplog.log({"loss": 0.5})
    steplog.log({"loss": 0.4}, step=5, commit=True)
    steplog.config["epochs"] = 3
    steplog.summary["best"] = 0.4
    steplog.finish()
    assert steplog.run is None
    assert history(run) == {0: {"loss": 0.5}, 5: {"loss": 0.4}}
    assert journals(run)[0].config == [("lr", 0.1), ("epochs", 3)]
    assert journals(run)[0].summary == [("best", 0.4)]
    assert journals(run)[0].exits == [0]


def test_without_a_run_everything_says_to_call_init() -> None:
    with pytest.raises(steplog.Error, match=r"You must call steplog\.init\(\) before steplog\.log\(\)"):
        steplog.log({"a": 1})
    for action in (
        lambda: steplog.config["lr"],
        lambda: steplog.config.lr,
        lambda: steplog.config.update({"lr": 1}),
        lambda: steplog.summary["lr"],
        lambda: setattr(steplog.summary, "lr", 1),
        lambda: steplog.config.__setitem__("lr", 1),
    ):
        with pytest.raises(steplog.Error, match=r"You must call steplog\.init\(\) before steplog\."):
            action()
    assert steplog.run is None
    assert steplog.finish() is None  # type: ignore[func-returns-value]


MEMBERS: list[tuple[str, tuple[Any, ...]]] = [
    ("log", ({"a": 1},)),
    ("alert", ("title", "text")),
    ("define_metric", ("loss",)),
    ("log_code", ()),
    ("mark_preempting", ()),
    ("save", ("a.txt",)),
]


@pytest.mark.parametrize(("name", "arguments"), MEMBERS, ids=[name for name, _ in MEMBERS])
def test_a_function_of_the_module_is_the_open_runs_and_refuses_before_and_after(
    name: str, arguments: tuple[Any, ...]
) -> None:
    def refused() -> None:
        with pytest.raises(steplog.Error) as caught:
            getattr(steplog, name)(*arguments)
        assert caught.value.message == f"You must call steplog.init() before steplog.{name}()"

    refused()
    run = steplog.init()
    assert getattr(steplog, name) == getattr(run, name)
    getattr(steplog, name)(*arguments)
    run.finish()
    refused()


@pytest.mark.parametrize("noun", ["config", "summary"])
def test_every_touch_of_config_and_summary_names_its_key_before_and_after_a_run(noun: str) -> None:
    for _ in ("before", "after"):
        for touch in (
            lambda: getattr(steplog, noun)["lr"],
            lambda: getattr(steplog, noun).lr,
            lambda: getattr(steplog, noun).__setitem__("lr", 1),
            lambda: setattr(getattr(steplog, noun), "lr", 1),
        ):
            with pytest.raises(steplog.Error) as caught:
                touch()
            assert caught.value.message == f"You must call steplog.init() before steplog.{noun}['lr']"
        steplog.init().finish()


def test_a_run_after_another() -> None:
    first = steplog.init()
    first.finish()
    first.finish()
    second = steplog.init()
    assert second is not first and second.id != first.id
    steplog.log({"a": 1})
    assert (history(first), history(second)) == ({}, {0: {"a": 1}})


def test_as_a_context_manager() -> None:
    with steplog.init() as run:
        run.log({"a": 1})
        assert steplog.run is run
    assert steplog.run is None
    assert journals(run)[0].exits == [0]


@pytest.mark.parametrize(
    ("error", "code"), [(ValueError("boom"), 1), (KeyboardInterrupt(), 255), (SystemExit(3), 3), (SystemExit("x"), 1)]
)
def test_an_exception_leaves_the_context_manager_with_its_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(type(error)), steplog.init() as run:
        raise error
    assert journals(run)[0].exits == [code]
    assert ("Traceback" in capsys.readouterr().err) == isinstance(error, ValueError)


def test_finish_takes_an_exit_code_and_the_first_one_counts() -> None:
    run = steplog.init()
    run.finish(7)
    run.finish(0)
    assert journals(run)[0].exits == [7]


@pytest.mark.parametrize(
    ("exit_code", "message"),
    [
        ("1", "exit_code is a str, not an int"),
        (1.0, "exit_code is a float, not an int"),
        (2**31, "exit_code does not fit into 32 bits"),
    ],
)
def test_a_refused_exit_code_leaves_the_run_open(exit_code: Any, message: str) -> None:
    run = steplog.init()
    run.log({"a": 1}, commit=False)
    with pytest.raises(steplog.InvalidDataError, match=f"^{message}$"):
        run.finish(exit_code)
    assert (steplog.run, run.finished) == (run, False)
    steplog.finish(-1)
    assert (history(run), journals(run)[0].exits) == ({0: {"a": 1}}, [-1])


def test_a_disabled_run_takes_everything_and_keeps_nothing(tmp_path: Path) -> None:
    run = steplog.init(project="p", mode="disabled", config={"lr": 0.1})
    assert (run.disabled, run.mode, run.dir, run.url) == (True, "disabled", "/", None)
    assert run.name == f"dummy-{run.id}"
    run.log({"loss": 0.5, "n": {"a": 1}})
    run.log({"loss": 0.4}, step=7)
    run.summary["best"] = 1
    assert (run.step, run.summary["loss"], run.summary["best"], run.summary["n"]["a"]) == (0, 0.4, 1, 1)
    with pytest.raises(steplog.ConfigError):
        run.config["lr"] = 0.2
    with pytest.raises(steplog.InvalidDataError):
        run.log(5)
    run.finish()
    assert not (tmp_path / "steplog").exists()


def test_a_disabled_run_has_the_project_and_the_entity_that_are_given() -> None:
    run = steplog.init(project="p", entity="e", name="n", mode="disabled")
    assert (run.project, run.entity, run.name, run.path) == ("p", "e", "n", f"e/p/{run.id}")


def test_a_disabled_run_raises_nothing_after_finish() -> None:
    run = steplog.init(mode="disabled")
    run.finish()
    run.log({"a": 1})
    run.summary["b"] = 2
    run.name = "late"


def test_an_online_run_without_its_server_warns_once_and_finishes_soon(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STEPLOG_SILENT")
    run = steplog.init(mode="online", settings={"finish_timeout": 0.5})
    for step in range(1000):
        run.log({"x": step})
    run.finish()
    assert len(history(run)) == 1000
    lines = capfd.readouterr().err.splitlines()
    assert sum("warning" in line for line in lines) <= 2
    assert any(f"steplog sync {Path(run.dir).parent}" in line for line in lines)


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def test_importing_imports_nothing_heavy() -> None:
    code = "import sys, steplog; print(sorted({'numpy', 'torch', 'pandas', 'typing', 'asyncio'} & set(sys.modules)))"
    done = run_python(code)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_whole_run_imports_neither_numpy_nor_torch() -> None:
    code = (
        "import sys, steplog; run = steplog.init(config={'a': 1}); run.log({'a': 1, 'b': {'c': 'x'}}); run.finish(); "
        "print(sorted({'numpy', 'torch', 'pandas'} & set(sys.modules)))"
    )
    done = run_python(code)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_every_public_name_is_there() -> None:
    missing: list[Any] = [name for name in steplog.__all__ if not hasattr(steplog, name)]
    assert missing == []
    assert issubclass(steplog.ConfigError, steplog.Error)
    assert issubclass(steplog.InvalidDataError, steplog.UsageError)
    with pytest.raises(AttributeError, match="nonsense"):
        steplog.nonsense  # type: ignore[attr-defined]  # noqa: B018
