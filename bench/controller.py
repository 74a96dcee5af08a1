"""The cost of step control: the share of the time that is spent in the controllers' own code.

    python -m bench.controller MODEL.gguf [--sequences 16] [--tokens 96]

Every sequence writes a reply of its own under the model's protocol. The clock runs in `constrain`
and `accept`, which the engine calls for every token, on the thread that decodes.
"""

import argparse
import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from time import perf_counter

from reasoner.engine.constraints import Constraint, Controller
from reasoner.engine.local.engine import LocalEngine, LocalGeneration
from reasoner.engine.sampling import Sampling
from reasoner.policy.budget import Budget
from reasoner.policy.policy import Policy
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.settings import EngineSettings, Limits
from reasoner.types.problem import Problem

QUESTION_TEMPLATE = "Use {} 7 8 8 to make {}"


class ControllerClock:
    """The seconds that all controllers of an engine took, and the tokens they accepted."""

    seconds, tokens = 0.0, 0


class TimedController:
    """A controller whose calls are timed."""

    def __init__(self, controller: Controller, clock: ControllerClock) -> None:
        self._controller, self._clock = controller, clock

    def constrain(self) -> Constraint:
        start_time = perf_counter()
        constraint = self._controller.constrain()
        self._clock.seconds += perf_counter() - start_time
        return constraint

    def accept(self, token: int) -> None:
        start_time = perf_counter()
        self._controller.accept(token)
        self._clock.seconds += perf_counter() - start_time
        self._clock.tokens += 1


class TimedEngine(LocalEngine):
    """An engine that times its controllers."""

    clock = ControllerClock()

    def generate(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        controller: Controller | None = None,
        max_tokens: int | None = None,
        seed: int = 0,
        ignored_ends: Collection[int] = (),
    ) -> LocalGeneration:
        timed = TimedController(controller, self.clock) if controller else None
        return super().generate(tokens, sampling, timed, max_tokens, seed, ignored_ends)


async def measure_controllers(model: Path, sequences: int, max_tokens: int) -> None:
    """Generate replies side by side, and print the time of their controllers."""
    engine = await TimedEngine.open(model, EngineSettings(context=8192))
    protocol = choose_protocol(engine, engine.chat_template or "", None)
    limits = Limits(max_tokens=max_tokens)

    async def generate_reply(number: int) -> None:
        policy = Policy(
            engine,
            protocol,
            sampling=Sampling(),
            limits=limits,
            budget=Budget(),
            seed=number,
        )
        question = QUESTION_TEMPLATE.format(number, 24 + number)
        trajectory = policy.start_trajectory(Problem(question=question))
        while not trajectory.is_done:
            trajectory = await policy.extend(trajectory)

    start_time = perf_counter()
    await asyncio.gather(*map(generate_reply, range(1, sequences + 1)))
    seconds, clock = perf_counter() - start_time, engine.clock
    print(
        f"{protocol.name}, {sequences} sequences: {clock.tokens} tokens in {seconds:.1f} s, "
        f"controllers {1e6 * clock.seconds / clock.tokens:.1f} µs a token, "
        f"{clock.seconds / seconds:.2%} of the time"
    )
    await engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("--sequences", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=96)
    options = parser.parse_args()
    asyncio.run(measure_controllers(options.model, options.sequences, options.tokens))


if __name__ == "__main__":
    main()
