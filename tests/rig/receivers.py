"""Receivers of alerts: an HTTP server that does as it is told, a mail server, and certificates for both."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from rig.ports import keep_port


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = int | tuple[int, dict[str, str]] | None
"""A status, one with headers, or `None` to hang up with no answer."""


class HttpReceiver:
    """Remembers what is posted to it. ``answer`` decides, request by request, how; by default all is taken.

    It has its address from the beginning, and refuses connections until it is entered.

    ``taken`` counts by title what it said yes to, whether or not the sender was still there to hear it.
    """

    def __init__(
        self,
        answer: Callable[[Request], Answer] = lambda _: 200,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.requests: list[Request] = []
        self.taken: Counter[str] = Counter()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                receiver.requests.append(request)
                said = answer(request)
                if said is None:
                    self.close_connection = True
                    return
                status, headers = said if isinstance(said, tuple) else (said, {})
                if status < 300:
                    receiver.taken[request.json().get("title", "")] += 1
                try:
                    self.send_response(status)
                    for name, value in {"content-length": "2", **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(b"ok")
                except OSError:
                    pass  # The sender was killed.

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer((host, 0), Handler, bind_and_activate=False)
        self.server.daemon_threads = True
        self.server.server_bind()
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port: int = self.server.server_address[1]
        self.url = (
            f"{'http' if tls is None else 'https'}://{'localhost' if tls else host}:{self.port}/hooks/secret-abcd"
        )
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> HttpReceiver:
        self.server.server_activate()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def counts(self) -> Counter[str]:
        """How often each message came."""
        return Counter(request.id for request in self.requests)


class MailReceiver:
    """A mail server that takes mail for everybody: after STARTTLS and a login when it has a certificate."""

    def __init__(self, tls: ssl.SSLContext | None = None, password: str = "") -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []

        def login(*arguments: Any) -> AuthResult:
            given = arguments[-1]
            good = isinstance(given, LoginPassword) and given == LoginPassword(b"alerts", password.encode())
            return AuthResult(success=good)

        secure = {"tls_context": tls, "require_starttls": True, "authenticator": login, "auth_required": True}
        self.keeper = keep_port()
        self.port: int = self.keeper.getsockname()[1]
        self.controller = Controller(
            self, hostname="127.0.0.1", port=self.port, ready_timeout=60, **(secure if tls else {})
        )

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"

    def __enter__(self) -> MailReceiver:
        self.controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.controller.stop()
        self.keeper.close()


def certificates(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A context for servers called ``localhost``, and the root that vouches for it."""
    folder.mkdir()

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=root", "-days", "2")
    openssl("req", *new_key, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=localhost")
    (folder / "leaf.ext").write_text("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
    signing = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "2", "-extfile", "leaf.ext"]
    openssl("x509", "-req", "-in", "leaf.csr", *signing, "-out", "leaf.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem", folder / "leaf.key")
    return context, folder / "root.pem"
