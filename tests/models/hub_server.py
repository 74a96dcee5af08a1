"""A small Hub on localhost that the real huggingface_hub client is content with.

It knows the repository listing, the resolve address with the Hub's headers, the redirect to
another host, and ranges; it counts the bytes it sends and can be slow or drop connections.
"""

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["FakeHub", "serving"]

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PIECE = 4096


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these tests are about."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serve on a free port of localhost."""
    server = QuietServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class FakeHub:
    """`files` maps `owner/repo/path` to bytes; the switches change how they are served."""

    files: dict[str, bytes] = field(default_factory=dict)
    port: int = 0
    sent: int = 0
    gets: list[str] = field(default_factory=list)
    drop_after: int | None = None
    """Break each transfer off after so many bytes."""
    pause: float = 0.0
    """Seconds between pieces of 4 kB."""
    ranges: bool = True
    redirects: bool = False
    lies: bool = False
    """Send other bytes than the checksum promises."""
    tokens: list[str | None] = field(default_factory=list)
    """The authorization each transfer came with."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator["FakeHub"]:
        handler = type("Handler", (HubHandler,), {"hub": self})
        with serving(handler) as self.port:
            yield self


class HubHandler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if match := re.fullmatch(r"/api/models/([\w.-]+/[\w.-]+)(?:/revision/.+)?", path):
            self.listing(match[1])
        elif match := re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/main/(.+)", path):
            self.resolve(match[1], match[2])
        elif path.startswith("/cdn/"):
            self.transfer(self.hub.files[path.removeprefix("/cdn/")])
        else:
            self.reply(404)

    def listing(self, repo: str) -> None:
        files = [key.removeprefix(f"{repo}/") for key in self.hub.files if key.startswith(repo)]
        if not files:
            self.reply(404, {"X-Error-Code": "RepoNotFound"})
            return
        siblings = [{"rfilename": name} for name in files]
        body = json.dumps({"id": repo, "sha": COMMIT, "siblings": siblings}).encode()
        self.reply(200, {"Content-Type": "application/json"}, body)

    def resolve(self, repo: str, name: str) -> None:
        body = self.hub.files.get(f"{repo}/{name}")
        if body is None:
            known = any(key.startswith(f"{repo}/") for key in self.hub.files)
            self.reply(404, {"X-Error-Code": "EntryNotFound" if known else "RepoNotFound"})
            return
        etag = hashlib.sha256(body).hexdigest()
        headers = {
            "X-Repo-Commit": COMMIT,
            "X-Linked-Etag": f'"{etag}"',
            "X-Linked-Size": str(len(body)),
            "ETag": f'"{etag}"',
        }
        if self.hub.redirects:
            place = f"http://localhost:{self.hub.port}/cdn/{repo}/{name}"
            self.reply(302, headers | {"Location": place})
        else:
            self.transfer(body, headers)

    def transfer(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        headers = dict(headers or {})
        start, status = 0, 200
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if asked and self.hub.ranges:
            start, status = int(asked[1]), 206
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        if self.command == "GET":
            self.hub.gets.append(self.path)
            self.hub.tokens.append(self.headers.get("Authorization"))
        self.reply(status, headers, (b"x" * len(body) if self.hub.lies else body)[start:])

    def reply(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.send(body)

    def send(self, body: bytes) -> None:
        limit = len(body) if self.hub.drop_after is None else self.hub.drop_after
        for at in range(0, min(len(body), limit), PIECE):
            piece = body[at : min(at + PIECE, limit)]
            self.wfile.write(piece)
            self.hub.sent += len(piece)
            if self.hub.pause:
                time.sleep(self.hub.pause)
        if limit < len(body):
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
