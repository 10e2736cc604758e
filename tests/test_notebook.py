"""Notebooks: a real kernel, a real server, and the page that a cell shows in a real browser."""

from __future__ import annotations

import html
import http.server
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from jupyter_client import KernelManager
from playwright.sync_api import expect

from rig.browser import Chromium
from rig.processes import Server, environment
from rig.waiting import wait_until

BEGIN = "import steplog; run = steplog.init(project='cells', id={id!r}); run.log({{'loss': 1.0}})"


class Kernel:
    """A kernel that runs cells."""

    def __init__(self, home: Path, server: Server) -> None:
        self.manager = KernelManager(kernel_name="python3")
        more = {"STEPLOG_BASE_URL": server.url, "IPYTHONDIR": str(home / "ipython")}
        self.environment = environment(home, **more)
        self.home = home

    def __enter__(self) -> Kernel:
        self.manager.start_kernel(cwd=str(self.home), env=self.environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def begin(self, code: str) -> str:
        """Begins a cell."""
        name: str = self.client.execute(code)
        return name

    def wait(self, cell: str) -> list[dict[str, Any]]:
        """What the cell showed, once it has ended."""
        shown = []
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != cell:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return shown
            shown.append({"type": message["msg_type"], **message["content"]})

    def run(self, code: str) -> list[dict[str, Any]]:
        return self.wait(self.begin(code))

    def restart(self) -> None:
        self.manager.restart_kernel()
        self.client.wait_for_ready(60)


@pytest.fixture
def kernel(home: Path, server: Server) -> Iterator[Kernel]:
    with Kernel(home, server) as kernel:
        yield kernel


def ends(server: Server) -> dict[str, tuple[str, int | None]]:
    runs = server.api.runs("local/cells") if server.api.get("/projects")["projects"] else []
    return {run["id"]: (run["state"], run["exit_code"]) for run in runs}


def test_a_cell_shows_the_live_charts_of_its_run(home: Path, server: Server, kernel: Kernel) -> None:
    kernel.run(BEGIN.format(id="a"))
    [shown] = [each for each in kernel.run("run") if each["type"] == "execute_result"]
    page = shown["data"]["text/html"]
    assert re.findall(r'src="([^"]*)"', page) == [f"{server.url}/embed/local/cells/runs/a"]
    # The notebook is somebody else's page, at an address of its own.
    (home / "notebook.html").write_text(f"<!doctype html><title>notebook</title>{page}")
    normal = html.escape(f"{server.url}/local/cells/runs/a")
    (home / "thief.html").write_text(f"<!doctype html><title>thief</title><iframe src='{normal}'></iframe>")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(home))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as other, Chromium() as chromium:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        tab = chromium.tab(f"http://127.0.0.1:{other.server_port}")
        tab.watch("/notebook.html")
        frame = tab.page.frame_locator("iframe")
        expect(frame.get_by_role("article", name="loss", exact=True)).to_be_visible()
        expect(frame.get_by_text("Running")).to_be_visible()
        link = frame.get_by_role("link", name="Open in steplog")
        assert (link.get_attribute("href"), link.get_attribute("target")) == ("/local/cells/runs/a", "_blank")
        cell = kernel.run("run.log({'accuracy': 0.5})\nrun.finish()")
        assert [each for each in cell if each["type"] == "error"] == []
        expect(frame.get_by_role("article", name="accuracy", exact=True)).to_be_visible()
        expect(frame.get_by_text("Finished")).to_be_visible()
        with tab.page.expect_console_message(lambda message: "frame-ancestors" in message.text) as refusal:
            tab.open("/thief.html")
        assert refusal.value.type == "error"
        tab.page.wait_for_load_state("networkidle")
        expect(tab.page.frame_locator("iframe").get_by_role("article", name="loss")).to_have_count(0)
        other.shutdown()


def test_a_cell_that_is_run_again_ends_the_run_before(server: Server, kernel: Kernel) -> None:
    kernel.run(BEGIN.format(id="a"))
    kernel.run(BEGIN.format(id="b"))
    kernel.run("1 / 0")
    expected = {"a": ("finished", 0), "b": ("running", None)}
    wait_until(lambda: ends(server) == expected, "the first run ended and the second goes on")
    kernel.run("run.finish()")
    assert ends(server) == {"a": ("finished", 0), "b": ("finished", 0)}


def test_an_interrupted_cell_leaves_no_run_open(server: Server, kernel: Kernel) -> None:
    loop = BEGIN.format(id="a") + "\nwhile True: run.log({'loss': 2.0})"
    cell = kernel.begin(loop)
    # The first row is of the line before the loop.
    wait_until(lambda: server.api.row_count("local/cells/a") > 1, "the loop is running")
    assert ends(server) == {"a": ("running", None)}
    kernel.manager.interrupt_kernel()
    assert [each["ename"] for each in kernel.wait(cell) if each["type"] == "error"] == ["KeyboardInterrupt"]
    assert ends(server) == {"a": ("failed", 255)}
    [said] = [each["text"] for each in kernel.run("print(steplog.run)") if each["type"] == "stream"]
    assert said == "None\n"


def test_a_restarted_kernel_leaves_no_run_open(server: Server, kernel: Kernel) -> None:
    kernel.run(BEGIN.format(id="a"))
    kernel.restart()
    wait_until(lambda: ends(server) == {"a": ("finished", 0)}, "the run ended with its kernel")
