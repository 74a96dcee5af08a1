"""A search holds no more of the KV cache than its live states, and frees the others at once."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path

from reasoner.engine.control import Ban, Constraint, Halt
from reasoner.engine.local import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.operators.generate import generate
from reasoner.operators.node import Node
from reasoner.operators.prune import prune
from reasoner.path import Path as Line
from reasoner.path import Step
from reasoner.problem import Problem
from reasoner.strategies.registry import find_strategy
from tests.workbench import Workbench, workbench

PROBLEM = Problem(question="How many pens does Tom have if he has three boxes of fourteen?")


def needed(nodes: Iterable[Node]) -> int:
    """Cells for the paths' tokens, shared prefixes once; a path's last token is read later."""
    paths = {node.path.prompt + node.path.tokens for node in nodes}
    return len({path[: end + 1] for path in paths for end in range(len(path) - 1)})


async def grown(bench: Workbench, front: list[Node], width: int) -> list[Node]:
    found = []
    for node in front:
        found += await generate(bench.tools, node, width, prune=False)
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

    async def grow(path: Line, seed: int) -> Line:
        controller = Twelve(engine.end_tokens)
        sampling = Sampling(temperature=1.0)
        generation = engine.generate(path.prompt + path.tokens, sampling, controller, 99, seed)
        tokens = tuple([token.id async for token in generation])
        step = Step(text=str(tokens), tokens=len(tokens))
        return path.model_copy(
            update={"tokens": path.tokens + tokens, "steps": (*path.steps, step)}
        )

    return grow


async def test_sixteen_beams_hold_their_prefix_and_their_suffixes(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf) as bench:
        bench.tools = replace(bench.tools, grow=by_twelve(bench.engine))
        root = Node(bench.tools.start(PROBLEM), next(bench.tools.numbers))
        front, shared = await grown(bench, [root], 16), len(root.path.prompt)
        for _ in range(4):
            assert len(front) == 16
            for place, node in enumerate(front):
                node.score = place / len(front)
            before = await bench.engine.held()
            kept = prune(bench.tools, front, 4)
            after = await bench.engine.held()
            suffixes = sum(len(node.path.tokens) for node in kept)
            assert after <= needed(kept) + len(kept)  # a fork reads its prefix's last token again
            assert after <= shared + suffixes
            assert after < before
            front = await grown(bench, kept, 4)


async def test_a_search_leaves_its_prompt_and_no_more(smollm2: Path) -> None:
    """Also what a model ended by itself is freed, though its last token is not in the path."""
    async with workbench(smollm2, budget=20, max_tokens=30) as bench:
        strategy = find_strategy("mcts")
        options = {"simulations": 2, "parallel": 2}
        found = await strategy.run(PROBLEM, bench.tools, strategy.parse(options))
        path = found.attempts[0].path
        bench.tools.policy.forget_all(path)
        assert await bench.engine.held() <= len(path.prompt)


async def test_forgetting_leaves_alone_what_others_go_on_from(tiny_gguf: Path) -> None:
    async with workbench(tiny_gguf) as bench:
        bench.tools = replace(bench.tools, grow=by_twelve(bench.engine))
        root = Node(bench.tools.start(PROBLEM), next(bench.tools.numbers))
        one, other = await generate(bench.tools, root, 2, prune=False)
        bench.tools.drop(one.path, root.path)
        assert await bench.engine.held() >= needed([other])
        read = bench.engine.decoded
        await generate(bench.tools, other, prune=False)
        await generate(bench.tools, root, prune=False)
        assert bench.engine.decoded - read <= 2 * 12
