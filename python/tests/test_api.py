"""``steplog.Api`` where no server is needed: arguments, and what happens when none answers."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import steplog
from steplog.api import Run, Summary

DETAIL = b"""{"run": {"entity": "ada", "project": "p", "id": "a", "name": "n", "state": "finished", "tags": [],
 "notes": null, "group": null, "job_type": null, "created_at": 0.5, "updated_at": 86400.0, "finished_at": null,
 "duration": 2.0, "exit_code": 0, "last_step": null, "row_count": 0, "key_count": 0, "preempting": false,
 "sweep_id": null}, "config": {"lr": "NaN"}, "summary": {"loss": {"min": "-Infinity"}}, "environment": {"host": "h"},
 "streams": [], "metrics": [], "alert_count": 0, "console_line_count": 0,
 "fork_from": null, "forks": []}"""


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers what a test put there, and notes what was asked."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append((self.path, self.headers.get("authorization")))
        status, body, *headers = server.answers.pop(0)
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **dict(*headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked, server.answers = [], []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_importing_steplog_does_not_import_it() -> None:
    code = (
        "import sys, steplog; assert 'steplog.api' not in sys.modules; steplog.Api;"
        " assert 'pandas' not in sys.modules and 'pyarrow' not in sys.modules and 'steplog.api' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda api: steplog.Api({"url": "x"}), "unknown override 'url'; known are base_url, entity, project"),
        (lambda api: steplog.Api(base_url="ftp://x"), 'server URL "ftp://x" does not begin with http:// or https://'),
        (lambda api: steplog.Api(timeout=0), "timeout 0 is not a positive number of seconds"),
        (lambda api: steplog.Api(timeout=float("nan")), "timeout NaN is not a positive number of seconds"),
        (lambda api: api.run("a/b/c/d"), '"a/b/c/d" is not a run: it must have the form entity/project/id'),
        (lambda api: api.run("a/b/c;d"), "run id \"c;d\" has the forbidden character ';'"),
        (lambda api: api.run("a"), '"a" names no project, and neither does STEPLOG_PROJECT'),
        (lambda api: api.runs("a/b/c"), '"a/b/c" is not a project: it must have the form entity/project'),
        (lambda api: api.runs("p", {"lr": 1}), 'there is no field "lr"'),
        (lambda api: api.runs("p", {"config.lr": {"$regex": "1"}}), "there is no operator $regex"),
        (lambda api: api.runs("p", ["state"]), "a filter is a map of fields or an expression"),
        (lambda api: api.runs("p", {"config.lr": object()}), "object"),
        (lambda api: api.runs("p", order="-lr"), 'there is no field "lr"'),
        (lambda api: api.runs("p", per_page=0), "per_page must be 1 to 5000, not 0"),
        (lambda api: api.runs("p", per_page=True), "per_page must be 1 to 5000, not True"),
    ],
)
def test_wrong_arguments_are_named(call: Callable[[steplog.Api], Any], message: str) -> None:
    api = steplog.Api(entity="ada")
    with pytest.raises(steplog.UsageError) as caught:
        call(api)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: run.history(samples=0), "samples must be 1 to 1000000, not 0"),
        (lambda run: run.history(samples=1.5), "samples must be 1 to 1000000, not 1.5"),
        (lambda run: run.history(keys=[]), "keys is empty: leave it out for all"),
        (lambda run: run.history(keys=[1]), "the key 1 is a int, not a str"),
        (lambda run: run.history(x_axis="epoch"), "x_axis='epoch' needs keys"),
        (lambda run: run.history(keys=["loss"], x_axis=1), "x_axis is a int, not a str"),
        (lambda run: run.scan_history(page_size=0), "page_size must be 1 to 1000000, not 0"),
        (lambda run: run.files(per_page=0), "per_page must be 1 to 10000, not 0"),
        (lambda run: run.files(per_page=10_001), "per_page must be 1 to 10000, not 10001"),
        (lambda run: run.files(names=[]), "names is empty: leave it out for all"),
        (lambda run: run.files(names=["a", 1]), "the file name 1 is a int, not a str"),
        (lambda run: run.files(prefix=1), "prefix is a int, not a str"),
        (lambda run: run.file(1), "the file name 1 is a int, not a str"),
        (lambda run: run.file("../x"), 'file path "../x" leads elsewhere'),
        (lambda run: run.file("/etc/x"), 'file path "/etc/x" is empty, or has an empty part'),
        (lambda run: setattr(run, "name", 5) or run.update(), "name is a int, not a str"),
        (lambda run: setattr(run, "tags", "a") or run.update(), "tags must be a list of str"),
        (lambda run: run.config.update({1: 2}) or run.update(), "the config key 1 is a int, not a str"),
        (lambda run: run.config.update(x=2**80) or run.update(), "has an integer beyond 64 bits"),
        (lambda run: run.summary.update({1: 2}), "the summary key 1 is a int, not a str"),
        (lambda run: run.summary.update(x=object()), "object"),
    ],
)
def test_wrong_arguments_of_a_run_are_named(server: Any, call: Callable[[Run], Any], message: str) -> None:
    server.answers = [(200, DETAIL)]
    run = steplog.Api(base_url=server.url).run("ada/p/a")
    with pytest.raises(steplog.UsageError) as caught:
        call(run)
    assert message in str(caught.value)
    assert len(server.asked) == 1


def test_a_run_without_rows(server: Any) -> None:
    server.answers = [(200, DETAIL)]
    run = steplog.Api(base_url=server.url + "/", api_key="k").run("/ada/p/a/")
    assert server.asked == [("/api/v1/runs/ada/p/a", "Bearer k")]
    assert (run.last_step, run.exit_code, run.finished_at, run.job_type) == (-1, 0, None, None)
    assert (run.created_at, run.updated_at, run.start_time) == (
        "1970-01-01T00:00:00.500000Z",
        "1970-01-02T00:00:00Z",
        0.5,
    )
    assert run.config["lr"] != run.config["lr"]
    assert isinstance(run.summary, Summary) and run.summary == {"loss": {"min": float("-inf")}}
    assert run.metadata == {"host": "h"}
    assert repr(run) == "<steplog.api.Run ada/p/a (finished)>"
    # NaN is no change.
    run.update()
    assert len(server.asked) == 1


def file_list(*paths: str) -> tuple[int, bytes]:
    """A page with files of four bytes."""
    rest = {"size_bytes": 4, "sha256": None, "media_type": "text/plain", "policy": None, "modified_at": None}
    files = [{"path": path, "updated_at": 0.5, **rest} for path in paths]
    return 200, json.dumps({"files": files, "next_cursor": None}).encode()


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a//x", "./x", "", "a\\..\\x", "a\0x"])
def test_a_server_cannot_name_a_file_that_leads_elsewhere(server: Any, path: str) -> None:
    server.answers = [(200, DETAIL), file_list("good", path)]
    run = steplog.Api(base_url=server.url).run("ada/p/a")
    with pytest.raises(steplog.CommError, match="says of ada/p/a is refused: file path"):
        list(run.files())


def test_only_a_whole_file_is_written(server: Any, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"good").hexdigest()
    server.answers = [(200, DETAIL), file_list("a b")]
    run = steplog.Api(base_url=server.url).run("ada/p/a")
    file = run.file("a b")
    assert (file.url, file.updated_at) == (
        f"{server.url}/api/v1/runs/ada/p/a/files/a%20b",
        "1970-01-01T00:00:00.500000Z",
    )
    target = tmp_path / "a b"
    target.write_text("as it was")
    for broken in ((200, b"evil", {"etag": f'"{digest}"'}), (200, b"goo", {"content-length": "4"})):
        server.answers = [broken]
        with pytest.raises(steplog.CommError, match=r"broke off|did not come whole"):
            file.download(tmp_path, replace=True)
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a b", "as it was")]
    for whole in ((200, b"good", {"etag": f'"{digest}"'}), (200, b"another", {"etag": '"7-1"'})):
        server.answers = [whole]
        assert file.download(tmp_path, replace=True) == str(target)
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a b", whole[1])]
    assert [path for path, _ in server.asked] == [
        "/api/v1/runs/ada/p/a",
        "/api/v1/runs/ada/p/a/files?limit=1&prefix=a%20b",
        *["/api/v1/runs/ada/p/a/files/a%20b"] * 4,
    ]
    with pytest.raises(steplog.UsageError, match="root is a bytes, not a str"):
        file.download(b"x")  # type: ignore[arg-type]


def test_ctrl_c_ends_a_download(tmp_path: Path) -> None:
    class Endless(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_file = self.path.endswith("/files/a")
            body = b"x" * 1000 if is_file else file_list("a")[1] if "/files" in self.path else DETAIL
            self.send_response(200)
            self.send_header("content-length", str(1 << 50 if is_file else len(body)))
            self.end_headers()
            self.wfile.write(body)
            if is_file:
                os.kill(os.getpid(), signal.SIGINT)
                with contextlib.suppress(ConnectionError):
                    while True:
                        self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    try:
        file = steplog.Api(base_url=f"http://127.0.0.1:{server.server_address[1]}").run("ada/p/a").file("a")
        with pytest.raises(KeyboardInterrupt):
            file.download(tmp_path)
        assert list(tmp_path.iterdir()) == []
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_no_server_is_a_comm_error() -> None:
    api = steplog.Api()
    assert api.base_url == "http://127.0.0.1:9"
    for call in (
        lambda: api.projects(),
        lambda: api.default_entity,
        lambda: api.run("ada/p/a"),
        lambda: len(api.runs("ada/p")),
        lambda: list(api.runs("ada/p")),
        lambda: api.runs("p"),
    ):
        with pytest.raises(steplog.CommError, match=r"no server answers at http://127\.0\.0\.1:9: ") as caught:
            call()
        assert "hint: start a server with `steplog serve`" in str(caught.value)


def test_what_is_no_steplog_server_is_a_comm_error(server: Any) -> None:
    api = steplog.Api(base_url=server.url)
    for answer in ((200, b"<html>"), (404, b"<html>"), (500, b"{}")):
        server.answers = [answer]
        with pytest.raises(steplog.CommError, match="is not a steplog server") as caught:
            api.projects()
        assert not isinstance(caught.value, steplog.NotFoundError)


def test_a_refusal_says_what_and_what_to_do(server: Any) -> None:
    api = steplog.Api(base_url=server.url)
    body = b'{"error": {"kind": "%s", "message": "the thing", "hint": "do it"}}'
    for status, kind, error in [
        (404, b"not_found", steplog.NotFoundError),
        (400, b"invalid", steplog.InvalidDataError),
        (401, b"unauthenticated", steplog.CommError),
        (403, b"forbidden", steplog.CommError),
        (500, b"internal", steplog.CommError),
    ]:
        server.answers = [(status, body % kind)]
        with pytest.raises(error) as caught:
            api.run("ada/p/a")
        assert (type(caught.value), caught.value.message) == (error, "the thing\nhint: do it")


def test_a_busy_server_is_asked_again(server: Any) -> None:
    busy = b'{"error": {"kind": "unavailable", "message": "busy"}}'
    server.answers = [(503, busy), (429, busy), (200, b'{"projects": []}')]
    assert steplog.Api(base_url=server.url).projects() == []
    assert len(server.asked) == 3


def test_the_environment_names_what_paths_leave_out(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:8")
    monkeypatch.setenv("STEPLOG_BASE_URL", server.url)
    monkeypatch.setenv("WANDB_API_KEY", "from-old-name")
    monkeypatch.setenv("STEPLOG_ENTITY", "ada")
    monkeypatch.setenv("STEPLOG_PROJECT", "my p")
    server.answers = [(200, DETAIL), (200, DETAIL)]
    api = steplog.Api()
    assert (api.default_entity, repr(api)) == ("ada", f"<steplog.Api {server.url}>")
    assert api.run("a").id == "a"
    assert steplog.Api(api_key="argument", entity="bo", project="q").run("a").id == "a"
    assert server.asked == [
        ("/api/v1/runs/ada/my%20p/a", "Bearer from-old-name"),
        ("/api/v1/runs/bo/q/a", "Bearer argument"),
    ]
