"""Two connected jails: what one writes to its output the other one reads as its input.

This process copies the bytes and reads none of them. It limits time, traffic and disk, and tells
which of the two did not come to an end.
"""

import os
import selectors
import time
from dataclasses import dataclass, field

from python_sandbox.cpu_time import cpu_seconds
from python_sandbox.folder import folder_exceeds
from python_sandbox.jail import ProcessResult, RunRequest, SandboxProcess
from python_sandbox.watch import (
    CHECK_PERIOD_SECONDS,
    MAX_DISK_BYTES,
    MAX_FILES,
    MAX_START_SECONDS,
    MIN_BUSY_SHARE,
    ExceededLimit,
)

__all__ = ["PairResult", "run_pair"]

MAX_TRAFFIC_BYTES = 128 << 20
MAX_WAITING_BYTES = 4 << 20
MAX_STREAM_BYTES = 1 << 20
GRACE_SECONDS = 1.5
"""Time in which the tests may report after the program was ended."""


@dataclass(frozen=True)
class PairResult:
    """How two connected jails ended.

    `program` is None when the tests did not need it; then its jail still waits for an order.
    `is_busy` is set when the program had most of its time for computing; otherwise it waited, or
    the machine had no time for it. `seconds` is the wall time of both.
    """

    tests: ProcessResult
    program: ProcessResult | None
    is_busy: bool
    seconds: float


@dataclass
class _End:
    """One of the two jails while it runs: what waits for it, and what came out of it."""

    jail: SandboxProcess
    waiting: bytearray
    streams: dict[str, bytearray] = field(
        default_factory=lambda: {name: bytearray() for name in ("out", "err", "say")}
    )
    exceeded_limit: ExceededLimit | None = None
    is_open: bool = True
    is_sending: bool = False

    @property
    def has_started(self) -> bool:
        return bool(self.streams["say"])


def run_pair(
    jails: tuple[SandboxProcess, SandboxProcess],
    orders: tuple[RunRequest, RunRequest],
    seconds: float,
) -> PairResult:
    """Run the tests in the first jail and the program in the second for at most `seconds`."""
    return _Relay(jails, orders, seconds).run()


class _Relay:
    def __init__(
        self,
        jails: tuple[SandboxProcess, SandboxProcess],
        orders: tuple[RunRequest, RunRequest],
        seconds: float,
    ) -> None:
        self._tests, self._program = (
            _End(jail, bytearray(order.encoded()))
            for jail, order in zip(jails, orders, strict=True)
        )
        self._seconds = seconds
        self._traffic = 0
        self._last_check = time.monotonic()
        self._is_programs_turn = False
        self._is_busy = self._is_needed = False
        self._deadline = time.monotonic() + MAX_START_SECONDS
        self._selector = selectors.DefaultSelector()

    def run(self) -> PairResult:
        start = time.monotonic()
        try:
            self._register(self._tests)
            while self._is_running():
                self._step()
        finally:
            self._selector.close()
            self._tests.jail.close()
            if self._is_needed:
                self._program.jail.close()
        tests = self._tests.jail.result(self._tests.streams, self._tests.exceeded_limit)
        end = self._program
        program = end.jail.result(end.streams, end.exceeded_limit) if self._is_needed else None
        return PairResult(tests, program, self._is_busy, time.monotonic() - start)

    def _register(self, end: _End) -> None:
        os.set_blocking(end.jail.sink.fileno(), False)
        for name, source in end.jail.sources.items():
            self._selector.register(source, selectors.EVENT_READ, (end, name))
        self._want_writing(end)

    def _is_running(self) -> bool:
        """Whether the tests may still report."""
        return self._tests.exceeded_limit is None and any(
            key.data[0] is self._tests and key.data[1] != "in"
            for key in self._selector.get_map().values()
        )

    def _step(self) -> None:
        now = time.monotonic()
        if now >= self._deadline:
            self._expire(now)
            return
        for key, _ in self._selector.select(min(CHECK_PERIOD_SECONDS, self._deadline - now)):
            end, name = key.data
            if name == "in":
                self._write(end)
            else:
                self._read(end, name, key.fd)
        if now - self._last_check >= CHECK_PERIOD_SECONDS:
            self._last_check = now
            for end in (self._tests, self._program):
                if folder_exceeds(end.jail.box, MAX_DISK_BYTES, MAX_FILES):
                    self._stop(end, "disk")

    def _read(self, end: _End, name: str, source: int) -> None:
        data = os.read(source, 1 << 16)
        other = self._program if end is self._tests else self._tests
        if not data:
            self._selector.unregister(source)
            if name == "out" and end is self._program:
                self._end_program()
            return
        if name != "out":
            if name == "say" and not end.has_started and end is self._tests:
                self._deadline = time.monotonic() + self._seconds
            end.streams[name] += data[: MAX_STREAM_BYTES - len(end.streams[name])]
            return
        if not end.is_open:
            return
        if not self._is_needed:
            self._is_needed = True
            self._register(self._program)
        self._traffic += len(data)
        self._is_programs_turn = end is self._tests
        if self._traffic > MAX_TRAFFIC_BYTES or len(other.waiting) > MAX_WAITING_BYTES:
            self._stop(self._program, "output")
        elif other.is_open:
            other.waiting += data
            self._want_writing(other)

    def _write(self, end: _End) -> None:
        try:
            del end.waiting[: os.write(end.jail.sink.fileno(), end.waiting)]
        except BlockingIOError:
            return
        except OSError:  # it has ended, which its other pipes tell
            end.waiting.clear()
        if not end.waiting:
            self._selector.unregister(end.jail.sink)
            end.is_sending = False
            if not self._program.is_open and end is self._tests:
                end.jail.sink.close()

    def _want_writing(self, end: _End) -> None:
        if not end.is_sending:
            end.is_sending = True
            self._selector.register(end.jail.sink, selectors.EVENT_WRITE, (end, "in"))

    def _expire(self, now: float) -> None:
        """End the program, and let the tests report; or end the tests when it is their turn."""
        if self._is_programs_turn and self._program.is_open:
            used_seconds = cpu_seconds(self._program.jail.pid)
            self._is_busy = used_seconds >= MIN_BUSY_SHARE * self._seconds
            self._stop(self._program, "timeout")
            self._deadline = now + GRACE_SECONDS
        else:
            self._tests.exceeded_limit = "timeout"

    def _stop(self, end: _End, limit: ExceededLimit) -> None:
        end.exceeded_limit = end.exceeded_limit or limit
        if end is self._program:
            self._end_program()

    def _end_program(self) -> None:
        """Close the tests' input, so that they notice the end of the program."""
        if self._program.is_open:
            self._program.is_open = False
            self._program.jail.kill()
            if not self._tests.is_sending:
                self._tests.jail.sink.close()
