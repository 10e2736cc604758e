"""A store of objects that speaks as Amazon S3 does, as a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3

from rig.ports import keep_port
from rig.processes import environment
from rig.waiting import wait_until

KEYS = {"AWS_ACCESS_KEY_ID": "AKSTORY", "AWS_SECRET_ACCESS_KEY": "story", "AWS_REGION": "eu-west-1"}


class ObjectStore:
    """``moto_server`` with no buckets."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.keeper = keep_port()
        self.port: int = self.keeper.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ObjectStore:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            env=environment(self.home),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self.answers, f"{self.url} answers")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.keeper.close()

    def answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, "the store of objects ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    @property
    def variables(self) -> dict[str, str]:
        """What tells a program of it."""
        return {**KEYS, "AWS_ENDPOINT_URL_S3": self.url}

    def client(self) -> Any:
        """Amazon's own client for it."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            region_name=KEYS["AWS_REGION"],
        )
