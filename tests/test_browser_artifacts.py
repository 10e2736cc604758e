"""Artifacts in a real browser over a real server: lists, versions, files, lineage, differences, and the registry."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from rig.browser import Chromium
from rig.journal import Process
from rig.processes import Script, Server
from rig.waiting import wait_until

#: What goes before each script: an artifact of texts by path.
BEGIN = """
import pathlib, steplog

def artifact(name, type, files, **more):
    made = steplog.Artifact(name, type, **more)
    for path, text in files.items():
        with made.new_file(path) as file:
            file.write(text)
    return made
"""

PREPARE = """
with steplog.init(project="p", id="prepare", name="the preparing one", job_type="prepare") as run:
    run.log_artifact(artifact("data", "dataset", {"train.csv": "x,y\\n1,2\\n"}), aliases=["clean"]).wait()
"""

TRAIN = """
with steplog.init(project="p", id="train", name="the training one", job_type="train") as run:
    run.use_artifact("data:clean").download()
    model = run.log_artifact(artifact("net", "model", {"weights.txt": "0.5"}), aliases=["best"]).wait()
    run.link_artifact(model, "registry/classifier", aliases=["staging"])
"""

SERVE = """
with steplog.init(project="serving", id="serve", name="the serving one", job_type="serve") as run:
    run.use_artifact("registry/classifier:staging").download()
with steplog.init(project="p", id="evaluate", name="the evaluating one", job_type="evaluate") as run:
    run.use_artifact("net:best").download()
    run.log_artifact(artifact("report", "result", {"report.md": "# good"})).wait()
"""

TWO_VERSIONS = """
with steplog.init(project="p", id="first", name="first run") as run:
    lines = [f"line {number}\\n" for number in range(40)]
    files = {"kept.txt": "kept", "gone.txt": "gone\\n", "notes.txt": "".join(lines)}
    metadata = {"rows": 2, "same": 1, "old": True}
    first = artifact("data", "dataset", files, metadata=metadata, description="the *first* one")
    run.log_artifact(first, aliases=["prod", "stable"]).wait()
    lines[20] = "another line\\n"
    files = {"kept.txt": "kept", "new/came.txt": "came\\nlater\\n", "notes.txt": "".join(lines)}
    run.log_artifact(artifact("data", "dataset", files, metadata={"rows": 3, "same": 1, "new": [1]})).wait()
"""

LATER = """
with steplog.init(project="p", id="later") as run:
    run.log_artifact(artifact("data", "dataset", {"train.csv": "x,y\\n1,3\\n"}), aliases=["cleaner"]).wait()
    run.log_artifact(artifact("embedding", "dataset", {"a.txt": "a"})).wait()
"""

FILES = """
import numpy
takes_over = "<script>document.title = 'taken over'</script><img src=x onerror=\\"document.title = 'taken over'\\">"
script = "<script>parent.document.title = 'taken over'</script>"
drawing = f"<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'>{script}</svg>"
files = {
    "folder/inner/deep.txt": "first line\\nsecond line\\n",
    "page.html": takes_over,
    "drawing.svg": drawing,
    "photo\\u202egnp.txt": "not what it says",
    "<b>bold.md": "# Heading\\n" + takes_over + "\\n[link](javascript:document.title='taken_over')",
}
with steplog.init(project="p", id="a", name="<i>a run</i>") as run:
    all = artifact("all", "dataset", files, description=takes_over, metadata={"<u>key</u>": takes_over})
    gray = numpy.full((16, 24), 128, numpy.uint8)
    all.add(steplog.Image(gray, caption="a gray one"), "picture")
    rows = [[1, steplog.Image(gray, caption="first"), 0.25], [2, steplog.Image(gray, caption="second"), 0.75]]
    all.add(steplog.Table(columns=["number", "picture", "score"], data=rows), "eval")
    all.add(steplog.Audio(numpy.zeros(800), sample_rate=8000, caption="silence"), "sound")
    all.add(steplog.Object3D(numpy.random.default_rng(1).random((200, 3))), "cloud")
    all.add_reference("s3://bucket/far/weights.bin", name="far.bin", checksum=False)
    run.log_artifact(all).wait()
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium


def ran(code: str, home: Path, **more: str) -> None:
    """Runs a script to its good end."""
    own = {"STEPLOG_SILENT": "1", "STEPLOG_SAVE_REQUIREMENTS": "false"}
    with Script(BEGIN + code, home=home, **own, **more) as script:
        assert script.end() == (0, ""), script.said()


def cells(table: Locator) -> list[list[str]]:
    """The texts of a table's body by row, all of one moment."""
    rows: list[list[str]] = table.evaluate(
        """table => [...table.querySelectorAll('tbody tr')].map(row =>
            [...row.querySelectorAll('th, td')].map(cell => cell.innerText.replaceAll('\\n', ' ')))"""
    )
    return rows


def expect_rows(table: Locator, *expected: list[str]) -> None:
    """Waits until the rows of a table's body begin with these texts. What is behind them changes with time."""

    def shown() -> list[list[str]]:
        return [row[: len(expected[0])] for row in cells(table)]

    name = table.get_attribute("aria-label")
    wait_until(lambda: shown() == [*expected], f"the table {name} is {[*expected]}")


def test_collections_are_listed_by_type_and_new_versions_come_by_themselves(
    home: Path, server: Server, chromium: Chromium
) -> None:
    ran(PREPARE + TRAIN, home, STEPLOG_BASE_URL=server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/p")
        page.get_by_role("navigation", name="Sections").get_by_role("link", name="Artifacts").click()
        expect(page).to_have_url(f"{server.url}/local/p/artifacts")
        page.evaluate("window.stays = true")
        datasets = page.get_by_role("table", name="Collections of type dataset")
        models = page.get_by_role("table", name="Collections of type model")
        # Name, newest version with its aliases, how many versions, how large.
        expect_rows(datasets, ["data", "v0 latest clean", "1", "8 B"])
        expect_rows(models, ["net", "v0 latest best", "1", "3 B"])
        ran(LATER, home, STEPLOG_BASE_URL=server.url)
        expect_rows(datasets, ["data", "v1 latest cleaner", "2", "16 B"], ["embedding", "v0 latest", "1", "1 B"])
        assert page.evaluate("window.stays") is True

        page.get_by_role("radio", name="model").click()
        expect(datasets).to_have_count(0)
        expect(models).to_be_visible()
        page.get_by_role("radio", name="All").click()
        expect(datasets).to_be_visible()
        page.get_by_role("searchbox", name="Search collections").fill("embed")
        expect(models).to_have_count(0)
        expect_rows(datasets, ["embedding"])
        page.get_by_role("searchbox", name="Search collections").fill("")
        datasets.get_by_role("link", name="data", exact=True).click()
        versions = page.get_by_role("list", name="Versions").get_by_role("listitem")
        expect(versions).to_contain_text(["v1", "v0"])
        expect(versions.nth(1)).to_contain_text("clean")
        versions.nth(1).get_by_role("link", name="v0").click()
        expect(page).to_have_url(f"{server.url}/local/p/artifacts/data/v0")
        expect(page.get_by_role("heading", name="data:v0")).to_be_visible()
        assert page.evaluate("window.stays") is True


def test_what_is_said_of_a_version_is_changed_on_its_page(home: Path, server: Server, chromium: Chromium) -> None:
    ran(TWO_VERSIONS, home, STEPLOG_BASE_URL=server.url)

    def known(version: str) -> Any:
        return server.api.get(f"/artifacts/local/p/data/versions/{version}")

    with chromium.tab(server.url) as tab:
        tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = tab.open("/local/p/artifacts/data")
        protected = page.get_by_role("group", name="Protected aliases")
        protected.get_by_role("button", name="Alias").click()
        page.get_by_role("textbox", name="New alias").fill("prod")
        page.keyboard.press("Enter")
        expect(protected.get_by_role("button", name="Protect prod no more")).to_be_visible()
        wait_until(
            lambda: server.api.get("/artifacts/local/p/data")["protected_aliases"] == ["prod"], "prod is protected"
        )

        page.goto("/local/p/artifacts/data/v1")
        aliases = page.get_by_role("group", name="Aliases", exact=True)
        aliases.get_by_role("button", name="Alias", exact=True).click()
        page.get_by_role("textbox", name="New alias").fill("candidate")
        page.keyboard.press("Enter")
        expect(aliases.get_by_role("button", name="Remove alias candidate")).to_be_visible()
        aliases.get_by_role("button", name="Alias", exact=True).click()
        page.get_by_role("button", name="Move stable from v0").click()
        expect(aliases.get_by_role("button", name="Remove alias stable")).to_be_visible()
        assert (known("v0")["aliases"], known("v1")["aliases"]) == (["prod"], ["candidate", "latest", "stable"])
        aliases.get_by_role("button", name="Remove alias candidate").click()
        expect(aliases.get_by_role("button", name="Remove alias candidate")).to_have_count(0)

        aliases.get_by_role("button", name="Alias", exact=True).click()
        page.get_by_role("button", name="Move prod from v0").click()
        refusal = page.get_by_role("status").filter(has_text="Could not change the version")
        expect(refusal).to_contain_text('the alias "prod" is protected')
        expect(aliases.get_by_text("prod", exact=True)).to_have_count(0)
        tab.forgive(409)
        assert (known("v0")["aliases"], known("v1")["aliases"]) == (["prod"], ["latest", "stable"])

        tags = page.get_by_role("group", name="Tags")
        tags.get_by_role("button", name="Tag").click()
        page.get_by_role("textbox", name="New tag").fill("checked")
        page.keyboard.press("Enter")
        expect(tags.get_by_role("button", name="Remove tag checked")).to_be_visible()
        description = page.get_by_role("region", name="Description")
        description.get_by_role("button", name="Add description").click()
        page.get_by_role("textbox", name="Description").fill("all **new**")
        page.get_by_role("button", name="Save description").click()
        expect(description.locator("strong")).to_have_text("new")
        assert (known("v1")["tags"], known("v1")["description"]) == (["checked"], "all **new**")

        usage = page.get_by_role("region", name="Use this artifact")
        python = """import steplog

with steplog.init(project="p") as run:
    artifact = run.use_artifact("local/p/data:v1", type="dataset")
    folder = artifact.download()"""
        commands = "steplog artifact ls local/p/data:v1\nsteplog artifact get local/p/data:v1"
        for way, code in (("Python", python), ("CLI", commands)):
            usage.get_by_role("radio", name=way).click()
            usage.get_by_role("button", name=re.compile("^Copy the code$|^Copied$")).click()
            wait_until(lambda copied=code: page.evaluate("navigator.clipboard.readText()") == copied, "it is copied")  # type: ignore[misc]
        runs = page.get_by_role("region", name="Runs")
        expect(runs.get_by_role("link", name="first run")).to_have_attribute("href", "/local/p/runs/first")


def opened(page: Page, name: str, path: str) -> Locator:
    """Chooses a file of the tree by its name; the preview."""
    page.get_by_role("list", name="Files").get_by_role("button", name=name, exact=False).first.click()
    return page.get_by_role("region", name=f"File {path}", exact=True)


def pictures(where: Locator) -> list[list[int]]:
    """How large the pictures are that the browser has read."""
    sizes: list[list[int]] = where.locator("img").evaluate_all(
        "images => images.map(image => [image.naturalWidth, image.naturalHeight])"
    )
    return sizes


def test_files_of_all_kinds_are_shown_and_none_of_them_runs(home: Path, server: Server, chromium: Chromium) -> None:
    ran(FILES, home, STEPLOG_BASE_URL=server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/p/artifacts/all/v0")
        expect(page.get_by_role("region", name="Runs").get_by_role("link", name="<i>a run</i>")).to_be_visible()
        expect(page.get_by_role("region", name="Metadata")).to_contain_text("<u>key</u>")
        page.get_by_role("tab", name="Files").click()
        files = page.get_by_role("list", name="Files")
        expect(files.get_by_role("button", name="folder")).to_have_attribute("aria-expanded", "false")
        files.get_by_role("button", name="folder").click()
        files.get_by_role("button", name="inner").click()
        text = opened(page, "deep.txt", "folder/inner/deep.txt")
        expect(text.locator("pre")).to_have_text("first line\nsecond line\n")
        page.reload()
        expect(text.locator("pre")).to_have_text("first line\nsecond line\n")

        picture = opened(page, "picture.image-file.json", "picture.image-file.json")
        expect(picture).to_contain_text("a gray one")
        wait_until(lambda: pictures(picture) == [[24, 16]], "the picture is shown")
        table = opened(page, "eval.table.json", "eval.table.json")
        rows = table.get_by_role("list", name="Rows").get_by_role("listitem")
        expect(rows).to_have_text(["010.25", "120.75"])
        expect(rows.nth(1).get_by_role("img", name="second")).to_be_visible()
        wait_until(lambda: pictures(table) == [[24, 16]] * 2, "pictures stand in the cells")
        table.get_by_role("button", name="Sort by score").click()
        table.get_by_role("button", name="Sort by score").click()
        expect(rows).to_have_text(["120.75", "010.25"])
        sound = opened(page, "sound.audio-file.json", "sound.audio-file.json").locator("audio")
        wait_until(lambda: sound.evaluate("audio => audio.duration") == 0.1, "the sound is read")

        said = opened(page, "cloud.object3D-file.json", "cloud.object3D-file.json")
        said.get_by_role("button", name="Open media").click()
        canvas = page.get_by_role("img", name=re.compile(r"\.pts\.json$")).locator("canvas")
        expect(canvas).to_be_visible()
        wait_until(lambda: min(size_of(canvas)) > 200, "the scene has its size")

        far = opened(page, "far.bin", "far.bin")
        expect(far.locator("code").first).to_have_text("s3://bucket/far/weights.bin")
        expect(far.get_by_role("link")).to_have_count(0)

        # What is hostile is text, and what turns text around is a sign.
        html = opened(page, "page.html", "page.html")
        expect(html.locator("pre")).to_contain_text("<script>document.title = 'taken over'</script><img src=x")
        drawing = opened(page, "drawing.svg", "drawing.svg")
        wait_until(lambda: pictures(drawing) == [[20, 10]], "the drawing is shown")
        turned = opened(page, "gnp.txt", "photo\u202egnp.txt")
        expect(turned.get_by_role("heading")).to_have_text("photoU+202Egnp.txt")
        expect(files.get_by_title("U+202E right-to-left override")).to_be_visible()
        expect(turned.locator("pre")).to_have_text("not what it says\n")
        bold = opened(page, "<b>bold.md", "<b>bold.md")
        expect(bold.get_by_role("heading", name="Heading")).to_be_visible()
        expect(bold.locator("a[href^='javascript']")).to_have_count(0)
        expect(page.locator("main b, main u, main i")).to_have_count(0)
        expect(page).to_have_title("all:v0 · p · steplog")

        # Whoever goes to what could run as a page gets a download.
        for name in ("page.html", "drawing.svg"):
            with page.expect_download() as download:
                page.evaluate(f"location.href = '/api/v1/artifacts/local/p/all/versions/v0/files/{name}'")
            assert download.value.suggested_filename == name
        expect(page).to_have_title("all:v0 · p · steplog")


def size_of(canvas: Locator) -> tuple[float, float]:
    box = canvas.bounding_box()
    return (0, 0) if box is None else (box["width"], box["height"])


NET = "version net:v0, model, best, latest"
DATA = "version data:v0, dataset, clean, latest"
REPORT = "version report:v0, result, latest"
PREPARING = "run the preparing one, prepare, finished"
TRAINING = "run the training one, train, finished"
SERVING = "run the serving one, serve, finished"
EVALUATING = "run the evaluating one, evaluate, finished"


def graph_of(page: Page) -> Locator:
    return page.get_by_role("application", name="Lineage graph")


def nodes(page: Page) -> set[str]:
    """What stands on the cards of the graph, to those who cannot see it."""
    labels: list[str] = graph_of(page).evaluate(
        "graph => [...graph.querySelectorAll('button[aria-pressed]')].map(card => card.ariaLabel)"
    )
    return set(labels)


def card(page: Page, label: str) -> Locator:
    return graph_of(page).get_by_role("button", name=label, exact=True)


def box_of(locator: Locator) -> FloatRect:
    box = locator.bounding_box()
    assert box is not None
    return box


def settled(page: Page, label: str) -> FloatRect:
    """Where a card is once it moves no more."""

    def stays() -> FloatRect | None:
        before = box_of(card(page, label))
        next_frame(page)
        return before if box_of(card(page, label)) == before else None

    box = wait_until(stays, f"{label} stays where it is")
    assert box is not None
    return box


def test_a_lineage_is_looked_at_from_all_sides(home: Path, server: Server, chromium: Chromium) -> None:
    ran(PREPARE + TRAIN + SERVE, home, STEPLOG_BASE_URL=server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/p/artifacts/net/v0?tab=lineage")
        expect(card(page, NET)).to_be_visible()
        everything = {NET, DATA, REPORT, PREPARING, TRAINING, SERVING, EVALUATING}
        wait_until(lambda: nodes(page) == everything, "all of it is shown")
        expect(graph_of(page).locator("[aria-current=true]")).to_have_attribute("aria-label", NET)
        # Time goes from left to right.
        order = [settled(page, each)["x"] for each in (PREPARING, DATA, TRAINING, NET, EVALUATING, REPORT)]
        assert order == sorted(set(order)), order

        # A drag moves it by as much as the pointer went.
        before = settled(page, NET)
        screen = box_of(graph_of(page))
        x, y = screen["x"] + screen["width"] / 2, screen["y"] + 40
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 60, y + 90, steps=5)
        page.mouse.up()
        after = settled(page, NET)
        assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((60, 90), abs=0.5)
        # It was no click.
        expect(page.get_by_role("complementary")).to_have_count(0)
        zoom = page.get_by_role("status", name="Zoom")
        start = float(zoom.inner_text().removesuffix("%"))
        page.get_by_role("button", name="Zoom in").click()
        expect(zoom).to_have_text(f"{start * 1.3:.0f}%")
        wider = settled(page, NET)
        assert wider["width"] == pytest.approx(after["width"] * 1.3, rel=0.01)
        page.mouse.move(x, y)
        page.keyboard.down("Control")
        turn_wheel(page, 0, 120)
        page.keyboard.up("Control")
        wait_until(lambda: settled(page, NET)["width"] < wider["width"] * 0.9, "the wheel has zoomed out")
        turn_wheel(page, 0, 50)
        page.get_by_role("button", name="Show all").click()
        expect(zoom).to_have_text(f"{start:.0f}%")

        # What hangs on a side is put away and comes back.
        graph_of(page).get_by_role("button", name=f"Hide 3 results of {NET}", exact=True).click()
        wait_until(lambda: nodes(page) == {NET, DATA, PREPARING, TRAINING}, "the results are put away")
        graph_of(page).get_by_role("button", name=f"Show 3 results of {NET}", exact=True).click()
        wait_until(lambda: nodes(page) == everything, "the results are back")
        graph_of(page).get_by_role("button", name=f"Hide 2 origins of {TRAINING}", exact=True).click()
        wait_until(lambda: nodes(page) == everything - {DATA, PREPARING}, "the origins are put away")

        # The search brings back what it finds.
        page.get_by_role("combobox", name="Find a run or version").fill("preparing")
        expect(page.get_by_role("listbox", name="Found").get_by_role("option")).to_have_count(1)
        page.keyboard.press("Enter")
        wait_until(lambda: nodes(page) == everything, "what was found is in the graph again")
        expect(card(page, PREPARING)).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("complementary", name="Details of the preparing one")).to_be_visible()

        card(page, TRAINING).click()
        details = page.get_by_role("complementary", name="Details of the training one")
        expect(details.get_by_role("region", name="Used").get_by_role("listitem")).to_have_text(["data:v0"])
        expect(details.get_by_role("region", name="Made").get_by_role("listitem")).to_have_text(["net:v0"])
        details.get_by_role("link", name="Open the run").click()
        expect(page).to_have_url(f"{server.url}/local/p/runs/train")
        page.go_back()
        expect(card(page, NET)).to_be_visible()

        # The keyboard goes from card to card.
        graph_of(page).focus()
        page.keyboard.press("ArrowRight")
        expect(card(page, NET)).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("ArrowLeft")
        expect(card(page, TRAINING)).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Escape")
        expect(page.get_by_role("complementary")).to_have_count(0)

        # The table says the same.
        page.get_by_role("radiogroup", name="Shown as").get_by_role("radio", name="Table").click()
        table = page.get_by_role("table", name="Lineage")
        expect(table).to_be_visible()
        told = {
            "the preparing one": ("3 steps before", "", "data:v0"),
            "data:v0": ("2 steps before", "the preparing one", "the training one"),
            "the training one": ("1 step before", "data:v0", "net:v0"),
            "net:v0": ("this version", "the training one", "the evaluating one, the serving one"),
            "the evaluating one": ("1 step after", "net:v0", "report:v0"),
            "the serving one": ("1 step after", "net:v0", ""),
            "report:v0": ("2 steps after", "the evaluating one", ""),
        }
        wait_until(
            lambda: {row[0].removeprefix("✓ "): (row[2], row[3], row[4]) for row in cells(table)} == told,
            "the table tells of all of it",
        )
        page.get_by_role("button", name="Show report:v0 in the graph").click()
        expect(card(page, REPORT)).to_have_attribute("aria-pressed", "true")


#: Half of the nodes are runs, each of which made a version.
LARGE = 500
#: So many runs use each version.
BRANCHES = 3


def grow_lineage(server: Server) -> None:
    """A tree: the first run makes a version, of which others make theirs, and so on; as any client may write it."""
    kind = {"content-type": "application/json"}
    addresses = [f"s3://bucket/{number}" for number in range(LARGE)]
    digests = [
        hashlib.md5(f"wandb-artifact-manifest-v1\nweights.bin:{each}\n".encode()).hexdigest() for each in addresses
    ]

    def grow(number: int) -> None:
        process = Process(
            server.api, f"local/p/r{number}", f"{number + 1:032x}", name=f"run {number}", job_type="train"
        )
        if number > 0:
            source = (number - 1) // BRANCHES
            process.use(f"net-{source}", "v0", digests[source])
        process.end()
        reference = {"size_bytes": 1, "digest": addresses[number], "reference": addresses[number]}
        lines: list[dict[str, Any]] = [
            {"format": "steplog-manifest", "version": 1},
            {"path": "weights.bin", **reference},
        ]
        manifest = "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines).encode()
        sha256 = hashlib.sha256(manifest).hexdigest()
        sent = server.api.call("PUT", f"/api/v1/blobs/local/{sha256}?offset=0&size_bytes={len(manifest)}", manifest)
        assert sent.status == 200, sent
        version = {"id": f"{number + 1:032x}", "type": "model", "digest": digests[number], "manifest": sha256}
        body = json.dumps({**version, "run_id": f"r{number}"}).encode()
        made = server.api.call("POST", f"/api/v1/artifacts/local/p/net-{number}/versions", body, kind)
        assert made.status in (200, 201) and made.json()["created"], made

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(grow, range(LARGE)))


def next_frame(page: Page) -> None:
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_a_lineage_of_a_thousand_nodes_is_moved_and_zoomed(server: Server, chromium: Chromium) -> None:
    grow_lineage(server)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/p/artifacts/net-0/v0?tab=lineage")
        kinds = page.get_by_role("group", name="Kinds").get_by_role("button")
        expect(kinds).to_have_text([f"model{LARGE}", f"train runs{LARGE}"])
        page.get_by_role("checkbox", name="Group alike").uncheck()
        screen = box_of(graph_of(page))
        x, y = screen["x"] + screen["width"] / 2, screen["y"] + screen["height"] / 2
        zoom = page.get_by_role("status", name="Zoom")
        page.evaluate(
            """() => {
                const cards = document.querySelector('[role=application] canvas + div')
                window.framesSeen = []
                const seen = time => {
                    window.framesSeen.push([time, cards.style.transform])
                    requestAnimationFrame(seen)
                }
                requestAnimationFrame(seen)
            }"""
        )

        def picture() -> str:
            next_frame(page)
            drawn: str = graph_of(page).locator("canvas").evaluate("canvas => canvas.toDataURL()")
            return drawn

        # Cards that can be read are moved and zoomed out until they are blocks; these are moved and zoomed in.
        pictures = [picture()]
        for sign in (1, -1):
            page.mouse.move(x, y)
            page.mouse.down()
            for _ in range(3):
                page.mouse.move(x - 300, y - 200, steps=15)
                page.mouse.move(x + 100, y + 150, steps=15)
            page.mouse.up()
            pictures.append(picture())
            page.keyboard.down("Control")
            for delta in [40] * 12 + [-40] * 12 + [40] * 12:
                page.mouse.wheel(0, sign * delta)
            page.keyboard.up("Control")
            pictures.append(picture())
            expect(zoom).to_have_text("2%" if sign > 0 else "200%")
        seen = itertools.pairwise(page.evaluate("window.framesSeen"))
        frames = [end - start for (start, was), (end, now) in seen if was != now]
        print(f"{len(frames)} frames that moved: median {median(frames):.1f} ms, worst {max(frames):.1f} ms")
        assert len(frames) > 100
        assert all(before != after for before, after in itertools.pairwise(pictures))

        page.get_by_role("button", name="Show all").click()
        expect(zoom).to_have_text(re.compile("^[1-9]%$"))
        page.get_by_role("combobox", name="Find a run or version").fill(f"net-{LARGE - 1}:v0")
        page.keyboard.press("Enter")
        expect(card(page, label_of(LARGE - 1))).to_have_attribute("aria-pressed", "true")
        assert screen["y"] < settled(page, label_of(LARGE - 1))["y"] < screen["y"] + screen["height"]
        page.keyboard.press("Escape")

        # Gone over from corner to corner, at the size from which on cards are cards, it shows all of them.
        page.mouse.move(x, y)
        expect(zoom).to_have_text("90%")
        for percent in (69, 53):
            page.get_by_role("button", name="Zoom out").click()
            expect(zoom).to_have_text(f"{percent}%")
        expected = {label_of(number) for number in range(LARGE)}
        expected |= {f"run run {number}, train, finished" for number in range(LARGE)}
        found: set[str] = set()
        page.mouse.move(x, y)
        turn_wheel(page, -100_000, -100_000)
        # Cards are there before they come into sight.
        right, down = screen["width"] + 400, screen["height"] + 400
        column = None
        while (place := layer(page)) != column:
            column = row = place
            while True:
                found |= nodes(page)
                turn_wheel(page, 0, down)
                if (place := layer(page)) == row:
                    break
                row = place
            turn_wheel(page, right, -100_000)
        assert found == expected

        page.get_by_role("radiogroup", name="Shown as").get_by_role("radio", name="Table").click()
        names = page.get_by_role("table", name="Lineage").locator("tbody th")
        expect(names).to_have_count(2 * LARGE)


def label_of(number: int) -> str:
    return f"version net-{number}:v0, model, latest"


def turn_wheel(page: Page, x: float, y: float) -> None:
    """Turns the wheel, and waits until the page has heard of it and drawn it."""
    before = page.evaluate(
        """() => {
            const count = () => { window.wheelsSeen += 1 }
            if (window.wheelsSeen === undefined) addEventListener('wheel', count, { capture: true, passive: true })
            window.wheelsSeen ??= 0
            return window.wheelsSeen
        }"""
    )
    page.mouse.wheel(x, y)
    page.wait_for_function("before => window.wheelsSeen > before", arg=before)
    next_frame(page)


def layer(page: Page) -> str:
    """Where the layer of the cards is."""
    place: str = graph_of(page).evaluate("graph => graph.querySelector('canvas + div').style.transform")
    return place


def test_two_versions_are_compared(home: Path, server: Server, chromium: Chromium) -> None:
    ran(TWO_VERSIONS, home, STEPLOG_BASE_URL=server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/p/artifacts/data/v1")
        page.get_by_role("tab", name="Diff").click()
        counts = page.get_by_role("img", name="1 added, 1 changed, 1 removed, 1 the same", exact=True)
        expect(counts).to_be_visible()
        changes = page.get_by_role("list", name="Changes").get_by_role("button")
        expect(changes).to_have_count(3)
        names = [each.get_attribute("aria-label") for each in changes.all()]
        assert names == ["removed: gone.txt", "added: new/came.txt", "changed: notes.txt"]
        lines = page.get_by_role("region", name="Lines").locator("[data-kind]")
        # Number before, number after, sign and text.
        expected = {
            "removed: gone.txt": ["1\u2212gone"],
            "added: new/came.txt": ["1+came", "2+later"],
            "changed: notes.txt": [
                "⋯⋯",
                *(f"{number}{number} line {number - 1}" for number in (18, 19, 20)),
                "21\u2212line 20",
                "21+another line",
                *(f"{number}{number} line {number - 1}" for number in (22, 23, 24)),
            ],
        }
        for name, texts in expected.items():
            page.get_by_role("button", name=name, exact=True).click()
            expect(lines).to_have_text(texts)
        page.get_by_role("radiogroup", name="Compare").get_by_role("radio", name="Metadata 3").click()
        table = page.get_by_role("table", name="Metadata")
        changed = [["new", "", "[1]"], ["old", "true", ""], ["rows", "2", "3"]]
        wait_until(lambda: cells(table) == changed, "what was changed is shown")
        page.get_by_role("link", name="Swap").click()
        expect(page).to_have_url(re.compile(r"/data/v0\?"))
        expect(page.get_by_role("list", name="Changes").get_by_role("button", name="added: gone.txt")).to_be_visible()


SECOND_MODEL = """
with steplog.init(project="p", id="again", name="once more") as run:
    run.log_artifact(artifact("net", "model", {"weights.txt": "0.75"})).wait()
"""


def test_the_registry_shows_stages_and_takes_links(home: Path, server: Server, chromium: Chromium) -> None:
    ran(PREPARE + TRAIN + SECOND_MODEL, home, STEPLOG_BASE_URL=server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/")
        page.get_by_role("navigation", name="Sections").get_by_role("link", name="Registry").click()
        table = page.get_by_role("table", name="Collections of registry")
        # Name, type, what is at the stage, newest, how many.
        expect_rows(table, ["classifier", "model", "v0", "v0", "1"])
        expect(table.get_by_role("columnheader")).to_have_text(
            ["Collection", "Type", "staging", "Newest", "Versions", "Updated"]
        )

        page.goto("/local/p/artifacts/net/v1")
        page.get_by_role("button", name="Link to registry").click()
        dialog = page.get_by_role("dialog", name="Link to registry")
        dialog.get_by_role("option", name="registry / classifier").click()
        expect(dialog.get_by_role("textbox", name="Collection")).to_have_value("classifier")
        dialog.get_by_role("textbox", name="Aliases").fill("production, checked")
        dialog.get_by_role("button", name="Link", exact=True).click()
        # First what goes by itself.
        expect(page.get_by_role("status").filter(has_text="Linked as classifier:v1.")).to_be_visible()
        expect(page).to_have_url(f"{server.url}/local/registry/artifacts/classifier/v1")
        source = page.get_by_role("link", name="linked from p/net:v1")
        expect(source).to_have_attribute("href", "/local/p/artifacts/net/v1")
        page.goto("/registry")
        expect(table.get_by_role("link", name="classifier:v1, production")).to_be_visible()
        expect_rows(table, ["classifier", "model", "v1", "v1", "v0", "v1", "2"])

        table.get_by_role("link", name="classifier:v1, production").click()
        page.get_by_role("button", name="Actions for classifier:v1").click()
        page.get_by_role("menuitem", name="Unlink from the registry").click()
        dialog = page.get_by_role("dialog", name="Unlink from the registry")
        expect(dialog).to_contain_text("p/net:v1, stays with all its files")
        expect(dialog.get_by_role("button", name="Unlink")).to_be_disabled()
        dialog.get_by_role("checkbox", name="Its aliases checked, production too").check()
        dialog.get_by_role("button", name="Unlink").click()
        expect(page).to_have_url(f"{server.url}/local/registry/artifacts/classifier")
        expect(page.get_by_role("list", name="Versions").get_by_role("listitem")).to_have_count(1)
        page.goto("/registry")
        expect_rows(table, ["classifier", "model", "v0", "v0", "1"])
        assert server.api.get("/artifacts/local/p/net/versions/v1")["file_count"] == 1


def test_a_run_tells_what_it_made_and_used(home: Path, server: Server, chromium: Chromium) -> None:
    ran(PREPARE + TRAIN, home, STEPLOG_BASE_URL=server.url)
    with chromium.tab(server.url) as tab:
        page = tab.open("/local/p/runs/train")
        page.get_by_role("tab", name="Artifacts").click()
        made = page.get_by_role("list", name="Made").get_by_role("listitem")
        expect(made).to_contain_text(["net:v0latestbestmodel1 file · 3 B"])
        used = page.get_by_role("list", name="Used").get_by_role("listitem")
        expect(used).to_contain_text(["data:v0latestcleandataset1 file · 8 B"])
        used.get_by_role("link", name="data:v0").click()
        expect(page).to_have_url(f"{server.url}/local/p/artifacts/data/v0")
        users = page.get_by_role("list", name="Used by").get_by_role("listitem")
        expect(users).to_have_text(["the training one"])


def test_a_folder_without_a_server_is_looked_at_and_not_changed(home: Path, chromium: Chromium) -> None:
    ran(TWO_VERSIONS, home, STEPLOG_MODE="offline")
    with Server(home, home / "steplog", command="ui") as server, chromium.tab(server.url) as tab:
        # The server answers before it has read the folder.
        wait_until(lambda: server.api.get("/artifacts/local/p")["collections"], "the folder is read")
        page = tab.open("/local/p/artifacts")
        table = page.get_by_role("table", name="Collections of type dataset")
        expect_rows(table, ["data", "v1 latest", "2"])
        table.get_by_role("link", name="data:v1").click()
        expect(page.get_by_role("heading", name="data:v1")).to_be_visible()
        expect(page.get_by_role("region", name="About")).to_contain_text("local/p/data:v1")
        for name in ("Link to registry", "Alias", "Tag", "Add description"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        page.get_by_role("button", name="Actions for data:v1").click()
        expect(page.get_by_role("menuitem")).to_have_text(["Copy full name"])
        page.keyboard.press("Escape")
        page.get_by_role("tab", name="Files").click()
        page.get_by_role("list", name="Files").get_by_role("button", name="new").click()
        expect(opened(page, "came.txt", "new/came.txt").locator("pre")).to_have_text("came\nlater\n")
        page.get_by_role("tab", name="Diff").click()
        expect(page.get_by_role("img", name="1 added, 1 changed, 1 removed, 1 the same")).to_be_visible()
        page.goto("/local/p/artifacts/data")
        expect(page.get_by_role("list", name="Versions").get_by_role("listitem")).to_have_count(2)
        expect(page.get_by_role("button", name="Actions for data")).to_have_count(0)
        path, kind = "/api/v1/artifacts/local/p/data/versions/v0", {"content-type": "application/json"}
        refused = server.api.call("PATCH", path, b'{"add_tags": ["mine"]}', kind)
        assert 400 <= refused.status < 500, refused
        assert server.api.get("/artifacts/local/p/data/versions/v0")["tags"] == []
