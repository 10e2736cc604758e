"""How numbers spread, as a value to log."""

from __future__ import annotations

import math
from itertools import pairwise

from steplog import _native
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

#: Most bins of one histogram.
MAX_BINS = 512


class Histogram:
    """Counts of numbers between edges; a value for ``log`` and the summary.

    Args:
        sequence: Numbers: any iterable of them, or an array or tensor of any shape. The bins are those of
            ``numpy.histogram``: of equal width from the lowest to the highest number.
        np_histogram: Counts and edges instead, such as ``numpy.histogram`` answers. Counts may be fractions.
        num_bins: How many bins ``sequence`` is counted in, 1 to 512.

    Attributes:
        histogram: How many numbers are in each bin.
        bins: The edges of the bins, ascending: one more than there are bins.

    Raises:
        InvalidDataError: Not exactly one of ``sequence`` and ``np_histogram`` is given; there are no numbers, or NaN or
            infinities among them; there are more than 512 bins, or not one edge more than counts.
    """

    __slots__ = ("bins", "histogram")

    histogram: list[int] | list[float]
    bins: list[float]

    def __init__(
        self,
        sequence: Any = None,
        np_histogram: tuple[Sequence[float], Sequence[float]] | None = None,
        num_bins: int = 64,
    ) -> None:
        if (sequence is None) == (np_histogram is None):
            raise InvalidDataError("Histogram takes either a sequence or np_histogram")
        if np_histogram is not None:
            self.histogram, self.bins = _checked(np_histogram)
            return
        if isinstance(num_bins, bool) or not hasattr(num_bins, "__index__"):
            raise InvalidDataError(f"num_bins is a {type(num_bins).__name__}, not an int")
        if not 1 <= num_bins <= MAX_BINS:
            raise InvalidDataError(f"num_bins is {num_bins}, not 1 to {MAX_BINS}")
        if isinstance(sequence, (str, bytes)) or not hasattr(sequence, "__iter__"):
            raise InvalidDataError(f"Histogram takes numbers, not a {type(sequence).__name__}")
        self.histogram, self.bins = _native.count_histogram(sequence, num_bins)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return self.histogram == other.histogram and self.bins == other.bins

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<steplog.Histogram of {sum(self.histogram)} in {len(self.histogram)} bins>"


def _checked(pair: Any) -> tuple[list[int] | list[float], list[float]]:
    try:
        counts, edges = (_plain(numbers) for numbers in pair)
    except (TypeError, ValueError):
        raise InvalidDataError("np_histogram is no pair of counts and edges, each a sequence of numbers") from None
    if not 1 <= len(counts) <= MAX_BINS:
        raise InvalidDataError(f"np_histogram has {len(counts)} bins, not 1 to {MAX_BINS}")
    if len(edges) != len(counts) + 1:
        raise InvalidDataError(f"np_histogram has {len(counts)} counts and {len(edges)} edges, not one edge more")
    edges = [float(edge) for edge in edges]
    if not all(math.isfinite(number) for number in (*counts, *edges)):
        raise InvalidDataError("np_histogram has a count or an edge that is not finite")
    if any(low > high for low, high in pairwise(edges)):
        raise InvalidDataError("the edges of np_histogram are not ascending")
    return counts, edges


def _plain(numbers: Any) -> Any:
    """The numbers as Python's own; all int, or all float."""
    plain = numbers.tolist() if hasattr(numbers, "tolist") else list(numbers)
    plain = [number.item() if hasattr(number, "item") else number for number in plain]
    if all(isinstance(number, int) for number in plain):
        return [int(number) for number in plain]
    return [float(number) for number in plain]
