"""The results of a test run: which checks held, which failed and why, which are undecided.

It runs inside the sandbox and uses the standard library only.
"""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from python_sandbox.test_run.channel import ChannelClosed
from python_sandbox.test_run.peer import Uncarried

__all__ = ["CheckPosition", "CheckResults", "Doubts", "close_enough", "rounds_to"]

MAX_FAILURES = 5
MAX_TEXT = 300
TOLERANCE = 1e-9
CheckPosition = tuple[str, int]


class Doubts(Protocol):
    """What makes results uncertain: `doubts` in any case, `lacking` only failures; each since the
    last check, or from the start."""

    doubts: list[str]
    lacking: list[str]
    lacks_from_start: str | None
    doubt_from_start: str | None


class CheckResults:
    """The result of each check, by its position; a check that is reached often must always hold.

    `sources` note what could not be passed on and what the sandbox lacks. What is noted between one
    check and the next makes the latter undecided.
    """

    def __init__(self, sources: Doubts) -> None:
        self._sources = sources
        self._held: dict[CheckPosition, bool] = {}
        self._failures: dict[CheckPosition, str] = {}
        self._open: dict[CheckPosition, str] = {}
        self.given = False
        self.broken: str | None = None
        self.lost: str | None = None
        self.entered: set[str] = set()

    def report(self) -> dict[str, Any]:
        """Return the counts and the first texts, as fields of `TestRun`."""
        if self._sources.doubts:  # caught by the tests themselves
            self._open.setdefault(("rest", 0), self._sources.doubts[0])
        passes = sum(held and site not in self._open for site, held in self._held.items())
        return {
            "passes": passes,
            "failed": len(self._failures),
            "undecided": len({*self._open} - {*self._failures}),
            "failures": list(self._failures.values())[:MAX_FAILURES],
            "open": [text for text in self._open.values() if text][:MAX_FAILURES],
            "given": self.given,
            "broken": self.broken,
            "lost": self.lost,
        }

    def note(self, site: CheckPosition, held: bool, text: str = "", doubt: str = "") -> None:
        """Record a check, with the text that describes its failure, and what makes it doubtful."""
        doubts, lacking = self._sources.doubts[:], self._sources.lacking[:]
        self._sources.doubts.clear()
        self._sources.lacking.clear()
        if self._sources.lacks_from_start:
            lacking.append(self._sources.lacks_from_start)
        if self._sources.doubt_from_start:
            doubts.append(self._sources.doubt_from_start)
        if doubts:
            self._open.setdefault(site, doubts[0][:MAX_TEXT])
        elif held:
            self._held[site] = self._held.get(site, True)
        elif lacking:
            self._open.setdefault(site, f"it needs what the sandbox lacks: {lacking[0]}")
        elif doubt or self.lost is not None:
            self._open.setdefault(site, doubt[:MAX_TEXT])
        else:
            self._held[site] = False
            self._failures.setdefault(site, " ".join(text.split())[:MAX_TEXT])

    def compare(self, site: CheckPosition, text: str, got: object, wants: tuple[Any, ...]) -> None:
        """Record whether a value equals one of those that an example states.

        A number that only rounds to the stated one decides nothing.
        """
        held = any(close_enough(got, want) for want in wants)
        rounded = not held and any(rounds_to(got, want) for want in wants)
        reason = f"{text} gives {_short(got)}, not {_short(wants[0])}"
        self.note(site, held, reason, f"{reason}, but rounds to it" if rounded else "")

    @contextlib.contextmanager
    def guard(self, site: CheckPosition, text: str) -> Iterator[None]:
        """Record an exception inside this context as the failure of the check."""
        try:
            yield
        except Uncarried as undecided:
            self.note(site, False, doubt=str(undecided))
        except ChannelClosed:
            self.lost = self.lost or text
            self._open.setdefault(site, "")
        except BaseException as error:
            self._raised(site, text, error)

    @contextlib.contextmanager
    def whole(self, site: CheckPosition, text: str) -> Iterator[None]:
        """Guard several checks; if there are none inside, reaching the end is the check."""
        before = len(self._held) + len(self._open)
        with self.guard(site, text):
            yield
            if len(self._held) + len(self._open) == before and site[0] not in ("module", "check"):
                self.note(site, True)

    def hooks(self) -> dict[str, Callable[..., None]]:
        """Return the functions that softened tests call, by name."""
        return {
            "__held__": lambda line, value, text: self.note(
                ("line", line), bool(value), f"{text} is {_short(value)}" if text else ""
            ),
            "__equal__": self._equal,
            "__broke__": self._broke,
            "__entered__": self.entered.add,
        }

    def _equal(self, line: int, got: Any, want: Any, text: str) -> None:
        """Record an assertion of equality; numbers that differ by rounding decide nothing."""
        held = bool(got == want)
        is_near = not held and _has_float(got) and close_enough(got, want)
        doubt = f"{text}: got {_short(got)}, equal up to rounding" if is_near else ""
        self.note(("line", line), held, f"{text}: got {_short(got)}", doubt)

    def _broke(self, line: int, text: str) -> None:
        error = sys.exc_info()[1]
        assert error is not None
        with self.guard(("line", line), text):
            raise error

    def _raised(self, site: CheckPosition, text: str, error: BaseException) -> None:
        is_tests_own = "__text__" not in vars(error)
        if isinstance(error, SystemExit) and error.code in (None, 0) and is_tests_own:
            return  # the tests end themselves
        if isinstance(error, ImportError) and not self._sources.lacking:
            self.broken = f"the tests need what the sandbox lacks: {error}"[:200]
        elif isinstance(error, OSError | ImportError | EOFError | MemoryError):
            self.note(site, False, doubt=f"it needs what the sandbox lacks: {error}")
        elif type(error).__name__ in ("SkipTest", "Skipped"):
            self._open.setdefault(site, f"{text} is skipped")
        else:
            self.note(site, False, f"{text}: {type(error).__name__}: {error}")


def close_enough(got: Any, want: Any) -> bool:
    """Return whether values are equal up to rounding of floats, also in lists and tuples."""
    if isinstance(got, float) and isinstance(want, int | float):
        return bool(got == want) or math.isclose(got, want, rel_tol=TOLERANCE, abs_tol=1e-12)
    if isinstance(got, list | tuple) and type(got) is type(want) and len(got) == len(want):
        return all(close_enough(mine, other) for mine, other in zip(got, want, strict=True))
    if isinstance(got, dict) and isinstance(want, dict) and got.keys() == want.keys():
        return all(close_enough(got[key], want[key]) for key in got)
    return bool(got == want)


def rounds_to(got: Any, want: Any) -> bool:
    """Return whether a number rounds to one that is stated with fewer digits, also in lists."""
    if isinstance(got, list | tuple) and isinstance(want, list | tuple) and len(got) == len(want):
        return all(
            close_enough(mine, other) or rounds_to(mine, other)
            for mine, other in zip(got, want, strict=True)
        )
    if not isinstance(got, float) or not isinstance(want, float) or not math.isfinite(got):
        return False
    digits = len(repr(want).partition(".")[2]) if "e" not in repr(want) else 0
    return abs(got - want) <= 0.5000001 * 10.0**-digits


def _has_float(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_has_float(part) for part in value)
    return isinstance(value, float)


def _short(value: object) -> str:
    try:
        text = repr(value)
    except BaseException:
        text = type(value).__name__
    return text if len(text) <= 80 else text[:79] + "…"
