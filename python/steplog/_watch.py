"""Histograms of a PyTorch model's gradients and parameters, taken while it trains.

A batch that is not looked at pays for one counter check for each parameter whose gradient is watched, and one for the
model. On one that is, the numbers are counted where they are, by operations of PyTorch that a GPU carries out while the
script goes on, and what was counted comes over in one piece when the backward pass ends.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from weakref import WeakKeyDictionary, ref

from steplog import _message, _native
from steplog._histogram import Histogram
from steplog.errors import Error, InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from steplog._run import Run

#: Bins of each histogram.
BINS = 64

#: Most numbers that are counted at once: counts are floats of 32 bits, which are exact up to here.
MOST_AT_ONCE = 1 << 24

LOG = ("gradients", "parameters", "all", None)

#: The models that are watched, as long as they are there: what watches one does not hold it.
_watched: WeakKeyDictionary[Any, Watch] = WeakKeyDictionary()


def watch(
    run: Run,
    models: Any,
    criterion: Any,
    log: str | None,
    log_freq: int,
    idx: int | None,
    log_graph: bool,
) -> None:
    """Check what ``Run.watch`` was given, and put hooks into the models."""
    if log not in LOG:
        raise InvalidDataError(f"log is {log!r}, not one of 'gradients', 'parameters', 'all' and None")
    for name, value in (("log_freq", log_freq), ("idx", idx)):
        lowest = 1 if name == "log_freq" else 0
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < lowest):
            raise InvalidDataError(f"{name} is {value!r}, not an int of at least {lowest}")
    chosen = _models(models)
    for model in chosen:
        before = _watched.get(model)
        if before is not None and before.run.finished:
            before.remove()
        elif before is not None:
            raise InvalidDataError(f"the {type(model).__name__} is watched already; unwatch() it first")
    if run.finished:
        raise Error("watch: the run is finished; begin another with init()")
    if run.disabled or _is_off():
        return
    numbers = [watched.number for watched in _watched.values() if watched.run is run]
    first = max(numbers, default=-1) + 1 if idx is None else idx
    for number, model in enumerate(chosen, first):
        watched = Watch(run, model, number, log_freq)
        _watched[model] = watched
        if log in ("gradients", "all"):
            watched.hook_gradients()
        if log in ("parameters", "all"):
            watched.hook_parameters()
        if log_graph:
            from steplog import _graph

            watched.handles += _graph.record(run, unwrapped(model), criterion, f"graph_{number}")


def unwatch(run: Run, models: Any) -> None:
    """Take the hooks out of the models; of all that the run watches if ``models`` is ``None``."""
    if models is None:
        for watched in [watched for watched in _watched.values() if watched.run is run]:
            watched.remove()
        return
    for model in _models(models):
        found = _watched.get(model)
        if found is None:
            _message.warn(f"unwatch: the {type(model).__name__} is not watched")
        else:
            found.remove()


class Watch:
    """A model that a run watches, and its hooks.

    Nothing that happens in a hook ends the training: the first trouble is a warning.
    """

    def __init__(self, run: Run, model: Any, number: int, log_freq: int) -> None:
        self.run, self.number, self.log_freq = run, number, log_freq
        self.prefix = f"graph_{number}." if number > 0 else ""
        self.handles: list[Any] = []
        self._model = ref(model)
        #: What was counted in this backward pass.
        self._counted: list[tuple[str, Counted]] = []

    def hook_gradients(self) -> None:
        """Look at every gradient of every ``log_freq``-th backward pass in which the parameter has one."""
        for name, parameter in self._parameters():
            if parameter.requires_grad:
                hook = self._gradient_hook(f"gradients/{self.prefix}{name}")
                self.handles.append(parameter.register_hook(hook))

    def hook_parameters(self) -> None:
        """Look at the parameters after every ``log_freq``-th forward pass that may be trained on."""
        hook: Any = _ParameterHook(self)
        disable = getattr(getattr(_torch(), "compiler", None), "disable", None)
        if disable is not None:
            # A compiled model is not to be compiled again each time the counter changes.
            hook.look = disable(hook.look)
        model: Any = self._model()
        self.handles.append(model.register_forward_hook(hook))

    def _parameters(self) -> list[tuple[str, Any]]:
        """The model's parameters by their own names; those of a part that occurs twice once."""
        model = self._model()
        return list(unwrapped(model).named_parameters()) if model is not None else []

    def _gradient_hook(self, key: str) -> Callable[[Any], None]:
        left = log_freq = self.log_freq

        def hook(gradient: Any) -> None:
            nonlocal left
            left -= 1
            if left:
                return
            left = log_freq
            self._look_at_gradient(key, gradient)

        return hook

    def _look_at_gradient(self, key: str, gradient: Any) -> None:
        try:
            if not self.run.finished:
                self._counted.append((key, Counted(gradient)))
            # What ends a backward pass of DistributedDataParallel, too. One for each gradient: the first does the work,
            # and none is missed when an earlier pass ended early.
            at_end = self.remove if self.run.finished else self._log_counted
            _torch().autograd.Variable._execution_engine.queue_callback(at_end)
        except Exception as error:
            self._warn(key, error)

    def look_at_parameters(self) -> None:
        """Log histograms of all parameters."""
        if self.run.finished:
            self.remove()
            return
        counted = []
        for name, parameter in self._parameters():
            key = f"parameters/{self.prefix}{name}"
            try:
                counted.append((key, Counted(parameter)))
            except Exception as error:
                self._warn(key, error)
        self._log(counted)

    def _log_counted(self) -> None:
        counted, self._counted = self._counted, []
        if counted:
            self._log(counted)

    def _log(self, counted: list[tuple[str, Counted]]) -> None:
        try:
            histograms = zip((key for key, _ in counted), to_histograms([one for _, one in counted]), strict=True)
            row = {key: histogram for key, histogram in histograms if histogram is not None}
            if row and not self.run.finished:
                self.run.log(row, commit=False)
        except Exception as error:
            self._warn("watch", error)

    def _warn(self, key: str, error: Exception) -> None:
        _message.warn(f"there is no histogram of {key}: {type(error).__name__}: {error}", once=True)

    def remove(self) -> None:
        """Take all hooks out of the model."""
        for handle in self.handles:
            handle.remove()
        self.handles, self._counted = [], []
        model = self._model()
        if model is not None:
            _watched.pop(model, None)


class _ParameterHook:
    """The hook of a model's forward pass; in a copy of the model, and in one that is pickled, it does nothing."""

    def __init__(self, watched: Watch) -> None:
        self.look = watched.look_at_parameters
        self.left = self.log_freq = watched.log_freq
        self.is_training = _torch().is_grad_enabled

    def __call__(self, module: Any, arguments: Any, output: Any) -> None:
        if not self.is_training():
            return
        self.left -= 1
        if not self.left:
            self.left = self.log_freq
            self.look()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        return _no_hook, ()


def _no_hook() -> Callable[..., None]:
    return _nothing


def _nothing(module: Any, arguments: Any, output: Any) -> None:
    pass


class Counted:
    """The finite numbers of a tensor in bins, still on the tensor's device.

    Attributes:
        extremes: The lowest number and the highest; the lowest is above the highest when there is none.
        counts: How many numbers are in each of the bins between them.
        zeros: How many zeros of a sparse tensor are not in ``counts``.
    """

    __slots__ = ("counts", "extremes", "zeros")

    def __init__(self, tensor: Any) -> None:
        torch = _torch()
        with torch.no_grad():
            numbers, self.zeros = _numbers(tensor)
            if numbers.device.type == "cpu":
                self.extremes, self.counts = _count(numbers)
            else:
                self.extremes, self.counts = _count_without_waiting(numbers)


def _numbers(tensor: Any) -> tuple[Any, int]:
    """The numbers of a tensor as floats of 32 or 64 bits in one dimension, and how many zeros are left out of them."""
    torch = _torch()
    tensor = tensor.detach()
    zeros = 0
    if tensor.layout is not torch.strided:
        size = tensor.numel()
        tensor = (tensor.coalesce() if tensor.layout is torch.sparse_coo else tensor).values()
        zeros = size - tensor.numel()
    if tensor.is_complex():
        tensor = tensor.abs()
    if tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.float()
    tensor = tensor.reshape(-1)
    if zeros:
        # One of them stands for all, so that they are between the extremes.
        tensor, zeros = torch.cat([tensor, tensor.new_zeros(1)]), zeros - 1
    return tensor, zeros


def _count(numbers: Any) -> tuple[Any, Any]:
    """Extremes and counts in main memory, where looking at a result costs nothing."""
    torch = _torch()
    if not numbers.numel():
        return torch.tensor([math.inf, -math.inf]), torch.zeros(BINS, dtype=torch.int64)
    lowest, highest = (float(one) for one in torch.aminmax(numbers))
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        return _count(numbers[torch.isfinite(numbers)])
    if numbers.dtype == torch.float32 and highest - lowest > torch.finfo(torch.float32).max:
        numbers = numbers.double()
    elif highest - lowest == math.inf:
        return _count_without_waiting(numbers)
    if lowest == highest:
        counts = torch.zeros(BINS, dtype=torch.int64)
        counts[BINS // 2] = numbers.numel()
    else:
        counts = _sum(torch.histc(part, BINS, lowest, highest) for part in numbers.split(MOST_AT_ONCE))
    return torch.tensor([lowest, highest], dtype=torch.float64), counts


def _count_without_waiting(numbers: Any) -> tuple[Any, Any]:
    """Extremes and counts by operations that need no answer of the device: it may be behind."""
    torch = _torch()
    finite = torch.isfinite(numbers)
    if not numbers.numel():
        return numbers.new_tensor([math.inf, -math.inf]), torch.zeros(BINS, dtype=torch.int64, device=numbers.device)
    lowest = torch.where(finite, numbers, math.inf).min()
    highest = torch.where(finite, numbers, -math.inf).max()
    # The largest floats are further apart than a float can say.
    scale = torch.where(torch.isfinite(highest - lowest), 1.0, 0.5).to(numbers.dtype)
    width = highest * scale - lowest * scale
    # Where all numbers are equal, they are in the middle.
    middle = torch.where(width == 0, 0.5, 0.0).to(numbers.dtype)
    width = torch.where(width == 0, torch.ones_like(width), width)
    counts = _sum(
        # What is not finite is put outside, and so it is not counted.
        torch.histc(torch.where(is_finite, (part * scale - lowest * scale) / width + middle, -1.0), BINS, 0, 1)
        for part, is_finite in zip(numbers.split(MOST_AT_ONCE), finite.split(MOST_AT_ONCE), strict=True)
    )
    return torch.stack([lowest, highest]), counts


def _sum(parts: Any) -> Any:
    total = 0
    for part in parts:
        total = total + part.to(_torch().int64)
    return total


def to_histograms(counted: Sequence[Counted]) -> list[Histogram | None]:
    """Histograms of what was counted, with one transfer of each kind from each device; ``None`` where nothing was."""
    torch = _torch()
    together: dict[Any, list[int]] = {}
    for index, one in enumerate(counted):
        together.setdefault((one.extremes.device, one.extremes.dtype), []).append(index)
    histograms: list[Histogram | None] = [None] * len(counted)
    for indices in together.values():
        extremes = torch.stack([counted[index].extremes for index in indices]).tolist()
        counts = torch.stack([counted[index].counts for index in indices]).tolist()
        for index, pair, bins in zip(indices, extremes, counts, strict=True):
            lowest, highest = pair
            histograms[index] = _histogram(lowest, highest, bins, counted[index].zeros)
    return histograms


def _histogram(lowest: float, highest: float, counts: list[int], zeros: int) -> Histogram | None:
    if lowest > highest:
        return None
    edges = _native.histogram_edges(lowest, highest, BINS)
    if zeros:
        counts[min(bisect_right(edges, 0.0), BINS) - 1] += zeros
    return Histogram(np_histogram=(counts, edges))


def unwrapped(model: Any) -> Any:
    """The model inside what ``torch.compile`` and the parallel wrappers make of it: its names are the ones to show."""
    inside = {"OptimizedModule": "_orig_mod", "DistributedDataParallel": "module", "DataParallel": "module"}
    while type(model).__name__ in inside:
        model = getattr(model, inside[type(model).__name__])
    return model


def _models(models: Any) -> list[Any]:
    chosen = list(models) if isinstance(models, (list, tuple)) else [models]
    module = _torch().nn.Module
    for model in chosen:
        if not isinstance(model, module):
            raise InvalidDataError(f"models has a {type(model).__name__}, not a torch.nn.Module")
    return chosen


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise Error("watch() is for models of PyTorch, which is not there: pip install torch") from None
    return torch


def _is_off() -> bool:
    value = os.environ.get("STEPLOG_WATCH") or os.environ.get("WANDB_WATCH") or ""
    return value.lower() in ("0", "false", "no", "off")
