"""What a search costs beside the model: the share of our own code, and the KV cache it holds.

    python -m bench.search [--model smollm2-135m] [--repeat 3]

The first table tells, for each search, the processor time of the event loop's thread as a share
of wall-clock, and the part of it that is the search's own: without what receiving the same number
of tokens from the engine costs by itself. The second follows the KV cells of a beam search with
16 beams, round by round, beside what its live states need.
"""

import argparse
import asyncio
import time
from statistics import median

from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.models.fetch import ensure_model
from reasoner.plugin_host.host import PluginHost
from reasoner.policy.budget import Budget
from reasoner.policy.policy import Policy
from reasoner.protocol.registry import choose_protocol
from reasoner.search.context import SearchContext
from reasoner.search.operators.evaluate import score_nodes
from reasoner.search.operators.generate import sample_children
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.prune import discard_nodes, prune_nodes
from reasoner.search.strategies.registry import find_strategy
from reasoner.settings import EngineSettings, Limits
from reasoner.types.problem import Problem

ASK = Problem(
    question="A shop sells pens at 3 dollars each. Ann buys 4 pens on Monday and twice as many on "
    "Tuesday, and gives 5 of them away. How much did she pay, and how many pens has she left?"
)
SETTINGS: dict[str, dict[str, object]] = {
    "majority": {"n": 8, "adaptive": False},
    "beam": {"n": 8, "width": 4, "rounds": 6},
    "mcts": {"simulations": 6},
}


def tools_on(engine: LocalEngine, verifiers: PluginHost | None, seed: int) -> SearchContext:
    budget = Budget()
    policy = Policy(
        engine,
        choose_protocol(engine, engine.chat_template or "", None),
        sampling=Sampling(temperature=0.8),
        limits=Limits(budget=200, max_tokens=300),
        budget=budget,
        seed=seed,
    )
    return SearchContext(policy, budget, lambda _event: None, verifiers)


async def shares(engine: LocalEngine, name: str, seed: int) -> tuple[float, float, int]:
    """Wall-clock of a search, the share of it that the loop's thread computed, its tokens."""
    with PluginHost() as verifiers:
        context = tools_on(engine, verifiers, seed)
        strategy = find_strategy(name)
        context.policy.release_prompt(context.start_trajectory(ASK))
        begun, computed = time.perf_counter(), time.thread_time()
        await strategy.search(ASK, context, strategy.parse_options(SETTINGS[name]))
        seconds = time.perf_counter() - begun
        return seconds, (time.thread_time() - computed) / seconds, context.budget.generated_tokens


async def per_token(engine: LocalEngine, prompt: tuple[int, ...], count: int) -> float:
    """Processor time of the loop's thread for a token that is only received, seconds."""

    async def drain(seed: int) -> int:
        generation = engine.generate(prompt, Sampling(temperature=0.8), None, 64, seed)
        return len([token async for token in generation])

    computed = time.thread_time()
    written = sum(await asyncio.gather(*(drain(seed) for seed in range(count))))
    return (time.thread_time() - computed) / max(1, written)


async def cells(engine: LocalEngine, n: int = 16, width: int = 4, rounds: int = 5) -> None:
    """Follow the KV cells of a beam search."""
    context = tools_on(engine, None, 0)
    root = SearchNode(context.start_trajectory(ASK), next(context.trajectory_numbers))
    context.policy.release_prompt(root.trajectory)
    front = await sample_children(context, root, n)
    print("\n| round | states | cells before pruning | cells after | live states need |")
    print("|---|---|---|---|---|")
    for index in range(rounds):
        discard_nodes(context, [node for node in front if node.trajectory.is_done])
        front = [node for node in front if not node.trajectory.is_done]
        if not front:
            return
        await score_nodes(ASK, context, front)
        before = await engine.count_cells()
        kept = prune_nodes(context, front, n // width)
        after = await engine.count_cells()
        print(f"| {index + 1} | {len(front)} | {before} | {after} | {need(kept)} |", flush=True)
        grown = await asyncio.gather(*(sample_children(context, node, width) for node in kept))
        front = [node for children in grown for node in children]


def need(nodes: list[SearchNode]) -> int:
    """Distinct prefixes of the live paths, their last tokens being unread."""
    paths = {node.trajectory.prompt + node.trajectory.tokens for node in nodes}
    return len({path[: end + 1] for path in paths for end in range(len(path) - 1)})


async def measure(model: str, repeat: int, only_cells: bool) -> None:
    file = await asyncio.to_thread(ensure_model, model)
    engine = await LocalEngine.open(file.path, EngineSettings(context=8192))
    prompt = tools_on(engine, None, 0).start_trajectory(ASK).prompt
    await per_token(engine, prompt, 4)
    bare = await per_token(engine, prompt, 8)
    print("| strategy | tokens | seconds | loop's thread | search code |")
    print("|---|---|---|---|---|")
    for name in () if only_cells else SETTINGS:
        runs = [await shares(engine, name, seed) for seed in range(repeat)]
        seconds, share = (median(run[i] for run in runs) for i in (0, 1))
        own = median(run[1] - bare * run[2] / run[0] for run in runs)
        tokens = median(run[2] for run in runs)
        print(f"| {name} | {tokens:.0f} | {seconds:.1f} | {share:.1%} | {own:.1%} |", flush=True)
    await cells(engine)
    await engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only-cells", action="store_true", help="only the second table")
    options = parser.parse_args()
    asyncio.run(measure(options.model, options.repeat, options.only_cells))


if __name__ == "__main__":
    main()
