"""The classes of errors, and what each call is refused with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

import steplog
from steplog import errors


def test_the_classes_and_what_they_derive_from() -> None:
    bases = {name: getattr(errors, name).__bases__ for name in errors.__all__}
    assert bases == {
        "ArtifactFinalizedError": (errors.UsageError, ValueError, AttributeError),
        "ArtifactNotLoggedError": (errors.UsageError, ValueError, AttributeError),
        "AuthenticationError": (errors.CommError,),
        "CommError": (errors.Error,),
        "NotFoundError": (errors.CommError, ValueError),
        "ConfigError": (errors.Error,),
        "Error": (Exception,),
        "IntegrityError": (errors.Error, ValueError),
        "InvalidDataError": (errors.UsageError, ValueError, TypeError),
        "UsageError": (errors.Error,),
        "WaitTimeoutError": (errors.Error, TimeoutError),
    }
    for name in errors.__all__:
        assert getattr(steplog, name) is getattr(errors, name)
        assert getattr(errors, name)("what to do").message == "what to do"


def finished() -> steplog.Run:
    run = steplog.init(config={"lr": 0.1})
    run.finish()
    return run


CALLS: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    ("log a list", lambda: steplog.init().log([1]), ValueError, "log() takes a dict of metrics, not a list"),
    ("log an object", lambda: steplog.init().log({"a": object()}), TypeError, '"a" is a object'),
    ("log without a run", lambda: steplog.log({"a": 1}), steplog.Error, "call steplog.init() before steplog.log()"),
    ("config without a run", lambda: steplog.config["lr"], steplog.Error, "before steplog.config['lr']"),
    ("config set without a run", lambda: setattr(steplog.config, "lr", 1), steplog.Error, "steplog.config['lr']"),
    ("summary without a run", lambda: steplog.summary.best, steplog.Error, "before steplog.summary['best']"),
    ("log after finish", lambda: finished().log({"a": 1}), steplog.UsageError, "the run is finished"),
    ("config after finish", lambda: setattr(finished().config, "a", 1), steplog.UsageError, "the run is finished"),
    ("defaults after finish", lambda: finished().config.setdefaults({}), steplog.UsageError, "the run is finished"),
    ("summary after finish", lambda: setattr(finished().summary, "a", 1), steplog.UsageError, "the run is finished"),
    ("config conflict", lambda: setattr(steplog.init(config={"a": 1}).config, "a", 2), steplog.ConfigError, '"a"'),
    ("unknown setting", lambda: steplog.init(settings={"x": 1}), ValueError, "unknown setting 'x'"),
]


@pytest.mark.parametrize(("call", "kind", "message"), [case[1:] for case in CALLS], ids=[case[0] for case in CALLS])
def test_a_refused_call_says_what_is_wrong(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, steplog.Error)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("status", "kind"), [(401, errors.AuthenticationError), (403, errors.AuthenticationError), (400, errors.CommError)]
)
def test_a_server_that_lets_nobody_in_is_an_error_where_its_answer_is_needed(
    status: int, kind: type[Exception]
) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        settings = {"base_url": f"http://127.0.0.1:{server.server_port}", "api_key": "wrong"}
        with pytest.raises(errors.Error) as caught:
            steplog.init(project="p", id="a", mode="online", resume="must", settings=settings)
    finally:
        server.shutdown()
        server.server_close()
    assert type(caught.value) is kind
    assert f"could not be asked for the run local/p/a: status {status}" in caught.value.message
    assert steplog.run is None


def test_a_run_takes_no_attribute_that_it_does_not_know() -> None:
    run = steplog.init()
    with pytest.raises(AttributeError, match=r"^Attribute foo is not supported on Run object\.$"):
        run.foo = 1
    with pytest.raises(AttributeError):
        run.config = {}  # type: ignore[misc, assignment]
    assert not hasattr(run, "foo")
