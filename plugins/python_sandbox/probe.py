"""Which layer really works here: each is tried with a small attack before it is trusted.

The truth is taken from outside where there is one: the listening sockets must have heard nothing
and the secret must not come back.
"""

import os
import secrets
import socket
import tempfile
import threading
from dataclasses import dataclass, replace

from reasoner.plugins.python_sandbox.execution import MEMORY, run_in
from reasoner.plugins.python_sandbox.layers import LAYERS, UNCONFINED, Layer

__all__ = ["UNSAFE", "Choice", "chosen", "permit_unsafe", "self_test"]

UNSAFE = "--unsafe-exec"
"""The flag (also REASONER_UNSAFE_EXEC=1) that runs a model's code where there is no sandbox."""

_ATTACK = """
import os, socket
def got(name, attack):
    try:
        attack()
    except BaseException:
        return
    print("GOT", name)
def connect():
    with socket.create_connection(("127.0.0.1", {tcp}), 1) as s: s.send(b"x")
def send():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: s.sendto(b"x", ("127.0.0.1", {udp}))
def fork():
    if os.fork() == 0: os._exit(0)
got("read", lambda: print(open({secret!r}).read()))
got("write", lambda: open({secret!r} + ".new", "w"))
got("tcp", connect)
got("udp", send)
got("fork", fork)
got("shell", lambda: os.posix_spawn("/bin/true", ["true"], {{}}))
print("ALIVE", 6 * 7)
"""


@dataclass(frozen=True)
class Choice:
    """The layer in use, or None with the reasons; `tried` has each layer's failure."""

    layer: Layer | None
    detail: str
    tried: tuple[tuple[str, str], ...] = ()
    strong: bool = True


_lock = threading.Lock()
_choice: list[Choice] = []
_permitted = threading.Event()


def permit_unsafe(allowed: bool) -> None:
    """Whether code may run where no layer is strong enough; from now on, in this process."""
    if allowed:
        _permitted.set()
    else:
        _permitted.clear()


def chosen() -> Choice:
    """The strongest layer that passed its self-test; found once per process (a few 100 ms)."""
    with _lock:
        if not _choice:
            _choice.append(_choose())
        found = _choice[0]
    if found.layer is None and _permitted.is_set():
        return replace(found, layer=UNCONFINED, detail=f"{UNSAFE}: {found.detail}", strong=False)
    return found


def self_test(layer: Layer) -> str | None:
    """Attack a layer; None when it holds, else what got through or why it does not run."""
    with (
        tempfile.TemporaryDirectory(prefix="reasoner-probe-") as folder,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        udp.bind(("127.0.0.1", 0))
        key, secret = secrets.token_hex(8), os.path.join(folder, "key")
        with open(secret, "w", encoding="ascii") as file:
            file.write(key)
        ports = {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1]}
        code = _ATTACK.format(secret=secret, **ports)
        run = run_in(layer, code, stdin="", seconds=5, memory=MEMORY)
        through = [line[4:] for line in run.stdout.splitlines() if line.startswith("GOT ")]
        through += ["read"] * (key in run.stdout) + ["write"] * os.path.exists(secret + ".new")
        through += ["tcp"] * _heard(tcp) + ["udp"] * _heard(udp)
    if through:
        return f"got through: {', '.join(dict.fromkeys(through))}"
    if run.outcome != "ok" or "ALIVE 42" not in run.stdout:
        lines = (run.error or run.stderr).strip().splitlines()
        return f"does not run ({run.outcome}): {lines[-1] if lines else 'no output'}"[:300]
    return None


def _heard(server: socket.socket) -> bool:
    server.settimeout(0)
    try:
        if server.type == socket.SOCK_DGRAM:
            server.recv(1)
        else:
            server.accept()[0].close()
    except OSError:
        return False
    return True


def _choose() -> Choice:
    tried: list[tuple[str, str]] = []
    for layer in LAYERS:
        if not layer.possible:
            continue
        if (failure := self_test(layer)) is None:
            return Choice(
                layer, "self-test passed: nothing read, written, sent or started", tuple(tried)
            )
        tried.append((layer.name, failure))
    why = "; ".join(f"{name}: {failure}" for name, failure in tried) or "none for this system"
    detail = f"no sandbox is strong enough to run a model's code ({why})"
    return Choice(None, detail, tuple(tried), strong=False)
