"""An attack: a small real program, and what a successful one would need."""

from dataclasses import dataclass
from string import Template

__all__ = ["PRELUDE", "Attack", "attacks"]

PRELUDE = """
import ctypes, errno, os, platform, signal, socket, stat, struct, sys, threading, time
def got(*what):
    print("$NEKOT"[::-1], *what, flush=True)
def tries(*attempts):
    for attempt in attempts:
        try: attempt()
        except BaseException as error: print("failed:", type(error).__name__, flush=True)
libc = ctypes.CDLL(None, use_errno=True)
def syscall(x86, arm, *arguments):
    number = x86 if platform.machine() == "x86_64" else arm
    result = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0 and ctypes.get_errno() == errno.ENOSYS: print("no such call")
    if result < 0: raise OSError(ctypes.get_errno(), "syscall")
    return result
"""
"""What every attack starts with: `got` is how it says that it got somewhere."""


@dataclass(frozen=True)
class Attack:
    """`code` has $NAMES of what is outside (see `World.names`). `as_root`: only root could do
    it even outside a sandbox. `seconds` is the limit it runs under."""

    name: str
    code: str
    as_root: bool = False
    seconds: float = 20.0

    def program(self, names: dict[str, str]) -> str:
        return Template(PRELUDE + self.code).substitute(names)


def attacks(
    programs: dict[str, str], as_root: tuple[str, ...] = (), seconds: float = 20.0
) -> tuple[Attack, ...]:
    assert set(as_root) <= set(programs)
    return tuple(Attack(name, code, name in as_root, seconds) for name, code in programs.items())
