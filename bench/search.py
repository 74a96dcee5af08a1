"""The cost of a search besides the model: the share of its own code, and its KV cells.

    python -m bench.search [--model smollm2-135m] [--repeat 3]

The first table has, for each search, the processor time of the event loop's thread as a share
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
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.search.context import SearchContext
from reasoner.search.operators.evaluate import score_nodes
from reasoner.search.operators.generate import sample_children
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.prune import discard_nodes, prune_nodes
from reasoner.search.strategies.registry import find_strategy
from reasoner.settings import EngineSettings, Limits
from reasoner.types.problem import Problem

PROBLEM = Problem(
    question="A shop sells pens at 3 dollars each. Ann buys 4 pens on Monday and twice as many on "
    "Tuesday, and gives 5 of them away. How much did she pay, and how many pens has she left?"
)
SEARCH_PARAMETERS: dict[str, dict[str, object]] = {
    "majority": {"n": 8, "adaptive": False},
    "beam": {"n": 8, "width": 4, "rounds": 6},
    "mcts": {"simulations": 6},
}


def create_context(engine: LocalEngine, verifiers: PluginHost | None, seed: int) -> SearchContext:
    """Return a context with a policy on the engine."""
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


async def measure_search(engine: LocalEngine, name: str, seed: int) -> tuple[float, float, int]:
    """Return the seconds of a search, the share of them in which the event loop's thread computed,
    and the generated tokens."""
    with PluginHost() as verifiers:
        context = create_context(engine, verifiers, seed)
        strategy = find_strategy(name)
        context.policy.release_prompt(context.start_trajectory(PROBLEM))
        start_time, start_cpu = time.perf_counter(), time.thread_time()
        await strategy.search(PROBLEM, context, strategy.parse_options(SEARCH_PARAMETERS[name]))
        seconds = time.perf_counter() - start_time
        share = (time.thread_time() - start_cpu) / seconds
        return seconds, share, context.budget.generated_tokens


async def seconds_per_token(engine: LocalEngine, prompt: tuple[int, ...], count: int) -> float:
    """Return the seconds in which the event loop's thread computes for a token that is only
    received."""

    async def count_tokens(seed: int) -> int:
        generation = engine.generate(prompt, Sampling(temperature=0.8), None, 64, seed)
        return len([token async for token in generation])

    start_cpu = time.thread_time()
    tokens = sum(await asyncio.gather(*(count_tokens(seed) for seed in range(count))))
    return (time.thread_time() - start_cpu) / max(1, tokens)


async def print_cells(engine: LocalEngine, n: int = 16, width: int = 4, rounds: int = 5) -> None:
    """Print the KV cells of a beam search after each round."""
    context = create_context(engine, None, 0)
    root = SearchNode(context.start_trajectory(PROBLEM), next(context.trajectory_numbers))
    context.policy.release_prompt(root.trajectory)
    front = await sample_children(context, root, n)
    print("\n| round | states | cells before pruning | cells after | live states need |")
    print("|---|---|---|---|---|")
    for index in range(rounds):
        discard_nodes(context, [node for node in front if node.trajectory.is_done])
        front = [node for node in front if not node.trajectory.is_done]
        if not front:
            return
        await score_nodes(PROBLEM, context, front)
        cells_before = await engine.count_cells()
        beams = prune_nodes(context, front, n // width)
        cells_after = await engine.count_cells()
        needed_cells = count_needed_cells(beams)
        cells = f"{cells_before} | {cells_after} | {needed_cells}"
        print(f"| {index + 1} | {len(front)} | {cells} |", flush=True)
        groups = await asyncio.gather(*(sample_children(context, node, width) for node in beams))
        front = [node for children in groups for node in children]


def count_needed_cells(nodes: list[SearchNode]) -> int:
    """Return the number of distinct prefixes of the nodes' trajectories, without the last tokens,
    which have no cells yet."""
    sequences = {node.trajectory.prompt + node.trajectory.tokens for node in nodes}
    return len({sequence[: end + 1] for sequence in sequences for end in range(len(sequence) - 1)})


async def measure_searches(model: str, repeat: int, only_cells: bool) -> None:
    """Print both tables."""
    file = await asyncio.to_thread(ensure_model, model)
    engine = await LocalEngine.open(file.path, EngineSettings(context=8192))
    prompt = create_context(engine, None, 0).start_trajectory(PROBLEM).prompt
    await seconds_per_token(engine, prompt, 4)
    receiving_seconds = await seconds_per_token(engine, prompt, 8)
    print("| strategy | tokens | seconds | loop's thread | search code |")
    print("|---|---|---|---|---|")
    for name in () if only_cells else SEARCH_PARAMETERS:
        runs = [await measure_search(engine, name, seed) for seed in range(repeat)]
        seconds, share = (median(run[i] for run in runs) for i in (0, 1))
        own_share = median(run[1] - receiving_seconds * run[2] / run[0] for run in runs)
        tokens = median(run[2] for run in runs)
        print(
            f"| {name} | {tokens:.0f} | {seconds:.1f} | {share:.1%} | {own_share:.1%} |", flush=True
        )
    await print_cells(engine)
    await engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only-cells", action="store_true", help="only the second table")
    options = parser.parse_args()
    asyncio.run(measure_searches(options.model, options.repeat, options.only_cells))


if __name__ == "__main__":
    main()
