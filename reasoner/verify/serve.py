"""The child's side of the pipe that `child` holds: length-prefixed JSON in, JSON out.

Standard library only, so that a worker starts fast and can be confined early.
"""

import json
import os
import signal
import struct
from collections.abc import Callable
from typing import Any

__all__ = ["serve"]

_FRAME = struct.Struct(">I")


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer requests from stdin until it closes. Each may use `seconds` of CPU, then we die.

    An exception becomes a reply with `error`; what `answer` prints goes nowhere.
    """
    source, sink = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    while (request := _receive(source)) is not None:
        _limit_cpu(float(request.get("seconds", 10)))
        try:
            reply = answer(request)
        except MemoryError:
            os._exit(1)  # what is left of the heap is not worth keeping
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"[:300]}
        body = json.dumps(reply).encode()
        _send(sink, _FRAME.pack(len(body)) + body)


def _receive(source: int) -> dict[str, Any] | None:
    head = _read(source, _FRAME.size)
    if len(head) < _FRAME.size:
        return None
    request = json.loads(_read(source, _FRAME.unpack(head)[0]))
    return request if isinstance(request, dict) else None


def _read(source: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = os.read(source, count - len(data))
        if not part:
            break
        data += part
    return data


def _send(sink: int, data: bytes) -> None:
    while data:
        data = data[os.write(sink, data) :]


def _limit_cpu(seconds: float) -> None:
    """A backstop for a parent that died: CPU time beyond this request's ends the process."""
    signal.setitimer(signal.ITIMER_PROF, seconds + 2)
