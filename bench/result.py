"""A measured figure beside its budget."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Result:
    """One line of the table."""

    what: str
    measured: float
    unit: str
    #: `None` for a figure that only explains another one.
    budget: float | None = None
    #: For most figures less is better.
    more_is_better: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Measured over budget, so that at most 1 is within it; the other way round where more is better."""
        if self.budget is None or self.measured == 0:
            return None
        return self.budget / self.measured if self.more_is_better else self.measured / self.budget


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


HEAD = "| what | measured | budget | measured / budget | |\n| --- | ---: | ---: | ---: | --- |"


def line(result: Result) -> str:
    """The result as a row of a Markdown table."""
    budget, ratio = "", ""
    if result.budget is not None and result.ratio is not None:
        budget = f"{number(result.budget)} {result.unit}"
        ratio = f"{result.ratio:.2f}" + ("" if result.ratio <= 1 else " **over**")
    return f"| {result.what} | {number(result.measured)} {result.unit} | {budget} | {ratio} | {result.note} |"
