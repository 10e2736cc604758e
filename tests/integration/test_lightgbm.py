"""LightGBM: what it records of the evaluation itself is what arrives."""

from __future__ import annotations

import pytest

from .conftest import Training, own

CODE = """
import json, sys, numpy, lightgbm, steplog

way = sys.argv[1]
if way == "own":
    from steplog.integration.lightgbm import log_summary, steplog_callback
    run = steplog.init(project="p", id="r1")
else:
    import wandb
    from wandb.integration.lightgbm import log_summary, wandb_callback as steplog_callback
    run = wandb.init(project="p", id="r1")
random = numpy.random.default_rng(0)
x = random.normal(size=(300, 3))
y = (x[:, 0] + 0.1 * random.normal(size=300) > 0).astype(int)
train = lightgbm.Dataset(x[:200], y[:200], feature_name=["a", "b", "c"])
test = lightgbm.Dataset(x[200:], y[200:], reference=train)
parameters = {"objective": "binary", "metric": ["binary_logloss", "auc"], "verbosity": -1, "seed": 0, "num_threads": 1}
if sys.argv[2] == "cv":
    result = lightgbm.cv(parameters, train, 5, nfold=3, seed=0, callbacks=[steplog_callback()])
else:
    found = {}
    model = lightgbm.train(parameters, train, 60, valid_sets=[test], valid_names=["test"],
                           callbacks=[lightgbm.record_evaluation(found), steplog_callback(),
                                      lightgbm.early_stopping(3, verbose=False)])
    log_summary(model, save_model_checkpoint=True)
    importance = dict(zip(model.feature_name(), model.feature_importance().tolist()))
    result = {"found": found, "best": model.best_iteration, "score": model.best_score, "importance": importance}
run.finish()
print(json.dumps(result))
"""


@pytest.mark.parametrize("way", ["own", "as_wandb"])
def test_a_training_that_stops_early(training: Training, way: str) -> None:
    said = training(CODE, way, "train", **({"STEPLOG_AS_WANDB": "1"} if way == "as_wandb" else {}))
    columns = {f"test_{name}": values for name, values in said["found"]["test"].items()}
    rounds = len(columns["test_auc"])
    assert 3 < rounds < 60
    assert training.api.history("local/p/r1") == [
        {"_step": index, "iteration": index, **{key: values[index] for key, values in columns.items()}}
        for index in range(rounds)
    ]
    run = training.run("local/p/r1")
    assert own(run["summary"]) == {
        "iteration": rounds - 1,
        "test_binary_logloss": {"min": min(columns["test_binary_logloss"])},
        "test_auc": {"max": max(columns["test_auc"])},
        "best_iteration": said["best"],
        "best_score": said["score"],
        "feature_importance": said["importance"],
    }
    assert (run["config"]["objective"], run["config"]["metric"]) == ("binary", ["binary_logloss", "auc"])
    assert list(training.files("local/p/r1")) == [f"model_ckpt_{said['best']}.txt"]


def test_cross_validation(training: Training) -> None:
    said = training(CODE, "own", "cv")
    columns = {name.replace(" ", "_"): values for name, values in said.items() if name.startswith("valid ")}
    assert sorted(columns) == [
        "valid_auc-mean",
        "valid_auc-stdv",
        "valid_binary_logloss-mean",
        "valid_binary_logloss-stdv",
    ]
    assert training.api.history("local/p/r1") == [
        {"_step": index, "iteration": index, **{key: values[index] for key, values in columns.items()}}
        for index in range(5)
    ]
    assert training.run("local/p/r1")["summary"]["valid_auc-mean"] == {"max": max(columns["valid_auc-mean"])}
