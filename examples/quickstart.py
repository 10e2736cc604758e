"""The whole of it: begin a run, log to it, end it. Look at it with `steplog ui` or `steplog serve`."""

import math

import steplog

with steplog.init(project="quickstart", config={"rate": 0.05}) as run:
    for step in range(500):
        loss = math.exp(-run.config.rate * step) + 0.01 * math.sin(step)
        run.log({"loss": loss, "accuracy": 1 - loss})
    run.summary["best"] = 0.99
