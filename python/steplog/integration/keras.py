"""Keras 3, on any of its backends: callbacks for ``fit``.

>>> model.fit(x, y, callbacks=[SteplogCallback(), SteplogModelCheckpoint("best.keras")])  # doctest: +SKIP
"""

from __future__ import annotations

import os

from steplog.errors import InvalidDataError
from steplog.integration._framework import framework, open_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    class Callback:
        """``keras.callbacks.Callback``."""

        model: Any

    class ModelCheckpoint:
        """``keras.callbacks.ModelCheckpoint``."""

        def __init__(self, filepath: Any, *args: Any, **kwargs: Any) -> None: ...
        def _save_model(self, epoch: int, batch: int | None, logs: dict[str, Any] | None) -> None: ...
        def _get_file_path(self, epoch: int, batch: int | None, logs: dict[str, Any] | None) -> str: ...

else:
    _callbacks = framework("keras", "Keras", "keras").callbacks
    Callback = _callbacks.Callback
    ModelCheckpoint = _callbacks.ModelCheckpoint

__all__ = ["SteplogCallback", "SteplogModelCheckpoint"]


class SteplogCallback(Callback):
    """Logs the metrics of ``fit`` to the open run, with the learning rate.

    By epoch they are ``epoch/…`` over ``epoch/epoch``, by batch ``batch/…`` over ``batch/batch_step``.

    Args:
        log_freq: ``"epoch"``: at the end of each epoch; ``"batch"``: of each batch too; a number: of every so many
            batches too.
        initial_global_step: Batches of an earlier ``fit`` that this one goes on from.

    Raises:
        Error: There is no run.
        InvalidDataError: ``log_freq`` is something else.
    """

    def __init__(self, log_freq: str | int = "epoch", initial_global_step: int = 0) -> None:
        super().__init__()
        run = open_run("SteplogCallback()")
        if log_freq == "batch":
            log_freq = 1
        if log_freq != "epoch" and (isinstance(log_freq, bool) or not isinstance(log_freq, int) or log_freq < 1):
            raise InvalidDataError(f"log_freq is {log_freq!r}, not 'epoch', 'batch' or an int of at least 1")
        self._batches = log_freq if isinstance(log_freq, int) else None
        self._global_step = initial_global_step
        run.define_metric("epoch/epoch")
        run.define_metric("epoch/*", step_metric="epoch/epoch")
        if self._batches is not None:
            run.define_metric("batch/batch_step")
            run.define_metric("batch/*", step_metric="batch/batch_step")

    def _learning_rate(self) -> dict[str, float]:
        optimizer = getattr(self.model, "optimizer", None)
        # A schedule answers the rate of the step that the optimizer is at.
        return {} if optimizer is None else {"learning_rate": float(optimizer.learning_rate)}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Log the metrics of an epoch."""
        row = {**(logs or {}), "epoch": epoch, **self._learning_rate()}
        open_run("fit()").log({f"epoch/{name}": value for name, value in row.items()})

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Log the metrics of a batch: means over the epoch so far, as Keras has them."""
        step = self._global_step
        self._global_step += 1
        if self._batches is not None and step % self._batches == 0:
            row = {**(logs or {}), "batch_step": step, **self._learning_rate()}
            open_run("fit()").log({f"batch/{name}": value for name, value in row.items()})


class SteplogModelCheckpoint(ModelCheckpoint):
    """A ``keras.callbacks.ModelCheckpoint`` whose files are saved with the open run, as ``checkpoints/…``.

    It takes the arguments of ``ModelCheckpoint``. A file that is written again is uploaded again.

    Args:
        filepath: Where the model is written, such as ``"model-{epoch:02d}.keras"``.
        *args: What else ``ModelCheckpoint`` takes.
        **kwargs: The same, by name.

    Raises:
        Error: There is no run.
    """

    def __init__(self, filepath: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        open_run("SteplogModelCheckpoint()")
        super().__init__(filepath, *args, **kwargs)
        self._saved: set[str] = set()

    def _save_model(self, epoch: int, batch: int | None, logs: dict[str, Any] | None) -> None:
        super()._save_model(epoch, batch, logs)
        path = os.path.abspath(self._get_file_path(epoch, batch, logs))
        run = open_run("fit()")
        # Nothing was written when the model is not the best one.
        if path in self._saved or not os.path.exists(path) or run.disabled:
            return
        self._saved.add(path)
        name = os.path.join(run.dir, "checkpoints", os.path.basename(path))
        os.makedirs(os.path.dirname(name), exist_ok=True)
        if not os.path.lexists(name):
            # By a link, so that what is written there later is seen.
            os.symlink(path, name)
        run.save(name, base_path=run.dir, policy="live", glob=False)
