"""Plugins that go wrong in every way the host must survive."""

import time
from types import SimpleNamespace

from reasoner.plugin_host.hookspecs import hookimpl
from reasoner.types.environment_state import EnvironmentState
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Verdict


class Raises:
    @hookimpl
    def verify(self) -> Verdict | None:
        raise ZeroDivisionError("by design")


class Stops:
    @hookimpl
    def verify(self) -> Verdict | None:
        raise StopIteration


class Lies:
    @hookimpl
    def verify(self) -> str:
        return "pass"


class Hangs:
    @hookimpl
    def verify(self) -> Verdict | None:
        time.sleep(20)
        return None


class WrongArguments:
    @hookimpl
    def verify(self, nonsense: int) -> Verdict | None:
        return None


class Silent:
    @hookimpl
    def verify(self) -> Verdict | None:
        return None


class Good:
    @hookimpl
    def verify(self) -> Verdict | None:
        return Verdict(verifier="good", outcome=Outcome.PASS, reason="fine")

    @hookimpl
    def health(self) -> dict[str, object]:
        return {"ok": True, "detail": "well"}


class Lingers:
    @hookimpl
    def health(self) -> dict[str, object]:
        time.sleep(20)
        return {}

    @hookimpl
    def close(self) -> None:
        time.sleep(20)


class Exits:
    @hookimpl
    def health(self) -> dict[str, object]:
        raise SystemExit(3)

    @hookimpl
    def close(self) -> None:
        raise SystemExit(3)


class BreaksFrame:
    @hookimpl
    def describe_environment(self) -> EnvironmentState | None:
        raise ZeroDivisionError("by design")


class EmptyFrame:
    @hookimpl
    def describe_environment(self) -> str:
        return "in small steps"


class Frames:
    @hookimpl
    def describe_environment(
        self, problem: Problem, steps: tuple[str, ...]
    ) -> EnvironmentState | None:
        return EnvironmentState(prompt_problem=problem, state=" ".join(steps))


plugins = SimpleNamespace(
    breaks_frame=BreaksFrame(),
    empty_frame=EmptyFrame(),
    frames=Frames(),
    raises=Raises(),
    stops=Stops(),
    lies=Lies(),
    hangs=Hangs(),
    wrong=WrongArguments(),
    silent=Silent(),
    good=Good(),
    lingers=Lingers(),
    exits=Exits(),
)
