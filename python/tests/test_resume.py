"""Going on with a run that is there, with nothing but a folder: resume, fork, rewind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import steplog
from conftest import journals


def first(**arguments: Any) -> str:
    """A run of three rows that was ended, and its id."""
    given: dict[str, Any] = {"project": "p", "id": "a", "config": {"lr": 0.1, "depth": 3}, "tags": ["t"], "notes": "n"}
    run = steplog.init(**{**given, **arguments})
    for value in (3.0, 1.0, 2.0):
        run.log({"loss": value})
    run.summary["best"] = 9
    run.finish()
    return run.id


@pytest.mark.parametrize("resume", ["allow", "must"])
def test_a_resumed_run_goes_on_where_the_last_one_stopped(resume: str) -> None:
    first(name="the name", group="g", job_type="train")
    run = steplog.init(project="p", id="a", resume=resume, config={"lr": 0.2, "width": 8})
    assert (run.resumed, run.starting_step, run.step) == (True, 3, 3)
    assert dict(run.config) == {"lr": 0.1, "depth": 3, "width": 8}
    assert (run.name, run.tags, run.notes, run.group, run.job_type) == ("the name", ("t",), "n", "g", "train")
    summary = run.summary.as_dict()
    assert (summary["loss"], summary["best"], summary["_step"]) == (2.0, 9, 2)
    run.log({"loss": 0.5, "best": 1})
    # What was set by hand stays by hand, what came from rows does not become so.
    assert (run.summary["loss"], run.summary["best"]) == (0.5, 9)
    run.finish()
    [start] = [journal.start for journal in journals(run) if journal.start.get("resumed")]
    assert start["first_step"] == 3
    assert [row.step for journal in journals(run) for row in journal.rows if row.values.get("loss") == 0.5] == [3]


def test_allow_val_change_lets_the_new_config_win() -> None:
    first()
    run = steplog.init(project="p", id="a", resume="allow", config={"lr": 0.2}, allow_val_change=True)
    assert dict(run.config) == {"lr": 0.2, "depth": 3}


def test_tags_and_notes_that_are_given_win() -> None:
    first()
    run = steplog.init(project="p", id="a", resume="allow", tags=["new"], notes="other")
    assert (run.tags, run.notes) == (("new",), "other")


@pytest.mark.parametrize("resume", ["allow", "never", None, False])
def test_without_an_earlier_run_it_begins(resume: Any) -> None:
    run = steplog.init(project="p", id="a", resume=resume)
    assert (run.resumed, run.starting_step, run.step) == (False, 0, 0)


def test_must_needs_an_earlier_run() -> None:
    with pytest.raises(steplog.UsageError, match='resume="must": there is no run local/p/a'):
        steplog.init(project="p", id="a", resume="must")
    assert not Path("steplog/p/a").exists()


def test_never_refuses_an_earlier_run() -> None:
    first()
    with pytest.raises(steplog.UsageError, match='resume="never": there is a run local/p/a already'):
        steplog.init(project="p", id="a", resume="never")


def test_other_words_are_refused() -> None:
    with pytest.raises(steplog.Error, match='resume "maybe" is none of "allow", "must", "never", "auto"'):
        steplog.init(project="p", resume="maybe")
    with pytest.raises(steplog.Error, match="resume is a int"):
        steplog.init(project="p", resume=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("resume", ["auto", True])
def test_auto_finds_the_run_that_did_not_end_well(resume: Any) -> None:
    run = steplog.init(project="p", resume=resume)
    run.log({"a": 1})
    run.finish(1)
    again = steplog.init(project="p", resume=resume)
    assert (again.id, again.resumed, again.step) == (run.id, True, 1)
    again.finish(0)
    assert steplog.init(project="p", resume=resume).id != run.id


def test_a_run_without_resume_ends_the_search() -> None:
    run = steplog.init(project="p", resume="auto")
    run.finish(1)
    steplog.init(project="p").finish(1)
    assert steplog.init(project="p", resume="auto").id != run.id


def test_must_while_another_run_is_open() -> None:
    first()
    steplog.init(project="p")
    with pytest.raises(steplog.UsageError, match=r"resume='must' while the run \S+ is open"):
        steplog.init(project="p", id="a", resume="must")


def test_the_environment_may_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first()
    monkeypatch.setenv("WANDB_RESUME", "must")
    monkeypatch.setenv("WANDB_RUN_ID", "a")
    run = steplog.init(project="p")
    assert (run.id, run.resumed, run.step) == ("a", True, 3)


def test_metric_definitions_go_on() -> None:
    run = steplog.init(project="p", id="a")
    run.define_metric("loss", summary="min,mean")
    run.log({"loss": 2.0})
    run.log({"loss": 4.0})
    run.finish()
    again = steplog.init(project="p", id="a", resume="must")
    again.log({"loss": 9.0})
    assert again.summary["loss"].as_dict() == {"min": 2.0, "mean": 5.0}


def test_a_killed_run_is_resumed_behind_its_last_row() -> None:
    import os

    child = os.fork()
    if child == 0:
        run = steplog.init(project="p", id="a")
        run.log({"loss": 1.0})
        run.log({"loss": 2.0}, commit=False)
        os._exit(9)
    os.waitpid(child, 0)
    run = steplog.init(project="p", id="a", resume="must")
    assert (run.step, run.summary["loss"]) == (2, 2.0)


def test_a_fork_has_the_config_and_the_history_up_to_a_step() -> None:
    first()
    run = steplog.init(project="p", fork_from="a?_step=1", config={"lr": 0.5, "new": 1})
    assert (run.id != "a", run.resumed, run.starting_step, run.step) == (True, False, 2, 2)
    assert dict(run.config) == {"lr": 0.5, "depth": 3, "new": 1}
    assert (run.summary["loss"], run.tags, run.notes) == (1.0, (), None)
    run.log({"loss": 0.7})
    run.finish()
    [journal] = journals(run)
    assert (journal.start["fork_from"], journal.start["first_step"]) == ({"run_id": "a", "step": 1}, 2)
    assert [(row.step, row.values) for row in journal.rows] == [(2, {"loss": 0.7})]
    assert dict(journal.config) == {"lr": 0.5, "depth": 3, "new": 1}


def test_a_fork_of_a_fork_goes_on_from_both() -> None:
    first()
    fork = steplog.init(project="p", id="b", fork_from="a?_step=1")
    fork.log({"loss": 0.7})
    fork.log({"loss": 0.6})
    fork.finish()
    run = steplog.init(project="p", fork_from="b?_step=2")
    assert (run.step, run.summary["loss"]) == (3, 0.7)
    run.finish()
    run = steplog.init(project="p", fork_from="b?_step=0")
    assert (run.step, run.summary["loss"]) == (1, 3.0)


def test_a_rewound_run_forgets_what_came_later() -> None:
    first()
    run = steplog.init(project="p", resume_from="a?_step=1")
    assert (run.id, run.resumed, run.starting_step, run.step) == ("a", True, 2, 2)
    assert (run.summary["loss"], run.summary["best"]) == (1.0, 9)
    run.log({"loss": 0.7})
    run.finish()
    assert [journal.start.get("rewind_to") for journal in journals(run) if "rewind_to" in journal.start] == [1]
    again = steplog.init(project="p", id="a", resume="must")
    assert (again.step, again.summary["loss"]) == (3, 0.7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resume": "allow", "fork_from": "a?_step=1"}, "resume, fork_from and resume_from exclude each other"),
        ({"resume": "allow", "resume_from": "a?_step=1"}, "exclude each other"),
        ({"fork_from": "a?_step=1", "resume_from": "a?_step=1"}, "exclude each other"),
        ({"fork_from": "a"}, 'is not of the form "RUN_ID\\?_step=N"'),
        ({"fork_from": "a?_step=-1"}, "with a step from 0 on"),
        ({"fork_from": "nobody?_step=1"}, "there is no run local/p/nobody to go on from"),
        ({"id": "a", "fork_from": "a?_step=1"}, "a fork needs an id of its own"),
        ({"id": "b", "resume_from": "a?_step=1"}, "resume_from names the run a, and the id is another one: b"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, str], message: str) -> None:
    first()
    with pytest.raises(steplog.Error, match=message):
        steplog.init(project="p", **arguments)  # type: ignore[arg-type]
    assert sorted(path.name for path in Path("steplog/p").iterdir()) == ["a"]


def test_a_server_that_does_not_answer_is_told_and_the_disk_is_enough(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first()
    monkeypatch.setenv("STEPLOG_SILENT", "false")
    monkeypatch.setenv("STEPLOG_QUIET", "true")
    run = steplog.init(project="p", id="a", resume="must", mode="online", settings={"finish_timeout": 0})
    assert (run.resumed, run.step) == (True, 3)
    run.finish()
    assert (
        "the server could not be asked where the run stands, so it goes on from what is on this disk"
        in capfd.readouterr().err
    )


def test_a_server_that_does_not_answer_about_an_unknown_run_is_an_error() -> None:
    with pytest.raises(steplog.CommError, match="the server could not be asked for the run local/p/x"):
        steplog.init(project="p", id="x", resume="must", mode="online")


@pytest.mark.parametrize("resume", ["allow", "never", "auto"])
def test_nobody_is_asked_about_an_id_that_was_made_up(resume: str) -> None:
    run = steplog.init(project="p", resume=resume, mode="online", settings={"finish_timeout": 0})
    assert (run.resumed, run.starting_step) == (False, 0)
