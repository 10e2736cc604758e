"""A server that answers the wandb client the two requests it needs, and keeps nothing: `python wandb_stub.py PORT`."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RUN = {
    "id": "UnVuOnYxOnJ1bjpiZW5jaDpiZW5jaA==",
    "name": "run",
    "displayName": "run",
    "description": "",
    "config": "{}",
    "sweepName": None,
    "project": {"id": "UHJvamVjdA==", "name": "bench", "entity": {"id": "RW50aXR5", "name": "bench"}},
    "historyLineCount": 0,
}


class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.endswith("/file_stream"):
            self.answer(200, {})
        elif self.path != "/graphql":
            self.answer(404, {"error": "not here"})
        elif b"upsertBucket" in body:
            name = json.loads(body)["variables"].get("name") or "run"
            run = {**RUN, "name": name}
            self.answer(200, {"data": {"upsertBucket": {"bucket": run, "inserted": True}}})
        else:
            self.answer(200, {"data": None, "errors": [{"message": "not here"}]})

    def do_GET(self) -> None:
        self.answer(404, {"error": "not here"})

    def answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Stub).serve_forever()
