"""Alerts reach people: once, later when they must, and never where they must not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from rig.browser import Chromium
from rig.processes import Script, Server, steplog
from rig.receivers import Answer, HttpReceiver, MailReceiver, Request, certificates
from rig.waiting import wait_until

ALERT = """
import sys, steplog
from steplog import AlertLevel
with steplog.init(project="p", id="told", name="night run") as run:
    run.log({"loss": 1})
    run.alert("Loss is NaN", "at step 3:\\n<b>bold</b> & <!channel>", level=AlertLevel.ERROR)
    run.alert("Loss is NaN", "again, within the minute", level=AlertLevel.ERROR)
"""

MANY_ALERTS = """
import sys, steplog
with steplog.init(project="p", id="many", settings={"finish_timeout": 120}) as run:
    for index in range(int(sys.argv[1])):
        run.alert(f"alert {index}", "text")
        run.log({"index": index})
    sys.stdin.readline()
"""

SECRET = "whsec_" + base64.b64encode(b"twenty-four secret bytes").decode()
RETRY = ("--alert-retry-seconds", "0.05")


def add(server: Server, kind: str, target: str, **more: Any) -> dict[str, Any]:
    channel: dict[str, Any] = server.api.post(
        "/alert-channels/local", {"kind": kind, "name": kind, "target": target, **more}
    )
    return channel


def alerts(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.api.post("/alerts/query", {"project": "local/p", "limit": 1000})["alerts"]
    return found


def deliveries(server: Server) -> list[dict[str, Any]]:
    return [delivery for alert in alerts(server) for delivery in alert["deliveries"]]


def wait_until_over(server: Server, count: int = 1) -> list[dict[str, Any]]:
    def are_over() -> list[dict[str, Any]]:
        all_of_them = deliveries(server)
        waits = [each for each in all_of_them if each["state"] in ("waiting", "sending")]
        return [] if waits or len(all_of_them) < count else all_of_them

    return wait_until(are_over, "all alerts are sent or given up", 120)


def train(server: Server, home: Path, code: str = ALERT, *arguments: str) -> None:
    with Script(code, *arguments, home=home, STEPLOG_BASE_URL=server.url) as script:
        assert script.end()[0] == 0, script.said()


def test_an_alert_arrives_once_by_mail_chat_and_webhook_and_secrets_stay_secret(home: Path) -> None:
    tls, root = certificates(home / "certificates")
    with (
        MailReceiver(tls, password="mail-p/ssword") as mail,
        HttpReceiver(tls=tls) as chat,
        HttpReceiver(tls=tls) as program,
        Server(
            home,
            "--allow-private-webhooks=localhost",
            "--public-url",
            "https://log.example/",
            STEPLOG_SMTP_URL=f"smtp://alerts:mail-p%2Fssword@localhost:{mail.port}",
            STEPLOG_SMTP_FROM="steplog <alerts@log.example>",
            SSL_CERT_FILE=str(root),
            STEPLOG_LOG="trace",
        ) as server,
    ):
        made = [
            add(server, "email", "team@example.org"),
            add(server, "slack", chat.url, level="WARN"),
            add(server, "webhook", program.url, secret=SECRET, project="p"),
        ]
        assert [channel["target"] for channel in made] == [
            "team@example.org",
            f"https://localhost:{chat.port}/…abcd",
            f"https://localhost:{program.port}/…abcd",
        ]
        train(server, home)
        over = wait_until_over(server, 3)
        assert [(each["kind"], each["state"], each["attempts"], each["error"]) for each in over] == [
            ("email", "sent", 1, None),
            ("slack", "sent", 1, None),
            ("webhook", "sent", 1, None),
        ]
        listed = server.api.get("/alert-channels/local")
        assert listed == {
            "channels": sorted(made, key=lambda it: it["project"] or ""),
            "mail_from": "alerts@log.example",
        }
        assert server.stop() == 0

        [letter], [message], [call] = mail.mails, chat.requests, program.requests
        said = server.said()
        answers = json.dumps([made, over, listed])
        for secret in ("mail-p", "ssword", "secret-abcd", SECRET, SECRET.removeprefix("whsec_")):
            assert secret not in said and secret not in answers, secret

    url = "https://log.example/local/p/runs/told"
    assert mail.recipients == [["team@example.org"]]
    assert letter["subject"] == "[ERROR] Loss is NaN · night run"
    assert (letter["from"], letter["to"]) == ("steplog <alerts@log.example>", "team@example.org")
    plain, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None and html is not None
    assert "<b>bold</b> & <!channel>" in plain.get_content() and url in plain.get_content()
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; &lt;!channel&gt;" in html.get_content()

    attachment = message.json()["attachments"][0]
    assert (attachment["title"], attachment["title_link"]) == ("Loss is NaN", url)
    assert attachment["text"] == "at step 3:\n&lt;b&gt;bold&lt;/b&gt; &amp; &lt;!channel&gt;"

    body = call.json()
    assert body == {
        "type": "alert",
        "id": call.id,
        "level": "ERROR",
        "title": "Loss is NaN",
        "text": "at step 3:\n<b>bold</b> & <!channel>",
        "time": body["time"],
        "entity": "local",
        "project": "p",
        "run": {"id": "told", "name": "night run", "url": url},
    }
    assert call.headers["idempotency-key"] == call.id
    # As docs/alerts.md shows it.
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert call.headers["webhook-signature"] == f"v1,{signature}"


def test_a_receiver_that_is_down_and_one_that_fails_get_it_later(home: Path) -> None:
    refusals = [500, 503]

    def answer(_: Request) -> Answer:
        return refusals.pop(0) if refusals else 204

    back = HttpReceiver()
    with HttpReceiver(answer) as failing, Server(home, "--allow-private-webhooks", *RETRY) as server:
        add(server, "webhook", back.url)
        add(server, "webhook", failing.url)
        train(server, home)
        wait_until(lambda: deliveries(server)[0]["attempts"] >= 2, "the one that is down was tried twice")
        waiting = deliveries(server)[0]
        assert waiting["error"] == "cannot connect to 127.0.0.1: it refuses connections"
        with back:
            over = wait_until_over(server, 2)
        assert [each["state"] for each in over] == ["sent", "sent"]
        assert over[1]["attempts"] == 3
        assert (list(back.counts().values()), list(failing.counts().values())) == ([1], [3])


def test_a_receiver_that_is_slow_holds_up_nothing(home: Path) -> None:
    hold = threading.Event()

    def answer(_: Request) -> Answer:
        hold.wait(60)
        return 200

    with HttpReceiver(answer) as slow, HttpReceiver() as quick, Server(home, "--allow-private-webhooks") as server:
        add(server, "webhook", slow.url)
        add(server, "webhook", quick.url)
        train(server, home)
        wait_until(lambda: slow.requests, "the slow one was asked")
        # Others are told and runs are taken in as if nothing were.
        train(server, home, MANY_ALERTS, "20")
        assert server.api.run("local/p/many")["run"]["row_count"] == 20
        wait_until(lambda: len(quick.requests) == 21, "the quick one knows everything")
        assert len(slow.requests) == 1
        hold.set()
        over = wait_until_over(server, 42)
        assert {each["state"] for each in over} == {"sent"}
        assert set(slow.counts().values()) == {1} and len(slow.requests) == 21


def test_a_server_that_stops_while_somebody_does_not_answer(home: Path) -> None:
    hold = threading.Event()

    def answer(_: Request) -> Answer:
        hold.wait(60)
        return None

    with HttpReceiver(answer) as silent, Server(home, "--allow-private-webhooks") as server:
        add(server, "webhook", silent.url)
        train(server, home)
        wait_until(lambda: silent.requests, "it was asked")
        assert server.stop() == 0
        server.start()
        [delivery] = deliveries(server)
        assert (delivery["state"], delivery["error"]) == ("unknown", "the server stopped before the receiver answered")
        hold.set()
        assert len(silent.requests) == 1


def test_kill_9_sends_nothing_twice_and_loses_nothing_in_silence(home: Path, chance: random.Random) -> None:
    count, kills = 60, 12
    pauses = random.Random(chance.random())

    def answer(request: Request) -> Answer:
        threading.Event().wait(pauses.random() * 0.04)
        return 500 if pauses.random() < 0.2 else 200

    with (
        HttpReceiver(answer) as first,
        HttpReceiver(answer) as second,
        Server(home, "--allow-private-webhooks", *RETRY) as server,
    ):
        for receiver in (first, second):
            add(server, "webhook", receiver.url)
        with Script(MANY_ALERTS, str(count), home=home, STEPLOG_BASE_URL=server.url) as script:
            for _ in range(kills):
                threading.Event().wait(chance.random() * 0.3)
                server.kill()
                server.start()
            # Only now it finishes, which it would give up if it met the server too often while that was down.
            assert script.end()[0] == 0, script.said()
        over = wait_until_over(server, 2 * count)
        assert len(over) == 2 * count
        states = Counter(each["state"] for each in over)
        # At each kill at most one message to each receiver is on its way.
        assert states["sent"] + states["unknown"] == 2 * count, states
        assert states["unknown"] <= 2 * kills, states
        told = alerts(server)
        for channel, receiver in ((1, first), (2, second)):
            assert set(receiver.taken.values()) <= {1}, "nothing was taken twice"
            for alert in told:
                [delivery] = [each for each in alert["deliveries"] if each["channel"] == channel]
                taken = receiver.taken[alert["title"]]
                assert taken == 1 or delivery["state"] == "unknown", (alert, taken)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "localhost.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
        "0.0.0.0",
        "169.254.169.254",
        "[fe80::1]",
        "10.0.0.1",
        "100.64.0.1",
        socket.gethostname(),
    ],
)
def test_the_servers_own_network_is_out_of_reach(server: Server, host: str) -> None:
    with HttpReceiver() as inside:
        for kind in ("slack", "webhook"):
            body = {"kind": kind, "name": "x", "target": f"http://{host}:{inside.port}/"}
            answer = server.api.call(
                "POST", "/api/v1/alert-channels/local", json.dumps(body).encode(), {"content-type": "application/json"}
            )
            assert answer.status == 400
            assert answer.error.endswith("is in this server's own network, where webhooks are not sent")
        assert inside.requests == []


def test_nobody_is_led_inside_by_a_redirect_or_a_proxy(home: Path) -> None:
    with HttpReceiver(host="127.0.0.2") as inside, HttpReceiver() as proxy:
        redirect: Callable[[Request], Answer] = lambda _: (302, {"location": inside.url})  # noqa: E731
        proxies = dict.fromkeys(
            ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), f"http://127.0.0.1:{proxy.port}"
        )
        with (
            HttpReceiver(redirect) as outside,
            Server(home, "--allow-private-webhooks=127.0.0.1", *RETRY, **proxies) as server,
        ):
            add(server, "webhook", outside.url)
            train(server, home)
            [over] = wait_until_over(server)
            assert (over["state"], over["error"]) == (
                "failed",
                "the receiver answered 302 Found; redirects are not followed",
            )
        assert (len(outside.requests), inside.requests, proxy.requests) == (1, [], [])


def test_channels_from_the_command_line(home: Path) -> None:
    with HttpReceiver(lambda _: 200) as receiver, Server(home, "--allow-private-webhooks") as server:

        def alerts_command(*arguments: str, stdin: str | None = None, **more: str) -> tuple[int, str, str]:
            done = steplog("alerts", *arguments, "--server", server.url, home=home, stdin=stdin, **more)
            return done.returncode, done.stdout, done.stderr

        assert "not sent anywhere" in alerts_command("list")[1]
        code, out, error = alerts_command(
            "add", "webhook", "-", "--project", "p", "--level", "warn", "--sign",
            stdin=f"{receiver.url}\n", STEPLOG_WEBHOOK_SECRET=SECRET,
        )  # fmt: skip
        assert (code, error) == (0, "") and f"made channel 1: http://127.0.0.1:{receiver.port}/…abcd" in out
        listed = alerts_command("list")[1].splitlines()[1].split()
        assert listed == ["1", "webhook", *[f"127.0.0.1:{receiver.port}"], f"http://127.0.0.1:{receiver.port}/…abcd",
                          "p", "warn", "on"]  # fmt: skip
        assert alerts_command("test", "1")[:2] == (0, "the receiver took the test message\n")
        assert receiver.requests[0].json()["type"] == "test"
        assert alerts_command("add", "email", "team@example.org")[2].startswith(
            "error: this server has no mail server to send with\nhint:"
        )
        assert alerts_command("remove", "1")[0] == 0
        assert alerts_command("test", "1")[2] == "error: local has no alert channel 1\n"


def test_a_folder_sends_nothing(home: Path) -> None:
    with Script(ALERT, home=home, STEPLOG_MODE="offline") as script:
        assert script.end()[0] == 0, script.said()
    with Server(home, "steplog", "--no-open", command="ui") as shown:
        assert [alert["deliveries"] for alert in alerts(shown)] == [[]]
        for method, path in (("GET", "/alert-channels/local"), ("POST", "/alert-deliveries/local/1/send")):
            answer = shown.api.call(method, f"/api/v1{path}")
            assert (answer.status, answer.error) == (
                403,
                "a folder of local runs is shown as it is and takes no changes",
            )


def test_what_waits_survives_a_restart(home: Path) -> None:
    back = HttpReceiver()
    with Server(home, "--allow-private-webhooks", "--alert-retry-seconds", "1") as server:
        add(server, "webhook", back.url)
        train(server, home)
        wait_until(lambda: deliveries(server)[0]["attempts"], "it was tried")
        server.kill()
        with back:
            server.start()
            [over] = wait_until_over(server)
            assert over["state"] == "sent"
        assert list(back.counts().values()) == [1]


def test_a_channel_is_made_tried_and_watched_in_the_browser(home: Path) -> None:
    refusals = [404]

    def answer(request: Request) -> Answer:
        is_test = request.json()["type"] == "test"
        return 200 if is_test or not refusals else refusals.pop()

    with (
        HttpReceiver(answer) as receiver,
        Server(home, "--allow-private-webhooks=127.0.0.1") as server,
        Chromium() as chromium,
        chromium.tab(server.url) as tab,
    ):
        page = tab.open("/settings")
        page.get_by_role("button", name="Add channel").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("radio", name="Webhook").click()
        dialog.get_by_label("Name").fill("the bot")
        dialog.get_by_label("URL").fill("http://127.0.0.2/inside")
        dialog.get_by_role("radio", name="Errors", exact=True).click()
        dialog.get_by_role("button", name="Add channel").click()
        expect(dialog.get_by_role("alert")).to_contain_text("127.0.0.2 is in this server's own network")
        tab.forgive(400)
        dialog.get_by_label("URL").fill(receiver.url)
        dialog.get_by_role("button", name="Add channel").click()
        row = page.get_by_role("listitem").filter(has_text="the bot")
        expect(row).to_contain_text(f"http://127.0.0.1:{receiver.port}/…abcd")
        expect(row).to_contain_text("errors only")
        row.get_by_role("button", name="Send a test to the bot").click()
        expect(row.get_by_role("status")).to_have_text("The receiver took the test message.")

        train(server, home)
        page = tab.open("/local/p")
        page.get_by_role("button", name="Alerts").click()
        sent_to = page.get_by_role("list", name="Sent to")
        expect(sent_to).to_contain_text("failed")
        expect(sent_to).to_contain_text("the receiver answered 404 Not Found")
        sent_to.get_by_role("button", name="Send again").click()
        # By itself: the page hears of it.
        expect(sent_to).to_contain_text("sent at")
        expect(sent_to.get_by_role("button")).to_have_count(0)
        assert [request.json()["title"] for request in receiver.requests] == ["Test from steplog", *["Loss is NaN"] * 2]
        page.get_by_role("link", name="Where alerts are sent").click()
        row.get_by_role("button", name="More for the bot").click()
        page.get_by_role("menuitem", name="Switch off").click()
        expect(row.get_by_text("off", exact=True)).to_be_visible()
        row.get_by_role("button", name="More for the bot").click()
        page.get_by_role("menuitem", name="Remove").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove channel").click()
        expect(page.get_by_text("the bot")).to_have_count(0)
        assert server.api.get("/alert-channels/local")["channels"] == []
