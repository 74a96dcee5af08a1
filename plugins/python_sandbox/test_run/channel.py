"""Messages between two sandboxes: JSON objects after a four-byte length, through two descriptors.

It runs inside the sandbox. The host copies the bytes and reads none of them.
"""

import json
import os
import struct
from typing import Any

__all__ = ["Channel", "ChannelClosed"]

MAX_MESSAGE_BYTES = 16 << 20
_LENGTH = struct.Struct(">I")


class ChannelClosed(BaseException):
    """The other side has ended, or sent what is no message."""


class Channel:
    """One side of the connection."""

    def __init__(self, source: int, sink: int) -> None:
        self._source, self._sink = source, sink

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises ChannelClosed when nobody reads it."""
        body = json.dumps(message).encode()
        data = memoryview(_LENGTH.pack(len(body)) + body)
        try:
            while data:
                data = data[os.write(self._sink, data) :]
        except OSError as error:
            raise ChannelClosed(str(error)) from None

    def receive(self) -> dict[str, Any]:
        """Wait for a message and return it. Raises ChannelClosed."""
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if length > MAX_MESSAGE_BYTES:
            raise ChannelClosed("a message is too long")
        try:
            message = json.loads(self._read(length))
        except (ValueError, RecursionError):
            raise ChannelClosed("a message is not JSON") from None
        if not isinstance(message, dict):
            raise ChannelClosed("a message is not an object")
        return message

    def _read(self, count: int) -> bytes:
        pieces: list[bytes] = []
        while count:
            piece = os.read(self._source, min(count, 1 << 16))
            if not piece:
                raise ChannelClosed("the other side has ended")
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)
