"""A real Chromium, and what every page in it must keep to: no error on the console, no request to anybody else."""

from __future__ import annotations

from types import TracebackType
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from rig.waiting import wait_until

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: What a page is to show may take so long on a machine that is busy with other things.
PATIENCE_MILLIS = 60_000
expect.set_options(timeout=PATIENCE_MILLIS)


class Chromium:
    """One browser process; pages of it are independent of each other."""

    def __enter__(self) -> Chromium:
        self.playwright = sync_playwright().start()
        self.browser: Browser = self.playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, timeout=2 * PATIENCE_MILLIS
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.browser.close()
        self.playwright.stop()

    def tab(self, url: str) -> Tab:
        """A new page, not yet opened, of the server at ``url``."""
        return Tab(self.browser, url)


class Tab:
    """A page that remembers what went wrong in it."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=url)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MILLIS)
        self.errors: list[str] = []
        self.expected: tuple[str, ...] = ()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        self.page.on("request", self._request)

    def __enter__(self) -> Tab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.context.close()
        if error is None:
            errors = [each for each in self.errors if not any(part in each for part in self.expected)]
            assert not errors, "\n".join(errors)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    def _request(self, request: Request) -> None:
        if request.url.startswith("http") and urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.errors.append(f"a request to somebody else: {request.url}")

    def open(self, path: str) -> Page:
        """Opens a path of the UI."""
        self.page.goto(path)
        return self.page

    def watch(self, path: str) -> Page:
        """Opens a path of the UI and waits until the server tells the page of changes: what comes later is shown."""
        with self.page.expect_response(lambda response: urlsplit(response.url).path == "/api/v1/events"):
            self.page.goto(path)
        return self.page

    def expect_errors(self, *parts: str) -> None:
        """Errors with one of these in them are none, whenever the browser comes to tell of them."""
        self.expected += parts

    def forgive(self, status: int) -> None:
        """Takes what the browser itself says of a refusal off the errors: there must be one."""
        refusal = f"status of {status}"

        def is_told() -> bool:
            # What a page says is heard only while something is asked of it.
            self.next_frame()
            return any(refusal in error for error in self.errors)

        wait_until(is_told, f"the browser tells of a {refusal}")
        others = [error for error in self.errors if refusal not in error]
        assert len(others) == len(self.errors) - 1, self.errors
        self.errors = others

    def next_frame(self) -> None:
        """Waits until the page has drawn what it knows of now."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def drawing(self, key: str) -> str:
        """What the chart of a metric shows, as one long text that is another one when a pixel is."""
        canvas = self.page.get_by_role("article", name=key, exact=True).locator("canvas").first
        drawing: str = canvas.evaluate("canvas => canvas.toDataURL()")
        return drawing

    def tooltip_at(self, key: str, share: float) -> str:
        """What the tooltip says with the pointer at this share of a chart's width; nothing while there is none.

        A chart may be drawn anew at any time, so ask until the answer is the expected one.
        """
        over = self.page.get_by_role("article", name=key, exact=True).locator(".u-over").first
        box = over.bounding_box()
        if box is None:
            return ""
        # A pointer that rests is not told to a chart into which data came meanwhile.
        for x in (box["x"] + box["width"] * share - 1, box["x"] + box["width"] * share):
            self.page.mouse.move(x, box["y"] + box["height"] / 2)
        # Until then it may show another place.
        self.next_frame()
        shown: str = self.page.evaluate("document.querySelector('[role=tooltip]')?.innerText ?? ''")
        return shown

    def drag(self, key: str, start: float, end: float) -> None:
        """Drags over a chart from one share of its width to another, which are at least a few pixels apart."""
        over = self.page.get_by_role("article", name=key, exact=True).locator(".u-over").first
        box = over.bounding_box()
        assert box is not None
        height = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + box["width"] * start, height)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + box["width"] * end, height, steps=4)
        self.page.mouse.up()
