"""W&B in offline mode."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TITLE = "wandb (offline)"
VENV = "wandb"
REQUIREMENTS = ["wandb==0.31.0"]
IMPORT = "wandb"
ENVIRONMENT = {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}

BLOCK = 32_768

_run: Any


def start(folder: Path) -> Any:
    global _run
    import wandb

    settings = wandb.Settings(x_disable_stats=True, console="off", disable_git=True, disable_code=True)
    _run = wandb.init(project="bench", dir=str(folder), settings=settings)
    return _run.log


def finish() -> None:
    _run.finish()


def count(folder: Path) -> int:
    """Rows in the transaction log, which is what `wandb sync` sends."""
    from wandb.proto import wandb_internal_pb2

    rows = 0
    for path in folder.rglob("*.wandb"):
        for data in records(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            rows += record.WhichOneof("record_type") == "history"
    return rows


def records(log: bytes) -> Iterator[bytes]:
    """The records of a log in LevelDB's framing: chunks of checksum, length, type, in blocks of 32 KiB."""
    at, parts = 7, b""
    while at + 7 <= len(log):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        checksum, length, kind = struct.unpack_from("<IHB", log, at)
        payload = log[at + 7 : at + 7 + length]
        if kind == 0 or len(payload) < length or zlib.crc32(log[at + 6 : at + 7 + length]) != checksum:
            return
        parts += payload
        if kind in (1, 4):
            yield parts
            parts = b""
        at += 7 + length
