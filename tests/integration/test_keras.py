"""Keras 3 on PyTorch: what `fit` answers is what arrives."""

from __future__ import annotations

import pytest

from .conftest import Training, own

CODE = """
import json, sys, keras, numpy, steplog

way, log_freq = sys.argv[1], sys.argv[2]
log_freq = int(log_freq) if log_freq.isdigit() else log_freq
if way == "own":
    from steplog.integration.keras import SteplogCallback, SteplogModelCheckpoint
    run = steplog.init(project="p", id="r1", config={"units": 3})
else:
    import wandb
    from wandb.integration.keras import WandbMetricsLogger as SteplogCallback
    from wandb.integration.keras import WandbModelCheckpoint as SteplogModelCheckpoint
    run = wandb.init(project="p", id="r1", config={"units": 3})
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
rate = keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5, staircase=True)
model.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
x = numpy.random.randn(32, 4).astype("float32")
y = x.sum(axis=1, keepdims=True)
callbacks = [SteplogCallback(log_freq=log_freq), SteplogModelCheckpoint("best.keras", save_best_only=True)]
fitted = model.fit(x, y, validation_data=(x[:8], y[:8]), epochs=3, batch_size=8, callbacks=callbacks, verbose=0)
run.finish()
print(json.dumps(fitted.history))
"""


@pytest.mark.parametrize("way", ["own", "as_wandb"])
def test_epochs(training: Training, way: str) -> None:
    history = training(CODE, way, "epoch", **({"STEPLOG_AS_WANDB": "1"} if way == "as_wandb" else {}))
    assert sorted(history) == ["loss", "mae", "val_loss", "val_mae"]
    rate = [0.05, 0.025, 0.0125]
    rows = training.api.history("local/p/r1")
    near = pytest.approx
    assert rows == [
        {
            "_step": epoch,
            "epoch/epoch": epoch,
            "epoch/learning_rate": near(rate[epoch]),
            **{f"epoch/{name}": values[epoch] for name, values in history.items()},
        }
        for epoch in range(3)
    ]
    run = training.run("local/p/r1")
    assert run["config"] == {"units": 3}
    assert own(run["summary"]) == {key: value for key, value in rows[-1].items() if key != "_step"}
    assert training.files("local/p/r1") == {"checkpoints/best.keras": (training.home / "best.keras").stat().st_size}


def test_batches(training: Training) -> None:
    history = training(CODE, "own", "2")
    rows = training.api.history("local/p/r1")
    assert [row["batch/batch_step"] for row in rows if "batch/batch_step" in row] == [0, 2, 4, 6, 8, 10]
    assert [row["epoch/loss"] for row in rows if "epoch/loss" in row] == history["loss"]
    assert all({"batch/loss", "batch/mae", "batch/learning_rate"} <= set(row) for row in rows if "batch/loss" in row)


def test_tables_of_predictions_are_refused_by_name(training: Training) -> None:
    said = training(
        """
import json, wandb
from wandb.integration.keras import WandbEvalCallback
try:
    WandbEvalCallback(["a"], ["b"])
except wandb.Error as error:
    print(json.dumps(str(error)))
""",
        STEPLOG_AS_WANDB="1",
    )
    assert said.startswith("wandb.integration.keras.WandbEvalCallback is not in steplog yet: ")
