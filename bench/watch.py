"""What watching a PyTorch model costs a batch: one that is not looked at, and one that is.

    .venv-integrations/bin/python bench/watch.py        (make bench-watch)

The batches of the three kinds take turns, so that a machine that becomes slower is slower for all.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import steplog

#: How long each model is trained, in seconds.
SECONDS = 25
Batch = Callable[[], None]


def mlp() -> tuple[nn.Module, Callable[[], Any]]:
    layers = [nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)]
    return nn.Sequential(*layers), lambda: torch.randn(64, 64)


def convolutions() -> tuple[nn.Module, Callable[[], Any]]:
    layers: list[nn.Module] = [nn.Conv2d(3, 32, 3, padding=1)]
    for width in (32, 64, 128, 256):
        for stride in (1, 2):
            wider = width * stride if width < 256 else width
            layers += [nn.Conv2d(width, wider, 3, stride, 1), nn.BatchNorm2d(wider), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10)), lambda: torch.randn(
        8, 3, 32, 32
    )


def transformer() -> tuple[nn.Module, Callable[[], Any]]:
    layer = nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True, dropout=0.0)
    return nn.TransformerEncoder(layer, 6, enable_nested_tensor=False), lambda: torch.randn(4, 64, 256)


def trained(
    make: Callable[[], tuple[nn.Module, Callable[[], Any]]], watch: dict[str, Any] | None
) -> tuple[nn.Module, Batch]:
    torch.manual_seed(0)
    model, inputs = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    batch = inputs()
    if watch is not None:
        assert steplog.run is not None
        steplog.run.watch(model, idx=0, **watch)

    def step() -> None:
        optimizer.zero_grad()
        model(batch).pow(2).mean().backward()
        optimizer.step()
        steplog.log({"loss": 1.0})

    return model, step


def seconds(step: Batch) -> float:
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun


def main() -> None:
    os.environ["STEPLOG_SILENT"] = "1"
    torch.set_num_threads(2)
    kinds: dict[str, dict[str, Any] | None] = {
        "without": None,
        "watched": {"log": "all", "log_freq": 1_000_000},
        "gradients": {"log": "gradients", "log_freq": 1},
        "all": {"log": "all", "log_freq": 1},
    }
    with tempfile.TemporaryDirectory() as folder, steplog.init(project="bench", dir=folder, mode="offline"):
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, medians, milliseconds")
        print(
            f"{'model':<14}{'parameters':>12}{'tensors':>9}"
            + "".join(f"{kind:>12}" for kind in kinds)
            + "  all, every 1,000th"
        )
        for make in (mlp, convolutions, transformer):
            steps = {kind: trained(make, watch) for kind, watch in kinds.items()}
            times: dict[str, list[float]] = {kind: [] for kind in kinds}
            for _, step in steps.values():
                for _ in range(5):
                    step()
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                # A batch pays for what the one before left in the caches.
                for kind in random.sample(list(steps), len(steps)):
                    times[kind].append(seconds(steps[kind][1]) * 1e3)
            middle = {kind: statistics.median(values) for kind, values in times.items()}
            model = steps["without"][0]
            count = sum(parameter.numel() for parameter in model.parameters())
            tensors = len(list(model.parameters()))
            hooks = statistics.median(map(lambda one, other: one - other, times["watched"], times["without"]))
            often = hooks + (middle["all"] - middle["watched"]) / 1000
            print(
                f"{make.__name__:<14}{count:>12,}{tensors:>9}"
                + "".join(f"{value:>12.3f}" for value in middle.values())
                + f"  hooks {hooks:+.4f}, with histograms {often:+.4f}: {often / middle['without']:+.2%}"
            )


if __name__ == "__main__":
    main()
