"""A search holds no more of the KV cache than its live states, and frees the others at once."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path

from reasoner.engine.constraints import Ban, Constraint, Halt
from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.search.operators.generate import sample_children
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.prune import prune_nodes
from reasoner.search.strategies.registry import find_strategy
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Step
from reasoner.types.trajectory import Trajectory as Line
from tests.workbench import Workbench, workbench

PROBLEM = Problem(question="How many pens does Tom have if he has three boxes of fourteen?")


def needed(nodes: Iterable[SearchNode]) -> int:
    """Cells for the paths' tokens, shared prefixes once; a path's last token is read later."""
    paths = {node.trajectory.prompt + node.trajectory.tokens for node in nodes}
    return len({path[: end + 1] for path in paths for end in range(len(path) - 1)})


async def grown(bench: Workbench, front: list[SearchNode], width: int) -> list[SearchNode]:
    found = []
    for node in front:
        found += await sample_children(bench.context, node, width, drop_refuted=False)
    return found


class Twelve:
    """Noise ends whenever it likes; a step shall end after twelve tokens."""

    def __init__(self, ends: tuple[int, ...]) -> None:
        self._ban, self._left = Ban(ends), 12

    def constrain(self) -> Constraint:
        return self._ban if self._left else Halt()

    def accept(self, token: int) -> None:
        self._left -= 1


def by_twelve(engine: LocalEngine) -> Callable[[Line, int], Awaitable[Line]]:
    """Steps of twelve tokens each."""

    async def grow(trajectory: Line, seed: int) -> Line:
        controller = Twelve(engine.end_tokens)
        sampling = Sampling(temperature=1.0)
        generation = engine.generate(
            trajectory.prompt + trajectory.tokens, sampling, controller, 99, seed
        )
        tokens = tuple([token.id async for token in generation])
        step = Step(text=str(tokens), tokens=len(tokens))
        return trajectory.model_copy(
            update={"tokens": trajectory.tokens + tokens, "steps": (*trajectory.steps, step)}
        )

    return grow


async def test_sixteen_beams_hold_their_prefix_and_their_suffixes(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf) as bench:
        bench.context = replace(bench.context, extend_override=by_twelve(bench.engine))
        root = SearchNode(
            bench.context.start_trajectory(PROBLEM), next(bench.context.trajectory_numbers)
        )
        front, shared = await grown(bench, [root], 16), len(root.trajectory.prompt)
        for _ in range(4):
            assert len(front) == 16
            for place, node in enumerate(front):
                node.score = place / len(front)
            before = await bench.engine.count_cells()
            kept = prune_nodes(bench.context, front, 4)
            after = await bench.engine.count_cells()
            suffixes = sum(len(node.trajectory.tokens) for node in kept)
            assert after <= needed(kept) + len(kept)  # a fork reads its prefix's last token again
            assert after <= shared + suffixes
            assert after < before
            front = await grown(bench, kept, 4)


async def test_a_search_leaves_its_prompt_and_no_more(smollm2: Path) -> None:
    """Also what a model ended by itself is freed, though its last token is not in the path."""
    async with workbench(smollm2, budget=20, max_tokens=30) as bench:
        strategy = find_strategy("mcts")
        options = {"simulations": 2, "parallel": 2}
        found = await strategy.search(PROBLEM, bench.context, strategy.parse_options(options))
        trajectory = found.candidates[0].trajectory
        bench.context.policy.release_prompt(trajectory)
        assert await bench.engine.count_cells() <= len(trajectory.prompt)


async def test_forgetting_leaves_alone_what_others_go_on_from(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf) as bench:
        bench.context = replace(bench.context, extend_override=by_twelve(bench.engine))
        root = SearchNode(
            bench.context.start_trajectory(PROBLEM), next(bench.context.trajectory_numbers)
        )
        one, other = await sample_children(bench.context, root, 2, drop_refuted=False)
        bench.context.release_trajectory(one.trajectory, root.trajectory)
        assert await bench.engine.count_cells() >= needed([other])
        read = bench.engine.decoded_tokens
        await sample_children(bench.context, other, drop_refuted=False)
        await sample_children(bench.context, root, drop_refuted=False)
        assert bench.engine.decoded_tokens - read <= 2 * 12
