"""The HTTP API as any program would use it."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pyarrow.ipc


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The message of a refusal."""
        message: str = self.json()["error"]["message"]
        return message


class Api:
    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        self.headers = {"authorization": f"Bearer {key}"} if key else {}

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = 120,
    ) -> Answer:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
        try:
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        answer = self.call("GET", f"/api/v1{path}")
        assert answer.status == 200, (path, answer)
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        answer = self.call("POST", f"/api/v1{path}", json.dumps(body).encode(), {"content-type": "application/json"})
        assert answer.status in (200, 201), (path, answer)
        return answer.json()

    def run(self, path: str) -> Any:
        """One run in full, or ``None``."""
        answer = self.call("GET", f"/api/v1/runs/{quote(path)}")
        return answer.json() if answer.status == 200 else None

    def row_count(self, path: str) -> int:
        run = self.run(path)
        return run["run"]["row_count"] if run else 0

    def runs(self, project: str, **request: Any) -> list[Any]:
        answer: list[Any] = self.post("/runs/query", {"project": project, "limit": 5000, **request})["runs"]
        return answer

    def history(self, path: str, *keys: str) -> list[dict[str, Any]]:
        """The rows by step, without the columns that every row has beside its step."""
        query = f"&keys={quote(','.join(keys))}" if keys else ""
        answer = self.call("GET", f"/api/v1/runs/{quote(path)}/history?format=jsonl{query}")
        assert answer.status == 200, (path, answer)
        rows = [json.loads(line) for line in answer.body.splitlines()]
        for row in rows:
            row.pop("_timestamp", None)
            row.pop("_runtime", None)
        return rows

    def series(self, path: str, key: str, **request: Any) -> list[dict[str, float]]:
        """The buckets of one chart of one run."""
        body = json.dumps({"runs": [path], "keys": [key], **request}).encode()
        answer = self.call("POST", "/api/v1/series", body, {"content-type": "application/json"})
        assert answer.status == 200, (path, answer)
        rows: list[dict[str, float]] = pyarrow.ipc.open_stream(answer.body).read_all().to_pylist()
        return rows

    def points(self, path: str, key: str) -> list[tuple[float, float]]:
        """The points of a chart of few of them: step and value."""
        return [(bucket["x"], bucket["last"]) for bucket in self.series(path, key)]

    def export(self, path: str, file_format: str) -> bytes:
        answer = self.call("GET", f"/api/v1/runs/{quote(path)}/history?format={file_format}")
        assert answer.status == 200, (path, answer)
        return answer.body

    def ingest(self, path: str, stream: str, offset: int, body: bytes, **headers: str) -> Answer:
        return self.call(
            "POST",
            f"/api/v1/ingest/{path}/{stream}?offset={offset}",
            body,
            {"content-type": "application/vnd.steplog.journal", **{k.replace("_", "-"): v for k, v in headers.items()}},
        )
