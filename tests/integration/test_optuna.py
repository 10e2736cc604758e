"""Optuna: what the study itself remembers is what arrives."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Training, own

STUDY = """
import json, sys, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)

def told(study):
    print(json.dumps([{"number": trial.number, "state": trial.state.name, "params": trial.params,
                       "values": trial.values, "intermediate": trial.intermediate_values,
                       "seconds": trial.duration.total_seconds()} for trial in study.trials]))

def objective(trial):
    x = trial.suggest_float("x", -10, 10)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    for step in range(3):
        trial.report((x - 2) ** 2 + step, step)
        if trial.number % 3 == 1 and step == 1:
            raise optuna.TrialPruned()
    if trial.number == 5:
        raise ValueError("no luck")
    return (x - 2) ** 2

study = optuna.create_study(study_name="search", sampler=optuna.samplers.RandomSampler(seed=0))
"""

OWN = f"""
{STUDY}
import steplog
from steplog.integration.optuna import SteplogCallback
callback = SteplogCallback(metric_name="loss", steplog_kwargs={{"project": "p", "id": "r1"}})
study.optimize(objective, n_trials=9, callbacks=[callback], catch=[ValueError], n_jobs=int(sys.argv[1]))
steplog.finish()
told(study)
"""


def outcome(trial: Any) -> dict[str, Any]:
    value = trial["values"][0] if trial["values"] else trial["intermediate"].get("1")
    row = {**trial["params"], "trial/state": trial["state"], "trial/duration_seconds": trial["seconds"]}
    if trial["state"] == "FAIL":
        value = trial["intermediate"]["2"]
    return {**row, "loss": value}


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_one_run_for_all_trials(training: Training, jobs: str) -> None:
    trials = training(OWN, jobs)
    states = [trial["state"] for trial in trials]
    assert states == ["COMPLETE", "PRUNED", "COMPLETE", "COMPLETE", "PRUNED", "FAIL", "COMPLETE", "PRUNED", "COMPLETE"]
    rows = training.api.history("local/p/r1")
    assert rows == [{"_step": trial["number"], **outcome(trial)} for trial in trials]
    run = training.run("local/p/r1")
    assert run["config"] == {"study_name": "search", "direction": ["MINIMIZE"]}
    best = min((trial for trial in trials if trial["state"] == "COMPLETE"), key=lambda trial: trial["values"][0])
    summary = run["summary"]
    assert (summary["best_trial"], summary["best_value"]) == (best["number"], best["values"][0])
    assert summary["best_params"] == best["params"]


EACH = f"""
{STUDY}
import steplog
from steplog.integration.optuna import SteplogCallback
callback = SteplogCallback(metric_name="loss", steplog_kwargs={{"project": "p"}}, as_multirun=True)
plain = objective

@callback.track_in_steplog()
def objective(trial):
    callback.run_of(trial).log({{"begun": trial.number}})
    return plain(trial)

study.optimize(objective, n_trials=9, callbacks=[callback], catch=[ValueError], n_jobs=int(sys.argv[1]))
assert steplog.run is None
told(study)
"""


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_run_for_each_trial(training: Training, jobs: str) -> None:
    trials = training(EACH, jobs)
    runs = {run["name"]: run for run in training.api.runs("local/p")}
    assert sorted(runs) == [f"trial/{number}" for number in range(9)]
    for trial in trials:
        run = runs[f"trial/{trial['number']}"]
        failed = trial["state"] == "FAIL"
        assert (run["group"], run["exit_code"]) == ("search", int(failed)), run
        path = f"local/p/{run['id']}"
        described = {"study_name": "search", "direction": ["MINIMIZE"], "trial_number": trial["number"]}
        assert training.api.run(path)["config"] == {**described, **trial["params"]}
        rows = training.api.history(path)
        assert rows[0] == {"_step": 0, "begun": trial["number"]}
        reports = [(row["trial/report_step"], row["trial/intermediate_value"]) for row in rows[1:-1]]
        assert reports == [(int(step), value) for step, value in trial["intermediate"].items()]
        last = outcome(trial)
        assert rows[-1] == {
            "_step": len(rows) - 1,
            # A row that lacks the step metric gets its last value.
            **{key: last[key] for key in ("loss", "trial/state", "trial/duration_seconds")},
        }


WANDB = f"""
{STUDY}
import warnings; warnings.simplefilter("ignore")
import wandb
from optuna_integration.wandb import WeightsAndBiasesCallback
each = sys.argv[1] == "each"
callback = WeightsAndBiasesCallback("loss", wandb_kwargs={{"project": "p", "tags": ["t"]}}, as_multirun=each)
if each:
    objective = callback.track_in_wandb()(objective)
study.optimize(objective, n_trials=4, callbacks=[callback])
wandb.finish()
told(study)
"""


def test_the_callback_of_optuna_for_wandb(training: Training) -> None:
    trials = training(WANDB, "one", STEPLOG_AS_WANDB="1")
    path = training.only_run("local/p")
    run = training.run(path)
    assert (run["config"], run["run"]["tags"]) == ({"direction": ["MINIMIZE"]}, ["t"])
    expected = [
        {"_step": trial["number"], **trial["params"], **({"loss": trial["values"][0]} if trial["values"] else {})}
        for trial in trials
    ]
    assert training.api.history(path) == expected
    assert own(run["summary"])["loss"] == trials[3]["values"][0]


def test_the_callback_of_optuna_for_wandb_with_many_runs(training: Training) -> None:
    trials = training(WANDB, "each", STEPLOG_AS_WANDB="1")
    runs = training.api.runs("local/p")
    assert len(runs) == 4 and all(run["tags"] == ["t", "search"] for run in runs)
    configs = [training.api.run(f"local/p/{run['id']}")["config"] for run in runs]
    found = sorted((config["x"], config["kind"]) for config in configs)
    assert found == sorted((trial["params"]["x"], trial["params"]["kind"]) for trial in trials)
