from os import PathLike
from pathlib import Path
from typing import Any, SupportsIndex, final

from typing_extensions import disjoint_base

__all__ = [
    "NativeApi",
    "NativeApiRun",
    "NativeDownload",
    "NativeRows",
    "NativeRun",
    "NativeRuns",
    "__version__",
    "send_run",
]

__version__: str

def send_run(folder: str | PathLike[str], patience: float) -> None: ...

@disjoint_base
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
        resume: str | None = None,
        fork_from: str | None = None,
        resume_from: str | None = None,
        allow_val_change: bool | None = None,
        sweep_id: str | None = None,
        label: str | None = None,
        primary: bool | None = None,
        attach: tuple[str, int] | None = None,
        environment: dict[str, Any] | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        finish_timeout: float | None = None,
        init_timeout: float | None = None,
        finish_detached: bool | None = None,
        sender_command: list[str] | None = None,
        verbosity: str | None = None,
    ) -> NativeRun: ...
    def log(
        self, data: Any, step: SupportsIndex | None = None, commit: bool | None = None, sync: bool | None = None
    ) -> None: ...
    def update_config(self, entries: dict[str, Any], allow_val_change: bool) -> None: ...
    def read_config(self) -> dict[str, Any]: ...
    def read_summary(self) -> dict[str, Any]: ...
    def set_summary(self, path: list[str], value: Any) -> None: ...
    def remove_summary(self, path: list[str]) -> None: ...
    def set_tag_list(self, tags: list[str]) -> None: ...
    def define(
        self,
        name: str,
        step_metric: str | None,
        step_sync: bool | None,
        hidden: bool | None,
        summary: str | None,
        overwrite: bool,
    ) -> list[str]: ...
    def tell(self, title: str, text: str, level: str, wait_seconds: float) -> None: ...
    def mark_preempting(self) -> None: ...
    def sync_state(self) -> tuple[int, int, bool, float | None]: ...
    def read_history(self) -> list[dict[str, Any]]: ...
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
    def root(self) -> Path | None: ...
    @property
    def starting_step(self) -> int: ...
    @property
    def resumed(self) -> bool: ...
    @property
    def sweep_id(self) -> str | None: ...
    @property
    def label(self) -> str | None: ...
    @property
    def stream(self) -> str: ...
    @property
    def sweep_url(self) -> str | None: ...
    @property
    def folder(self) -> Path | None: ...
    @property
    def url(self) -> str | None: ...
    @property
    def project_url(self) -> str | None: ...

@final
class NativeApi:
    """A server, to read from."""

    def __new__(
        cls,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        entity: str | None = None,
        project: str | None = None,
        timeout: float | None = None,
    ) -> NativeApi: ...
    def default_entity(self) -> str: ...
    def projects(self, entity: str | None = None) -> list[dict[str, Any]]: ...
    def runs(self, project: str, filters: Any, order: str, per_page: int) -> NativeRuns: ...
    def run(self, path: str) -> NativeApiRun: ...
    @property
    def base_url(self) -> str: ...

@final
class NativeRuns:
    """Runs of a project, page by page."""

    def total(self) -> int: ...
    def next_page(self) -> list[NativeApiRun]: ...
    @property
    def project(self) -> str: ...

@final
class NativeApiRun:
    """A run of a server."""

    def info(self) -> dict[str, Any]: ...
    def config(self) -> dict[str, Any]: ...
    def summary(self) -> dict[str, Any]: ...
    def environment(self) -> dict[str, Any]: ...
    def reload(self) -> None: ...
    def update(
        self,
        *,
        name: str | None = None,
        notes: str | None = None,
        tags: list[str] | None = None,
        group: str | None = None,
        stop: bool | None = None,
        set_config: list[tuple[str, Any]] | None = None,
        remove_config: list[str] | None = None,
        set_summary: list[tuple[list[str], Any]] | None = None,
        remove_summary: list[list[str]] | None = None,
    ) -> None: ...
    def delete(self) -> None: ...
    def rows(
        self,
        *,
        keys: list[str] | None = None,
        columns: list[str] | None = None,
        samples: int | None = None,
        from_step: int | None = None,
        to_step: int | None = None,
        page_size: int = 1000,
    ) -> NativeRows: ...
    def download_history(
        self,
        format: str,
        *,
        keys: list[str] | None = None,
        samples: int | None = None,
        from_step: int | None = None,
        to_step: int | None = None,
    ) -> NativeDownload: ...
    @property
    def url(self) -> str: ...

@final
class NativeRows:
    """Rows of a run, page by page."""

    def next_page(self) -> list[dict[str, Any]]: ...

@final
class NativeDownload:
    """What a server sends, as a file that can be read once."""

    def read(self, size: int = -1) -> bytes: ...
    def close(self) -> None: ...
    def readable(self) -> bool: ...
    def seekable(self) -> bool: ...
    def writable(self) -> bool: ...
    @property
    def closed(self) -> bool: ...
