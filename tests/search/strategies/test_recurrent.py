"""Every strategy on recurrent and hybrid models: forked states are right, and prompts read once."""

from pathlib import Path
from typing import Any

import pytest

from reasoner.engine.local.engine import LocalEngine, LocalGeneration
from reasoner.engine.token import Token
from reasoner.search.strategies.registry import STRATEGIES
from reasoner.settings import Settings
from reasoner.solver.local import LocalSolver
from reasoner.types.problem import Problem
from reasoner.types.result import Result
from tests.engine.local.fork_oracle import open_oracle
from tests.recurrent_gguf import RECURRENT, write_recurrent_gguf

ASK = Problem(question="A shelf has 7 rows of 6 books. How many books are that, in all its rows?")
OPTIONS: dict[str, dict[str, Any]] = {
    "linear": {},
    "cross-check": {"programs": 2, "reasonings": 2},
    "majority": {"n": 8, "adaptive": False},
    "best-of-n": {"n": 4},
    "weighted-best-of-n": {"n": 4},
    "beam": {"n": 4, "width": 2, "rounds": 3},
    "dvts": {"n": 4, "width": 2, "rounds": 3},
    "lookahead": {"n": 4, "width": 2, "rounds": 2},
    "mcts": {"simulations": 5, "parallel": 2},
    "tot-bfs": {"width": 2, "depth": 2, "breadth": 2},
    "tot-dfs": {"width": 2, "depth": 2, "states": 5},
    "revise": {"n": 2},
    "nested": {"n": 2},
}


class Recorder:
    """Records every generation of the local engines: its prompt, its tokens, itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.generations: list[tuple[list[int], list[Token], LocalGeneration]] = []
        generate, advance = LocalEngine.generate, LocalGeneration.__anext__

        def record(engine: LocalEngine, tokens: Any, *args: Any, **options: Any) -> LocalGeneration:
            generation = generate(engine, tokens, *args, **options)
            self.generations.append((list(tokens), [], generation))
            return generation

        async def record_next(generation: LocalGeneration) -> Token:
            token = await advance(generation)
            next(entry for entry in self.generations if entry[2] is generation)[1].append(token)
            return token

        monkeypatch.setattr(LocalEngine, "generate", record)
        monkeypatch.setattr(LocalGeneration, "__anext__", record_next)

    @property
    def decoded_prompt_tokens(self) -> int:
        return sum(generation.decoded_tokens for _, _, generation in self.generations)


async def solve_recorded(
    model: Path, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[Result, Recorder]:
    """Solve with forks, and check every token against an engine without them."""
    settings = Settings.load(
        model=str(model),
        strategy=strategy,
        strategy_options=OPTIONS[strategy],
        budget=40,
        max_tokens=60,
        temperature=0.7,
    )
    with monkeypatch.context() as patch:
        recorder = Recorder(patch)
        async with LocalSolver(settings) as solver:
            result = await solver.solve(ASK)
    async with open_oracle(model) as oracle:
        counts = [await oracle.check(prompt, tokens) for prompt, tokens, _ in recorder.generations]
    assert sum(counts) > 0
    return result, recorder


def test_every_strategy_is_tried() -> None:
    assert OPTIONS.keys() == STRATEGIES.keys()


@pytest.mark.parametrize("arch", ["lfm2"])
async def test_eight_votes_decode_their_prompt_once(
    tmp_path: Path, arch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_recurrent_gguf(tmp_path / "model.gguf", arch)
    result, recorder = await solve_recorded(model, "majority", monkeypatch)
    assert len(result.candidates) == 8
    length = min(len(prompt) for prompt, _, _ in recorder.generations)
    first_rounds = [made for prompt, _, made in recorder.generations if len(prompt) == length]
    assert len(first_rounds) == 8
    assert sum(made.decoded_tokens for made in first_rounds) <= 1.1 * length


@pytest.mark.slow
@pytest.mark.parametrize("strategy", OPTIONS)
@pytest.mark.parametrize("arch", RECURRENT)
async def test_strategies_fork_right_states(
    tmp_path: Path, arch: str, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_recurrent_gguf(tmp_path / "model.gguf", arch)
    result, recorder = await solve_recorded(model, strategy, monkeypatch)
    assert result.candidates
    total = sum(len(prompt) for prompt, _, _ in recorder.generations)
    first = len(recorder.generations[0][0])
    assert recorder.decoded_prompt_tokens <= max(first + 20, 0.8 * total)
