"""What the processes of a run printed."""

from __future__ import annotations

from typing import NamedTuple


class ConsoleLine(NamedTuple):
    """A line that a process printed; made by ``Run.console_lines()``.

    Attributes:
        text: As a terminal shows it now. Of control characters it has tabs and the escape sequences for colours.
        output: ``stdout`` or ``stderr``.
        time: When it first appeared, in Unix seconds.
        number: Its number among the lines of its process, both outputs together.
        stream: The id of the process's journal, 32 hex characters.
        label: What the script calls the process, when several write one run.
    """

    text: str
    output: str
    time: float
    number: int
    stream: str
    label: str | None
