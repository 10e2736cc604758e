"""The web UI in a real browser, over a real server and real training processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Response, expect

from rig.browser import Chromium
from rig.processes import Script, Server, environment, steplog
from rig.waiting import wait_until

FINISHED = """
import math, steplog
for index, rate in enumerate((0.001, 0.01, 0.1)):
    config = {"lr": rate, "model": {"depth": index}}
    name = f"rate {rate}"
    with steplog.init(project="demo", id=f"run{index}", name=name, config=config, group="g", tags=["t"]) as run:
        run.notes = "**bold** <script>alert(1)</script>"
        for step in range(300):
            train = {"train/loss": math.exp(-rate * step), "train/accuracy": step / 300}
            run.log({**train, "val/loss": 0.5, "note": "hello"})
"""

SPIKE = """
import steplog
with steplog.init(project="spike", id="a", name="spiky") as run:
    for step in range(100_000):
        run.log({"loss": 777.5 if step == 43_210 else 0.25})
"""

#: Logs a row for each line that it is told.
TOLD = """
import sys, steplog
with steplog.init(project="live", id="a", name="told") as run:
    for step in range(10):
        run.log({"loss": step})
    print("began", flush=True)
    for line in sys.stdin:
        run.log({line.split()[0]: float(line.split()[1])})
"""


#: Tells people the title that it is told.
ALERTING = """
import sys, steplog
with steplog.init(project="live", id="a", name="told") as run:
    run.alert("before", "long known", level="INFO")
    run.log({"loss": 1})
    print("began", flush=True)
    for line in sys.stdin:
        run.alert(line.strip(), "first line\\nsecond line <b>as written</b>", level="ERROR")
"""

FORKED = """
import steplog
with steplog.init(project="forks", id="parent", name="the parent") as run:
    for step in range(100):
        run.log({"loss": 111.5})
with steplog.init(project="forks", id="fork", name="the fork", fork_from="parent?_step=59") as run:
    for step in range(40):
        run.log({"loss": 222.5})
"""

DEFINED = """
import steplog
with steplog.init(project="defined", id="a", name="a run") as run:
    run.define_metric("val/*", step_metric="epoch", summary="min,max")
    run.define_metric("inner", hidden=True)
    for step in range(30):
        run.log({"epoch": step // 10, "inner": step, "loss": 1 / (step + 1), "val/loss": step + 0.5})
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium


def finish(code: str, home: Path, url: str) -> None:
    with Script(code, home=home, STEPLOG_BASE_URL=url, STEPLOG_QUIET="1") as script:
        assert script.end() == (0, ""), script.said()


class Told:
    """A training process that logs (or whatever its code does) what it is told, when it is told.

    The server has the rows that it begins with.
    """

    def __init__(self, home: Path, server: Server, code: str = TOLD, rows: int = 10) -> None:
        self.server, self.rows = server, rows
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=home,
            env=environment(home, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Told:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "began\n"
        wait_until(lambda: self.server.api.row_count("local/live/a") == self.rows, "the server has the first rows")
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            self.process.kill()

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def log(self, key: str, value: float) -> None:
        self.tell(f"{key} {value}")

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(60) == 0


def test_from_the_projects_to_a_run(home: Path, server: Server, chromium: Chromium) -> None:
    finish(FINISHED, home, server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/")
        page.get_by_role("link", name="demo").first.click()
        expect(page).to_have_url(f"{server.url}/local/demo")
        for name in ("rate 0.001", "rate 0.01", "rate 0.1"):
            expect(page.get_by_role("list", name="Runs").get_by_text(name, exact=True)).to_be_visible()
        for key in ("train/loss", "train/accuracy", "val/loss"):
            expect(page.get_by_role("article", name=key, exact=True).locator("canvas").first).to_be_visible()
        wait_until(lambda: "rate 0.1" in tab.tooltip_at("train/loss", 0.5), "the tooltip tells of the runs")
        page.mouse.move(0, 0)
        page.get_by_role("list", name="Runs").get_by_role("link", name="rate 0.1", exact=True).click()
        expect(page).to_have_url(f"{server.url}/local/demo/runs/run2")
        expect(page.get_by_text("bold", exact=True)).to_be_visible()
        expect(page.get_by_role("region", name="Config").get_by_text("depth")).to_be_visible()
        assert page.evaluate("document.querySelectorAll('script[src]').length") > 0
        page.get_by_role("tab", name="Charts").click()
        expect(page.get_by_role("article", name="train/loss", exact=True).locator("canvas").first).to_be_visible()
        page.get_by_role("tab", name="Data").click()
        expect(page.get_by_text("train/accuracy").first).to_be_visible()
        page.go_back()
        page.reload()
        expect(page.get_by_role("article", name="train/loss", exact=True).locator("canvas").first).to_be_visible()


FILES = """
import json, os, sys, steplog
run = steplog.init(project="files", id="a", name="with files")
os.makedirs("out", exist_ok=True)
open("notes.txt", "w").write("first notes")
open("out/page.html", "w").write("<script>document.title = 'taken over'</script>")
json.dump({"accuracy": 0.9375}, open("out/report.json", "w"))
for path in ("notes.txt", "out/page.html", "out/report.json"):
    run.save(path)
print("saved", flush=True)
sys.stdin.readline()
open("notes.txt", "w").write("second notes")
open("late.txt", "w").write("late")
run.save("late.txt")
run.finish()
"""


def test_the_files_of_a_run_are_shown_as_they_come(home: Path, server: Server, chromium: Chromium) -> None:
    own = {"STEPLOG_SILENT": "1", "STEPLOG_SAVE_REQUIREMENTS": "false", "STEPLOG_BASE_URL": server.url}
    with (
        Script(FILES, home=home, **own) as script,
        chromium.tab(server.url) as tab,
    ):
        assert script.line() == "saved\n", script.said()
        wait_until(lambda: server.api.run("local/files/a"), "the run is there")
        wait_until(lambda: len(server.api.get("/runs/local/files/a/files")["files"]) == 3, "its files are there")
        page = tab.watch("/local/files/runs/a")
        page.get_by_role("tab", name="Files").click()
        files = page.get_by_role("list", name="Files")
        expect(files.get_by_role("listitem")).to_have_count(4)
        files.get_by_role("button", name="notes.txt").first.click()
        expect(page.get_by_text("first notes")).to_be_visible()
        script.tell("")
        assert script.end()[0] == 0, script.said()
        expect(page.get_by_text("second notes")).to_be_visible()
        expect(files.get_by_role("button", name="late.txt").first).to_be_visible()
        # A page is shown as its text, and runs nowhere.
        files.get_by_role("button", name="page.html").first.click()
        expect(page.get_by_text("<script>document.title")).to_be_visible()
        assert "taken over" not in page.title()
        files.get_by_role("button", name="report.json").first.click()
        expect(page.get_by_text('"accuracy": 0.9375')).to_be_visible()
        page.get_by_label("Search files").fill("out json")
        expect(files.get_by_role("listitem")).to_have_count(2)
        with page.expect_download() as download:
            files.get_by_role("link", name="Download report.json").click()
        assert Path(download.value.path()).read_text() == '{"accuracy": 0.9375}'


def test_the_search_box_takes_text_and_filters_and_says_what_is_wrong(
    home: Path, server: Server, chromium: Chromium
) -> None:
    finish(FINISHED, home, server.url)
    with chromium.tab(server.url) as tab:
        tab.expect_errors("400", "422")
        page = tab.open("/local/demo")
        runs = page.get_by_role("list", name="Runs")
        expect(runs.get_by_role("listitem")).to_have_count(3)
        box = page.get_by_role("searchbox", name="Search runs").or_(page.get_by_label("Search runs")).first
        box.fill("0.01")
        expect(runs.get_by_role("listitem")).to_have_count(1)
        box.fill("config.lr >= 0.01")
        expect(runs.get_by_role("listitem")).to_have_count(2)
        expect(runs.get_by_text("rate 0.001", exact=True)).to_have_count(0)
        box.fill("config.lr >")
        expect(page.get_by_role("alert").first).to_be_visible()
        box.fill("")
        expect(runs.get_by_role("listitem")).to_have_count(3)


def test_a_row_is_on_the_page_a_moment_after_log_returned_without_reload(
    home: Path, server: Server, chromium: Chromium
) -> None:
    with Told(home, server) as told, chromium.tab(server.url) as tab:
        page = tab.watch("/local/live")
        expect(page.get_by_role("article", name="loss", exact=True).locator("canvas").first).to_be_visible()
        page.evaluate("window.stays = true")
        waited: list[float] = []

        def show(value: float) -> None:
            before = tab.drawing("loss")
            began = time.monotonic()
            told.log("loss", value)
            wait_until(lambda: tab.drawing("loss") != before, "the chart changes")
            waited.append(time.monotonic() - began)

        for value in (100.0, 1000.0, 5.0):
            show(value)
        # A busy machine may have no such moment for the first ones.
        wait_until(lambda: min(waited) < 2.5 or show(7.0), "a row is there a moment after log() returned", 60)
        print(f"log() to pixel: {', '.join(f'{each:.2f} s' for each in waited)}")
        told.log("brand/new", 1.0)
        expect(page.get_by_role("article", name="brand/new", exact=True)).to_be_visible()
        told.end()
        expect(page.get_by_role("list", name="Runs").get_by_role("img", name="Finished")).to_be_visible()
        assert page.evaluate("window.stays") is True


def test_a_server_that_is_gone_is_said_and_its_return_is_found(home: Path, server: Server, chromium: Chromium) -> None:
    with Told(home, server) as told, chromium.tab(server.url) as tab:
        # The browser itself reports every failed connection.
        tab.expect_errors("net::ERR", "Failed to load")
        page = tab.watch("/local/live")
        chart = page.get_by_role("article", name="loss", exact=True).locator("canvas").first
        expect(chart).to_be_visible()
        server.kill()
        expect(page.get_by_text("Server unreachable")).to_be_visible()
        expect(chart).to_be_visible()
        before = tab.drawing("loss")
        told.log("loss", 1000.0)
        server.start()
        expect(page.get_by_text("Server unreachable")).to_be_hidden()
        # The training process tries again up to half a minute later.
        wait_until(lambda: tab.drawing("loss") != before, "the chart shows what came meanwhile", 90)


def test_a_spike_of_one_point_among_a_hundred_thousand_is_seen(home: Path, server: Server, chromium: Chromium) -> None:
    finish(SPIKE, home, server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/spike")
        expect(page.get_by_role("article", name="loss", exact=True).locator("canvas").first).to_be_visible()
        wait_until(lambda: tab.drawing("loss"), "the chart is drawn")

        def shows_spike() -> bool:
            return any("777.5" in tab.tooltip_at("loss", 0.43210 + offset / 1000) for offset in range(-4, 5))

        wait_until(shows_spike, "a tooltip near the spike shows it")


def test_a_range_dragged_over_a_chart_is_read_again_in_full(home: Path, server: Server, chromium: Chromium) -> None:
    finish(SPIKE, home, server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/spike")
        expect(page.get_by_role("article", name="loss", exact=True).locator("canvas").first).to_be_visible()
        whole = wait_until(lambda: tab.drawing("loss"), "the chart is drawn")
        # The chart may just be asking for its first points once more: those have no range.
        with page.expect_response(lambda response: "range" in asked_of(response)) as answered:
            tab.drag("loss", 0.428, 0.436)
        asked = asked_of(answered.value)
        [low, high] = asked["range"]
        # No more steps than buckets: each is a point of its own.
        assert low < 43_210 < high and high - low < asked["buckets"], asked
        wait_until(lambda: tab.drawing("loss") != whole, "the chart shows the range")
        wait_until(lambda: "zoom" in page.url, "the address has the range")
        first, last = range_of(page.url)
        share = (43_210 - first) / (last - first)
        wait_until(
            lambda: any("777.5" in tab.tooltip_at("loss", share + step / 1000) for step in range(-4, 5)), "the spike"
        )
        page.get_by_role("button", name="Reset zoom").first.click()
        wait_until(lambda: "zoom" not in page.url, "the whole range is back")


def asked_of(response: Response) -> dict[str, Any]:
    """What a request for points of charts asked for."""
    if not response.url.endswith("/api/v1/series"):
        return {}
    body: dict[str, Any] = response.request.post_data_json
    return {name: value for name, value in body.items() if value is not None}


def range_of(address: str) -> tuple[float, float]:
    """The zoomed range in the page's address."""
    low, high = parse_qs(urlsplit(address).query)["zoom"][0].split("~")
    return float(low), float(high)


def test_the_pointer_over_one_chart_shows_the_values_of_all_charts_there(
    home: Path, server: Server, chromium: Chromium
) -> None:
    finish(FINISHED, home, server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/demo")
        expect(page).to_have_title("demo · steplog")
        other = page.get_by_role("article", name="val/loss", exact=True)
        expect(other.locator("canvas").first).to_be_visible()
        expect(other.get_by_text("rate 0.1", exact=True)).to_have_count(0)
        wait_until(lambda: "rate 0.1" in tab.tooltip_at("train/loss", 0.5), "the tooltip tells of the runs")
        expect(other.get_by_text("rate 0.1", exact=True)).to_be_visible()
        expect(other.get_by_text("0.5", exact=True)).to_have_count(3)
        page.mouse.move(5, 5)
        expect(other.get_by_text("rate 0.1", exact=True)).to_have_count(0)


def test_the_rows_of_a_live_run_come_by_themselves(home: Path, server: Server, chromium: Chromium) -> None:
    with Told(home, server) as told, chromium.tab(server.url) as tab:
        page = tab.watch("/local/live/runs/a?tab=data")
        expect(page.get_by_text("1 column · 10 rows")).to_be_visible()
        told.log("loss", 123.25)
        told.log("loss", 321.75)
        expect(page.get_by_text("123.25")).to_be_visible()
        expect(page.get_by_text("321.75")).to_be_visible()


def test_an_alert_is_on_the_page_a_moment_after_it_was_given_without_reload(
    home: Path, server: Server, chromium: Chromium
) -> None:
    def told_before() -> bool:
        asked = json.dumps({"project": "local/live"}).encode()
        answer = server.api.call("POST", "/api/v1/alerts/query", asked, {"content-type": "application/json"})
        return answer.status == 200 and len(answer.json()["alerts"]) == 1

    with Told(home, server, ALERTING, rows=1) as told, chromium.tab(server.url) as tab:
        wait_until(told_before, "the first alert is there")
        page = tab.watch("/local/live")
        expect(page.get_by_role("button", name="Alerts, 1 unread")).to_be_visible()
        page.evaluate("window.stays = true")
        told.tell("loss is NaN")
        # In one look: a toast goes away by itself.
        toast = page.get_by_role("status").filter(has_text="loss is NaN").filter(has_not_text="before")
        expect(toast).to_be_visible()
        page.get_by_role("button", name="Alerts, 2 unread").click()
        items = page.get_by_role("list", name="Alerts").get_by_role("listitem")
        expect(items).to_have_count(2)
        expect(items.first.get_by_role("img", name="Error")).to_be_visible()
        expect(items.first.get_by_text("second line <b>as written</b>")).to_be_visible()
        expect(page.get_by_role("button", name="Alerts", exact=True)).to_be_visible()
        # The same again within a minute is kept, and shown to those who ask.
        told.tell("loss is NaN")
        page.get_by_role("checkbox", name="Show repeated").check()
        expect(items).to_have_count(3)
        expect(items.first).to_contain_text("repeated")
        items.first.get_by_role("link", name="told").click()
        expect(page).to_have_url(f"{server.url}/local/live/runs/a")
        expect(page.get_by_role("tab", name="Alerts")).to_contain_text("2")
        assert page.evaluate("window.stays") is True


def test_the_chart_of_a_fork_begins_with_the_rows_of_its_parent(home: Path, server: Server, chromium: Chromium) -> None:
    finish(FORKED, home, server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/forks/runs/fork?tab=charts")
        expect(page.get_by_role("article", name="loss", exact=True).locator("canvas").first).to_be_visible()
        wait_until(lambda: "111.5" in tab.tooltip_at("loss", 0.3), "the parent's part")
        wait_until(lambda: "222.5" in tab.tooltip_at("loss", 0.9), "the fork's own part")
        page.get_by_role("tab", name="Overview").click()
        lineage = page.get_by_role("region", name="Forks")
        expect(lineage).to_contain_text("forked from the parent")
        expect(lineage).to_contain_text("at step 59")
        lineage.get_by_role("link", name="the parent").click()
        expect(page).to_have_url(f"{server.url}/local/forks/runs/parent")
        expect(lineage.get_by_role("link", name="the fork")).to_be_visible()
        page.get_by_role("tab", name="Charts").click()
        wait_until(lambda: "111.5" in tab.tooltip_at("loss", 0.9), "the parent has rows of its own there")
        page.goto("/local/forks")
        expect(page.get_by_role("list", name="Runs").get_by_role("img", name="Forked from parent")).to_have_count(1)


def test_metrics_are_drawn_as_the_script_defined_them(home: Path, server: Server, chromium: Chromium) -> None:
    finish(DEFINED, home, server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/defined")
        for key in ("loss", "val/loss"):
            expect(page.get_by_role("article", name=key, exact=True).locator("canvas").first).to_be_visible()
        wait_until(lambda: "step " in tab.tooltip_at("loss", 0.5), "loss is drawn over the step")
        wait_until(lambda: "epoch " in tab.tooltip_at("val/loss", 0.5), "val/loss is drawn over the epoch")
        page.mouse.move(5, 5)
        inner = page.get_by_role("article", name="inner", exact=True)
        expect(inner).to_have_count(0)
        page.get_by_role("button", name="Hidden").click()
        expect(inner.locator("canvas").first).to_be_visible()
        # Whoever wants the step has it.
        page.get_by_role("button", name="X axis").click()
        page.get_by_role("checkbox", name="Metrics over their own axis").uncheck()
        page.keyboard.press("Escape")
        wait_until(lambda: "step " in tab.tooltip_at("val/loss", 0.5), "val/loss is drawn over the step")
        page.goto("/local/defined/runs/a")
        summary = page.get_by_role("region", name="Summary")
        expect(summary.get_by_title("min 0.5")).to_be_visible()
        expect(summary.get_by_title("max 29.5")).to_be_visible()


def test_a_menu_is_gone_through_with_the_keyboard(home: Path, server: Server, chromium: Chromium) -> None:
    finish(FINISHED, home, server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/demo")
        # What is still to be loaded could take the focus along.
        expect(page.get_by_role("list", name="Runs").get_by_role("listitem")).to_have_count(3)
        page.get_by_role("button", name="Theme").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("menuitemradio", name="System")).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("menuitemradio", name="Dark")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.get_by_role("button", name="Theme")).to_be_focused()


def test_a_project_or_run_that_is_not_there_is_said_once(server: Server, chromium: Chromium) -> None:
    with chromium.tab(server.url) as tab:
        tab.expect_errors("404")
        page = tab.open("/local/nowhere")
        expect(page.get_by_role("heading", name="There is no such project")).to_be_visible()
        page.goto("/local/nowhere/runs/nothing")
        expect(page.get_by_role("heading", name="There is no such run")).to_be_visible()


def test_login_is_asked_for_where_there_are_accounts(home: Path, chromium: Chromium) -> None:
    made = steplog("user", "add", "ada", "--data", "data", home=home, stdin="a long password\n")
    assert made.returncode == 0, made.stderr
    with Server(home) as server, chromium.tab(server.url) as tab:
        tab.expect_errors("401")
        page = tab.open("/")
        form = page.get_by_role("form", name="Log in")
        form.get_by_label("Name").fill("ada")
        form.get_by_label("Password").fill("wrong password")
        form.get_by_role("button", name="Log in").click()
        expect(form.get_by_role("alert")).to_be_visible()
        form.get_by_label("Password").fill("a long password")
        form.get_by_role("button", name="Log in").click()
        expect(form).to_be_hidden()
        page.goto("/settings")
        expect(page.get_by_role("region", name="API keys")).to_be_visible()
        [cookie] = tab.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
