"""Choosing the strongest layer that works here: each is attacked before it is used.

Success of an attack is observed from outside the sandbox: nothing may arrive at the listening
sockets, and the secret must not appear in the output.
"""

import os
import secrets
import socket
import tempfile
import threading
from dataclasses import dataclass, replace

from python_sandbox.execution import MAX_MEMORY_BYTES, run_in_layer
from python_sandbox.layers import LAYERS, UNCONFINED, Layer

__all__ = ["UNSAFE_EXEC_FLAG", "LayerChoice", "attack_layer", "choose_layer", "permit_unsafe"]

UNSAFE_EXEC_FLAG = "--unsafe-exec"
"""The flag (also REASONER_UNSAFE_EXEC=1) that allows a model's code to run without a sandbox."""

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
class LayerChoice:
    """The layer in use, or None, and why; `tried` holds each failed layer and its failure."""

    layer: Layer | None
    detail: str
    failed_layers: tuple[tuple[str, str], ...] = ()
    strong: bool = True


_lock = threading.Lock()
_choice: list[LayerChoice] = []
_permitted = threading.Event()


def permit_unsafe(allowed: bool) -> None:
    """Allow or forbid, in this process, to run code where no layer is strong enough."""
    if allowed:
        _permitted.set()
    else:
        _permitted.clear()


def choose_layer() -> LayerChoice:
    """Return the strongest layer that passes its self-test.

    The self-tests run once per process and take a few hundred milliseconds.
    """
    with _lock:
        if not _choice:
            _choice.append(_choose())
        choice = _choice[0]
    if choice.layer is None and _permitted.is_set():
        return replace(
            choice, layer=UNCONFINED, detail=f"{UNSAFE_EXEC_FLAG}: {choice.detail}", strong=False
        )
    return choice


def attack_layer(layer: Layer) -> str | None:
    """Attack a layer; return None when it holds, else which attacks succeeded or why it fails."""
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
        run = run_in_layer(layer, code, stdin="", seconds=5, memory=MAX_MEMORY_BYTES)
        through = [line[4:] for line in run.stdout.splitlines() if line.startswith("GOT ")]
        through += ["read"] * (key in run.stdout) + ["write"] * os.path.exists(secret + ".new")
        through += ["tcp"] * _received(tcp) + ["udp"] * _received(udp)
    if through:
        return f"got through: {', '.join(dict.fromkeys(through))}"
    if run.outcome != "ok" or "ALIVE 42" not in run.stdout:
        lines = (run.error or run.stderr).strip().splitlines()
        return f"does not run ({run.outcome}): {lines[-1] if lines else 'no output'}"[:300]
    return None


def _received(server: socket.socket) -> bool:
    server.settimeout(0)
    try:
        if server.type == socket.SOCK_DGRAM:
            server.recv(1)
        else:
            server.accept()[0].close()
    except OSError:
        return False
    return True


def _choose() -> LayerChoice:
    tried: list[tuple[str, str]] = []
    for layer in LAYERS:
        if not layer.possible:
            continue
        if (failure := attack_layer(layer)) is None:
            return LayerChoice(
                layer, "self-test passed: nothing read, written, sent or started", tuple(tried)
            )
        tried.append((layer.name, failure))
    reasons = "; ".join(f"{name}: {failure}" for name, failure in tried) or "none for this system"
    detail = f"no sandbox is strong enough to run a model's code ({reasons})"
    return LayerChoice(None, detail, tuple(tried), strong=False)
