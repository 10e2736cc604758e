"""Optuna: a callback for ``study.optimize``.

>>> study.optimize(objective, n_trials=20, callbacks=[SteplogCallback()])  # doctest: +SKIP
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence

import steplog
from steplog import _session
from steplog.errors import InvalidDataError
from steplog.integration._framework import framework

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from steplog import Run

optuna: Any = framework("optuna", "Optuna", "optuna")

__all__ = ["SteplogCallback"]


class SteplogCallback:
    """Logs the trials of a study: one run for all of them, or one for each.

    In one run for all, each trial is a row at the step of its number: its parameters, the values of the objective,
    ``trial/state`` and ``trial/duration_seconds``; a pruned trial has the last value that it reported. The config gets
    the study's name and directions, the summary ``best_trial``, ``best_value`` and ``best_params`` of a study with one
    objective. Studies with ``n_jobs`` and trials that end in any order are fine.

    In one run for each, the parameters are config values, the study's name is the group, and the reports of the trial
    are rows. With ``track_in_steplog`` the run begins with the trial, so that the objective can log to it.

    Args:
        metric_name: Name of the objective's value, or a name for each of several. One name for several gets ``_0``,
            ``_1``, … behind it.
        steplog_kwargs: What ``steplog.init`` is to take for the runs that are begun here.
        as_multirun: Whether each trial is a run of its own. Otherwise the run is the one that is open, or it begins
            here; ending it is up to you.

    Raises:
        InvalidDataError: ``metric_name`` is no str and no sequence of str.
    """

    def __init__(
        self,
        metric_name: str | Sequence[str] = "value",
        steplog_kwargs: dict[str, Any] | None = None,
        as_multirun: bool = False,
    ) -> None:
        if not isinstance(metric_name, str) and not (
            isinstance(metric_name, Sequence) and all(isinstance(name, str) for name in metric_name)
        ):
            raise InvalidDataError("metric_name is neither a str nor a sequence of str")
        self._metric_name = metric_name
        self._kwargs = dict(steplog_kwargs or {})
        self._as_multirun = as_multirun
        self._lock = threading.Lock()
        #: The runs of trials that go on, by the trial's number.
        self._runs: dict[int, Run] = {}
        if not as_multirun and steplog.run is None:
            steplog.init(**self._kwargs)

    def __call__(self, study: Any, trial: Any) -> None:
        """Log a trial that ended; Optuna calls it.

        Raises:
            InvalidDataError: There are not as many names as values.
        """
        if self._as_multirun:
            self._log_to_own_run(study, trial)
        else:
            self._log_row(study, trial)

    def _log_row(self, study: Any, trial: Any) -> None:
        with self._lock:
            run = steplog.run or steplog.init(**self._kwargs)
        run.config.update(_described(study), allow_val_change=True)
        run.log({**trial.params, **self._metrics(trial), **_outcome(trial)}, step=trial.number, commit=True)
        if len(study.directions) == 1 and (best := _best(study)) is not None:
            best_of_study = {"best_trial": best.number, "best_value": best.value, "best_params": best.params}
            run.summary.update({key: value for key, value in best_of_study.items() if value not in (None, {})})

    def _log_to_own_run(self, study: Any, trial: Any) -> None:
        run = self._runs.pop(trial.number, None) or self._begin(study, trial.number)
        run.config.update({**_described(study), **trial.params, "trial_number": trial.number}, allow_val_change=True)
        if trial.intermediate_values:
            run.define_metric("trial/report_step")
            run.define_metric("trial/intermediate_value", step_metric="trial/report_step")
        for step, value in trial.intermediate_values.items():
            run.log({"trial/report_step": step, "trial/intermediate_value": value})
        run.log({**self._metrics(trial), **_outcome(trial)})
        run.finish(int(trial.state == optuna.trial.TrialState.FAIL))

    def _begin(self, study: Any, number: int) -> Run:
        arguments = {"name": f"trial/{number}", "group": study.study_name, **self._kwargs, "reinit": "create_new"}
        return steplog.init(**arguments)

    def track_in_steplog(self) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator for the objective: with ``as_multirun`` the run of a trial is there while it goes on.

        It is ``run_of(trial)``, and ``steplog.run`` unless another run is open, as with ``n_jobs`` another trial's is.
        """

        def decorator(objective: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(objective)
            def tracked(trial: Any) -> Any:
                if self._as_multirun:
                    run = self._runs[trial.number] = self._begin(trial.study, trial.number)
                    with self._lock:
                        if steplog.run is None:
                            _session.make_global(run)
                return objective(trial)

            return tracked

        return decorator

    def run_of(self, trial: Any) -> Run:
        """The run that a trial is logged to.

        Args:
            trial: The trial that the objective was given.

        Raises:
            InvalidDataError: The objective is not decorated with ``track_in_steplog``, or there is no run.
        """
        run = self._runs.get(trial.number) if self._as_multirun else steplog.run
        if run is None:
            raise InvalidDataError(
                f"the trial {trial.number} has no run: decorate the objective with track_in_steplog()"
            )
        return run

    def _metrics(self, trial: Any) -> dict[str, float]:
        values = trial.values
        if values is None:
            # A pruned trial has said how far it came, a failed one nothing.
            last = trial.last_step
            values = [trial.intermediate_values[last]] if last is not None else []
            return {self._names(1)[0]: values[0]} if values else {}
        return dict(zip(self._names(len(values)), values, strict=True))

    def _names(self, count: int) -> list[str]:
        if isinstance(self._metric_name, str):
            return [self._metric_name] if count == 1 else [f"{self._metric_name}_{index}" for index in range(count)]
        if len(self._metric_name) != count:
            raise InvalidDataError(f"metric_name has {len(self._metric_name)} names for {count} values")
        return list(self._metric_name)


def _described(study: Any) -> dict[str, Any]:
    return {"study_name": study.study_name, "direction": [direction.name for direction in study.directions]}


def _outcome(trial: Any) -> dict[str, Any]:
    outcome: dict[str, Any] = {"trial/state": trial.state.name}
    if trial.duration is not None:
        outcome["trial/duration_seconds"] = trial.duration.total_seconds()
    return outcome


def _best(study: Any) -> Any:
    try:
        return study.best_trial
    except ValueError:
        return None  # No trial is complete yet.
