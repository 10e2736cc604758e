"""What happened around a run, in a real browser over a real server: its console, its machine, its surroundings."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from rig.browser import Chromium
from rig.journal import STDERR, Process
from rig.processes import Script, Server
from rig.waiting import wait_until

PATH = "local/demo/a"
LOGS = "/local/demo/runs/a?tab=logs"
MILLION = 1_000_000
LINES_OF_FRAME = 20_000
NEEDLES = (123, 500_123, 999_123)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium


def console(page: Page) -> Locator:
    return page.get_by_role("list", name="Console")


def line(page: Page, number: int) -> Locator:
    """A line that is on the page, by its number from 1."""
    button = page.get_by_role("button", name=f"Line {spaced(number)}", exact=True)
    return console(page).get_by_role("listitem").filter(has=button)


def spaced(number: int) -> str:
    """As the page writes whole numbers: narrow spaces between thousands, from 10 000 on."""
    return f"{number:,}".replace(",", "\u202f") if number >= 10_000 else str(number)


def scroll_to(page: Page, share: float) -> None:
    """Drags the scrollbar to a share of its track."""
    console(page).evaluate(
        """(list, share) => {
            const scroller = list.closest('[tabindex]')
            scroller.scrollTop = share * (scroller.scrollHeight - scroller.clientHeight)
        }""",
        share,
    )


def first_seen(page: Page) -> int:
    """The number of the first line of which something is seen and whose text is there, else 0."""
    number: int = console(page).evaluate(
        """list => {
            const top = list.closest('[tabindex]').getBoundingClientRect().top
            const rows = [...list.children].filter(row => row.getBoundingClientRect().bottom > top)
            return Number(rows[0]?.querySelector('[data-number]')?.dataset.number ?? 0)
        }"""
    )
    return number


def print_million(process: Process) -> None:
    for first in range(0, MILLION, LINES_OF_FRAME):
        numbers = range(first, first + LINES_OF_FRAME)
        process.print(*(f"needle {each}" if each in NEEDLES else f"l {each}" for each in numbers))


def test_a_log_of_a_million_lines_is_scrolled_and_searched(server: Server, chromium: Chromium) -> None:
    process = Process(server.api, PATH)
    print_million(process)
    process.end()
    with chromium.tab(server.url) as tab:
        # Of an expression that is none.
        tab.expect_errors("400")
        page = tab.open(LOGS)
        expect(line(page, MILLION)).to_contain_text("l 999999")
        scroll_to(page, 0.5)
        wait_until(lambda: abs(first_seen(page) - MILLION / 2) < 2_000, "the middle is seen")
        # From there the wheel moves by pixels: three thousand are a hundred and fifty lines.
        before = first_seen(page)
        console(page).hover()
        page.mouse.wheel(0, 3_000)
        wait_until(lambda: first_seen(page) == before + 150, "the wheel moved by 150 lines")
        assert console(page).get_by_role("listitem").count() < 150
        page.keyboard.press("g")
        expect(line(page, 1)).to_contain_text("l 0")

        box = page.get_by_role("searchbox", name="Search the console")
        page.keyboard.press("/")
        expect(box).to_be_focused()
        page.keyboard.type("NEEDLE")
        expect(page.get_by_role("toolbar", name="Console").get_by_role("status")).to_have_text("3")
        for rank, number in enumerate(NEEDLES, start=1):
            page.keyboard.press("Enter")
            expect(page.get_by_role("toolbar", name="Console").get_by_role("status")).to_have_text(f"{rank} of 3")
            expect(line(page, number + 1).locator("mark")).to_have_text("needle")
            expect(page).to_have_url(re.compile(rf"line={number + 1}\b"))
        page.keyboard.press("Shift+Enter")
        expect(line(page, NEEDLES[1] + 1)).to_be_visible()
        page.get_by_role("button", name="Show only lines found").click()
        expect(console(page).get_by_role("listitem")).to_have_count(3)
        # A line found leads to what stands around it.
        page.get_by_role("button", name=f"Line {spaced(NEEDLES[2] + 1)}", exact=True).click()
        expect(line(page, NEEDLES[2])).to_contain_text(f"l {NEEDLES[2] - 1}")
        page.get_by_role("button", name="Match case").click()
        expect(page.get_by_role("toolbar", name="Console").get_by_role("status")).to_have_text("none")
        box.fill("needle (1|9)[0-9]+$")
        page.get_by_role("button", name="Regular expression").click()
        expect(page.get_by_role("toolbar", name="Console").get_by_role("status")).to_have_text("2")
        box.fill("needle (")
        expect(page.get_by_role("toolbar", name="Console").get_by_role("status")).to_contain_text("regular expression")

        page.goto(f"{LOGS}&line=750000")
        expect(line(page, 750_000)).to_contain_text("l 749999")
        expect(page.get_by_role("toolbar", name="Chosen lines")).to_contain_text(f"Line {spaced(750_000)}")


def test_lines_come_by_themselves_and_scrolling_up_stops_that(server: Server, chromium: Chromium) -> None:
    process = Process(server.api, PATH)
    process.print(*(f"line {number}" for number in range(500)))
    process.send()
    with chromium.tab(server.url) as tab:
        page = tab.watch(LOGS)
        expect(line(page, 500)).to_be_visible()
        waited = []
        for number in range(500, 504):
            process.print(f"line {number}")
            process.send()
            began = time.monotonic()
            expect(line(page, number + 1)).to_contain_text(f"line {number}")
            waited.append(time.monotonic() - began)
        print(f"durable to page: {', '.join(f'{each:.2f} s' for each in waited)}")

        process.print("epoch 1:  10%|█         | 10/100", output=STDERR)
        process.send()
        bar = line(page, 505)
        expect(bar).to_contain_text("10%")
        process.print("epoch 1: 100%|██████████| 100/100", output=STDERR, number=504)
        process.send()
        expect(bar).to_contain_text("100%")

        follow = page.get_by_role("button", name="Follow")
        expect(follow).to_have_attribute("aria-pressed", "true")
        console(page).hover()
        seen = wait_until(lambda: first_seen(page), "lines are seen") - 100
        page.mouse.wheel(0, -2_000)
        expect(follow).to_have_attribute("aria-pressed", "false")
        wait_until(lambda: first_seen(page) == seen, "the wheel moved by 100 lines")
        process.print(*(f"later {number}" for number in range(300)))
        process.send()
        more = page.get_by_role("button", name="300 new lines")
        expect(more).to_be_visible()
        assert first_seen(page) == seen
        more.click()
        expect(line(page, 805)).to_contain_text("later 299")
        expect(follow).to_have_attribute("aria-pressed", "true")
        expect(more).to_be_hidden()
        page.keyboard.press("f")
        expect(follow).to_have_attribute("aria-pressed", "false")


def test_outputs_and_processes_are_told_apart(server: Server, chromium: Chromium) -> None:
    for rank in (0, 1):
        process = Process(server.api, PATH, f"{rank + 1:032x}", label=f"rank-{rank}", host="h", process_id=10 + rank)
        process.print(f"out of {rank}", seconds=rank)
        process.print(f"error of {rank}", output=STDERR, seconds=10 + rank)
        process.end()
    with chromium.tab(server.url) as tab:
        page = tab.open(LOGS)
        lines = console(page).get_by_role("listitem")
        expect(lines).to_contain_text(["out of 0", "out of 1", "error of 0", "error of 1"])
        page.get_by_role("radio", name="stderr").click()
        expect(lines).to_have_count(2)
        expect(lines.first).to_contain_text("error of 0")
        page.get_by_role("button", name="All processes").click()
        page.get_by_role("option", name="rank-1").click()
        expect(lines).to_have_count(1)
        expect(lines).to_contain_text("error of 1")
        page.reload()
        expect(lines).to_have_count(1)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the console").click()
            page.get_by_role("menuitem", name="Plain text").click()
        assert "out of 0" in Path(download.value.path()).read_text()


HOSTILE = (
    "<script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\">",
    "javascript:document.title='taken over'",
    "admin\u202e\u2066 nimda \u2069\u200bend",
    "\x1b[2J\x1b]0;taken over\x07\x1b[31mred\x1b[0m plain",
    "z\u0335\u0321\u0353" + "\u0e4e" * 400,
    "x" * 60_000 + " the end of it",
    "".join(f"\x1b[38;5;{index % 256}mx" for index in range(4_000)),
)


def test_hostile_output_is_shown_and_does_nothing(server: Server, chromium: Chromium) -> None:
    process = Process(server.api, PATH, name="hostile")
    process.print(*HOSTILE, "after all of it")
    process.end()
    with chromium.tab(server.url) as tab:
        dialogs: list[str] = []

        def dismiss(dialog: Dialog) -> None:
            dialogs.append(dialog.message)
            dialog.dismiss()

        tab.page.on("dialog", dismiss)
        page = tab.open(LOGS)
        expect(line(page, 1)).to_contain_text("<script>document.title = 'taken over'</script><img src=x onerror=")
        expect(line(page, 3).get_by_title("U+202E right-to-left override")).to_be_visible()
        expect(line(page, 4).get_by_text("red", exact=True)).to_have_css("color", "rgb(196, 48, 43)")
        expect(line(page, 8)).to_contain_text("after all of it")
        # No line is drawn over another one, and none is an element of its own making.
        heights = console(page).evaluate("list => [...list.children].map(row => row.getBoundingClientRect().height)")
        assert set(heights) == {20}
        assert console(page).locator("script, img, a, iframe").count() == 0
        assert console(page).locator("*").count() < 2_000
        long = line(page, 6)
        expect(long).not_to_contain_text("the end of it")
        long.get_by_role("button", name="show all").click()
        expect(long).to_contain_text("the end of it")
        page.goto(f"{LOGS}&wrap=1&find=%3Cscript%3E")
        expect(line(page, 1).locator("mark")).to_have_text("<script>")
        expect(page).to_have_title("hostile · demo · steplog")
        assert dialogs == []


def test_a_run_without_output_says_so(home: Path, server: Server, chromium: Chromium) -> None:
    Process(server.api, PATH).end()
    with chromium.tab(server.url) as tab:
        page = tab.open(LOGS)
        expect(page.get_by_role("heading", name="Nothing was printed")).to_be_visible()


def test_what_the_machine_was_busy_with_is_charted_over_time(server: Server, chromium: Chromium) -> None:
    for run in ("a", "b"):
        process = Process(server.api, f"local/demo/{run}")
        for second in range(0, 600, 10):
            load = {"cpu__percent": 50 + second / 60, "memory__bytes": 3 * 2**30}
            process.measure(second, **load, gpu__0__percent=90, gpu__1__percent=80)
        process.end()
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/demo/runs/a?tab=charts")
        for name in ("CPU (%)", "Memory (bytes)", "GPU (%)"):
            expect(page.get_by_role("article", name=name, exact=True).locator("canvas").first).to_be_visible()
        expect(page.get_by_role("article")).to_have_count(3)
        gpus = ("GPU 0", "90 %", "GPU 1", "80 %")
        wait_until(
            lambda: (shown := tab.tooltip_at("GPU (%)", 0.5)) and all(part in shown for part in gpus),
            "the tooltip is of both GPUs",
        )
        wait_until(lambda: "3 GiB" in tab.tooltip_at("Memory (bytes)", 0.5), "the tooltip is of the memory")
        page.get_by_role("tab", name="Data").click()
        expect(page.get_by_text("_system")).to_have_count(0)
        # Beside other runs they wait until somebody asks.
        page.goto("/local/demo")
        system = page.get_by_role("button", name="System")
        expect(system).to_have_attribute("aria-expanded", "false")
        system.click()
        expect(page.get_by_role("article", name="GPU 1 (%)", exact=True).locator("canvas").first).to_be_visible()
        expect(page).to_have_url(re.compile("system=1"))


ENVIRONMENT = {
    "command": ["python", "train.py", "--note", "it's"],
    "program": "train.py",
    "cpu_count": 8,
    "memory_bytes": 2**34,
    "gpus": [{"name": "H100", "memory_bytes": 2**36}] * 2,
    "git": {"commit": "6f1c9b0d2e3f4a5b", "branch": "main", "remote": "https://example.org/a/b.git", "dirty": True},
    "packages": {"numpy": "2.3.5", "torch": "2.9.1"},
    "unheard_of": {"deep": "thing"},
}


def test_the_overview_tells_what_was_run_and_where(server: Server, chromium: Chromium) -> None:
    process = Process(server.api, PATH, environment={"host": "early", "python": "3.13.1"}, host="node-7")
    process.surroundings(ENVIRONMENT)
    process.end()
    hostile = Process(server.api, "local/demo/b", environment={"git": {"remote": "javascript:alert(1)"}, "gpus": 7})
    hostile.end()
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/demo/runs/a")
        command = page.get_by_role("region", name="Command")
        expect(command).to_contain_text("python train.py --note 'it'\\''s'")
        expect(command).to_contain_text("3.13.1")
        git = page.get_by_role("region", name="Git")
        expect(git).to_contain_text("6f1c9b0d2e")
        expect(git).to_contain_text("uncommitted changes")
        expect(git.get_by_role("link", name="example.org/a/b")).to_have_attribute("href", "https://example.org/a/b.git")
        machine = page.get_by_role("region", name="Machine")
        for part in ("node-7", "8 cores", "16 GiB", "2 × H100, 64 GiB"):
            expect(machine).to_contain_text(part)
        packages = page.get_by_role("region", name="Packages")
        page.get_by_role("searchbox", name="Search packages").fill("tor")
        expect(packages.get_by_role("listitem")).to_have_text(["torch2.9.1"])
        expect(page.get_by_role("region", name="Environment")).to_contain_text("thing")
        page.goto("/local/demo/runs/b")
        expect(page.get_by_role("region", name="Git")).to_contain_text("javascript:alert(1)")
        expect(page.get_by_role("region", name="Git").get_by_role("link")).to_have_count(0)
        expect(page.get_by_role("region", name="Environment")).to_contain_text("gpus")


HISTOGRAMS = """
import numpy, steplog
with steplog.init(project="demo", id="a", name="a run") as run:
    for step in range(50):
        run.log({"weights": numpy.linspace(-1, 1, 6_400) * (step + 1), "note": "text"})
"""


def test_histograms_are_a_heat_map_over_steps(home: Path, server: Server, chromium: Chromium) -> None:
    with Script(HISTOGRAMS, home=home, STEPLOG_BASE_URL=server.url, STEPLOG_QUIET="1") as script:
        assert script.end()[0] == 0, script.said()
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/demo")
        card = page.get_by_role("article", name="weights", exact=True)
        expect(card.get_by_role("img", name="Histograms of weights").locator("canvas").first).to_be_visible()
        # As many numbers are in each of the 32 bins.
        wait_until(lambda: "200 of 6400 (3.1 %)" in tab.tooltip_at("weights", 0.5), "the tooltip tells of a bin")
        expect(page.get_by_role("article", name="note", exact=True)).to_contain_text("text")
        card.hover()
        page.get_by_role("button", name="Expand weights").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("img", name="Bars of step 49, the latest")).to_be_visible()
