from os import PathLike
from pathlib import Path
from typing import Any, SupportsIndex

__version__: str

class NativeRun:
    """The part of a run that is written in Rust."""

    def __new__(
        cls,
        *,
        project: str | None = None,
        entity: str | None = None,
        name: str | None = None,
        id: str | None = None,
        config: dict[str, Any] | None = None,
        tags: list[str] | None = None,
        notes: str | None = None,
        group: str | None = None,
        job_type: str | None = None,
        dir: str | PathLike[str] | None = None,
        mode: str | None = None,
        environment: dict[str, Any] | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        finish_timeout: float | None = None,
        verbosity: str | None = None,
    ) -> NativeRun: ...
    def log(
        self, data: Any, step: SupportsIndex | None = None, commit: bool | None = None, sync: bool | None = None
    ) -> None:
        """Log a row: metrics by key. Nested dicts are flattened; each leaf is a metric of its own.

        Args:
            data: Numbers, booleans, text, ``None``, lists and dicts of such; scalars of NumPy, PyTorch, JAX, TensorFlow.
            step: The row's step. Default: the run's, which then goes up by one. At or above the run's step the row
                stays open for more and the run's step moves there; below, it is a late row and the run's step stays.
            commit: Whether the row is complete. Default: yes, unless a step is given.
            sync: Accepted for old scripts; changes nothing.

        Raises:
            InvalidDataError: Something in the row cannot be logged; nothing of this call was.
            UsageError: The run is finished.
        """
    def update_config(self, entries: dict[str, Any], allow_val_change: bool) -> None: ...
    def read_config(self) -> dict[str, Any]: ...
    def read_summary(self) -> dict[str, Any]: ...
    def set_summary(self, path: list[str], value: Any) -> None: ...
    def remove_summary(self, path: list[str]) -> None: ...
    def set_tag_list(self, tags: list[str]) -> None: ...
    def close(self, exit_code: int) -> None: ...
    name: str | None
    notes: str | None
    @property
    def finished(self) -> bool: ...
    @property
    def id(self) -> str: ...
    @property
    def tag_list(self) -> list[str]: ...
    @property
    def project(self) -> str: ...
    @property
    def entity(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def job_type(self) -> str: ...
    @property
    def mode_word(self) -> str: ...
    @property
    def start_time(self) -> float: ...
    @property
    def step(self) -> int: ...
    @property
    def folder(self) -> Path | None: ...
    @property
    def url(self) -> str | None: ...
    @property
    def project_url(self) -> str | None: ...
