"""Running a policy over a tiny model, for the tests of its protocols."""

from pathlib import Path as File

from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.policy.budget import Budget
from reasoner.policy.policy import OnText, Policy
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.policy.tool_calling import ToolCallConfig
from reasoner.settings import EngineSettings, Limits
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory

__all__ = ["GREEDY", "QUESTION", "open_engine", "write"]

GREEDY = Sampling(temperature=0.0)
QUESTION = Problem(question="What is 2 + 3?")


async def open_engine(path: File, context: int = 2048) -> LocalEngine:
    return await LocalEngine.open(path, EngineSettings(context=context))


async def write(
    engine: LocalEngine,
    limits: Limits,
    seed: int = 0,
    *,
    protocol: str | None = None,
    problem: Problem = QUESTION,
    sampling: Sampling | None = None,
    calling: ToolCallConfig | None = None,
    budget: Budget | None = None,
    on_text: OnText = lambda _channel, _text: None,
) -> Trajectory:
    """One path, extended until it is done."""
    chosen = choose_protocol(engine, engine.chat_template or "", protocol)
    policy = Policy(
        engine,
        chosen,
        sampling=sampling or Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0),
        limits=limits,
        budget=budget or Budget(),
        seed=seed,
        tool_calls=calling,
    )
    trajectory = policy.start_trajectory(problem)
    while not trajectory.is_done:
        trajectory = await policy.extend(trajectory, on_text=on_text)
    return trajectory
