"""Custom charts: they can be named, and say when they are used that they are not there yet."""

from steplog._wandb_absent import refusing

_NAMES = (
    "bar",
    "confusion_matrix",
    "histogram",
    "line",
    "line_series",
    "plot_table",
    "pr_curve",
    "roc_curve",
    "scatter",
    "visualize",
)

__all__ = [*_NAMES]

globals().update({name: refusing(f"wandb.plot.{name}", "log the numbers as metrics") for name in _NAMES})
