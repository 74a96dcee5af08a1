"""The worker's side of the pipe of `worker_process`: each message is JSON after a four-byte length.

It imports the standard library only, so that a worker starts fast and can be confined early.
"""

import json
import os
import signal
import struct
from collections.abc import Callable
from typing import Any

__all__ = ["serve_requests"]

_LENGTH = struct.Struct(">I")


def serve_requests(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Read requests from stdin and write what `answer` returns to stdout, until stdin closes.

    A request may use its `seconds` of CPU time, and two more, before the process is killed. An
    exception becomes a reply with the key `error`. What `answer` itself prints is discarded.
    """
    requests, replies = os.dup(0), os.dup(1)
    null_device = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null_device, descriptor)
    while (request := _receive(requests)) is not None:
        _limit_cpu(float(request.get("seconds", 10)))
        try:
            reply = answer(request)
        except MemoryError:
            os._exit(1)  # a process that ran out of memory is not reused
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"[:300]}
        body = json.dumps(reply).encode()
        _send(replies, _LENGTH.pack(len(body)) + body)


def _receive(source: int) -> dict[str, Any] | None:
    length = _read(source, _LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    request = json.loads(_read(source, _LENGTH.unpack(length)[0]))
    return request if isinstance(request, dict) else None


def _read(source: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = os.read(source, count - len(data))
        if not piece:
            break
        data += piece
    return data


def _send(sink: int, data: bytes) -> None:
    while data:
        data = data[os.write(sink, data) :]


def _limit_cpu(seconds: float) -> None:
    """End the process after this much CPU time, in case its parent no longer watches it."""
    signal.setitimer(signal.ITIMER_PROF, seconds + 2)
