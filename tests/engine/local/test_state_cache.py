"""Recurrent, hybrid and sliding-window models fork where they can, and nowhere else."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from reasoner.engine.constraints import FREE, Constraint, Halt
from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.engine.token import Token
from reasoner.errors import EngineError
from reasoner.settings import EngineSettings
from tests.engine.local.fork_oracle import MAX_DIFFERENCE, ForkOracle, open_oracle
from tests.recurrent_gguf import ARCHITECTURES, RECURRENT, WINDOW, write_recurrent_gguf

VARIED = Sampling(temperature=0.8)
RANDOM = random.Random(5)
PROMPT = [RANDOM.randrange(250) for _ in range(120)]
TAIL = [RANDOM.randrange(250) for _ in range(30)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recurrent")
    return {arch: write_recurrent_gguf(folder / f"{arch}.gguf", arch) for arch in ARCHITECTURES}


@asynccontextmanager
async def opened(
    path: Path, sequences: int = 64, context: int = 2048
) -> AsyncIterator[LocalEngine]:
    engine = await LocalEngine.open(path, EngineSettings(sequences=sequences, context=context))
    try:
        yield engine
    finally:
        await engine.close()


class RoundEnd:
    """Ends a round after some tokens, as the end of a step does."""

    def __init__(self, tokens: int) -> None:
        self._remaining = tokens

    def constrain(self) -> Constraint:
        return FREE if self._remaining else Halt()

    def accept(self, _token: int) -> None:
        self._remaining -= 1


async def write(
    engine: LocalEngine, prompt: list[int], tokens: int = 12, seed: int = 0
) -> tuple[list[Token], int]:
    """What was generated, and how many tokens of the prompt were decoded for it."""
    generation = engine.generate(prompt, VARIED, max_tokens=tokens, seed=seed)
    written = [token async for token in generation]
    return written, generation.decoded_tokens


async def write_many(
    engine: LocalEngine, oracle: ForkOracle, prompts: list[list[int]], tokens: int = 12
) -> int:
    """Generate from all prompts at once, check each token, and return the decoded prompt tokens."""
    replies = await asyncio.gather(
        *(write(engine, prompt, tokens, seed) for seed, prompt in enumerate(prompts))
    )
    for prompt, (written, _) in zip(prompts, replies, strict=True):
        assert await oracle.check(prompt, written) > 0
    return sum(count for _, count in replies)


def ids(tokens: list[Token]) -> list[int]:
    return [token.id for token in tokens]


@pytest.mark.parametrize("arch", ARCHITECTURES)
async def test_eight_lines_decode_their_prompt_once(models: dict[str, Path], arch: str) -> None:
    async with opened(models[arch]) as engine, open_oracle(models[arch]) as oracle:
        assert engine.capabilities.fork
        assert await write_many(engine, oracle, [PROMPT] * 8) == len(PROMPT) + 7
        later = [await write_many(engine, oracle, [PROMPT]) for _ in range(3)]
        assert later == [1, 1, 1]


@pytest.mark.parametrize("arch", ARCHITECTURES)
async def test_prompts_share_what_they_begin_with(models: dict[str, Path], arch: str) -> None:
    prompts = [PROMPT + [number] * 20 for number in range(4)]
    async with opened(models[arch]) as engine, open_oracle(models[arch]) as oracle:
        decoded = await write_many(engine, oracle, prompts)
        assert decoded == len(PROMPT) + 4 * 20
        assert await write_many(engine, oracle, [PROMPT + [9] * 20]) == 20


@pytest.mark.parametrize("arch", RECURRENT)
async def test_lines_fork_at_the_end_of_a_round(models: dict[str, Path], arch: str) -> None:
    async with opened(models[arch]) as engine, open_oracle(models[arch]) as oracle:
        first, _ = await write(engine, PROMPT)
        grown = PROMPT + ids(first)
        assert await write_many(engine, oracle, [grown] * 3) == 3
        assert await write_many(engine, oracle, [grown + TAIL] * 3) <= len(TAIL) + len(first) + 3


@pytest.mark.parametrize("arch", RECURRENT)
async def test_a_state_serves_both_the_score_and_the_next_round(
    models: dict[str, Path], arch: str
) -> None:
    """A request that reads a logit of the last token must not take the state away."""
    async with opened(models[arch]) as engine, open_oracle(models[arch]) as oracle:
        first = [token async for token in engine.generate(PROMPT, VARIED, RoundEnd(12))]
        grown = PROMPT + ids(first)
        counts: list[int] = []
        await asyncio.gather(
            engine.token_logprobs(grown, [len(grown) - 1], [[7]], counts.append),
            engine.token_logprobs(grown + TAIL, [len(grown)], [[7]], counts.append),
        )
        assert sum(counts) <= len(TAIL) + 2
        assert await write_many(engine, oracle, [grown]) == 1


@pytest.mark.parametrize("arch", RECURRENT)
async def test_states_are_set_aside_for_those_at_work(models: dict[str, Path], arch: str) -> None:
    async with opened(models[arch]) as engine, open_oracle(models[arch]) as oracle:
        for _ in range(3):
            await write_many(engine, oracle, [PROMPT])
        context = engine._context
        assert context.n_sequences == 2
        await write_many(engine, oracle, [PROMPT] * 4)
        assert context.n_sequences == 5
        await write_many(engine, oracle, [PROMPT + TAIL] * 4)
        assert context.n_sequences <= 7


@pytest.mark.parametrize("sequences", [2, 3])
@pytest.mark.parametrize("arch", RECURRENT)
async def test_more_lines_than_sequences(
    models: dict[str, Path], arch: str, sequences: int
) -> None:
    async with opened(models[arch], sequences) as engine, open_oracle(models[arch]) as oracle:
        assert await write_many(engine, oracle, [PROMPT] * 6) == len(PROMPT) + 5
        assert engine._context.n_sequences == sequences


async def test_one_sequence_does_not_fork(models: dict[str, Path]) -> None:
    async with opened(models["lfm2"], 1) as engine, open_oracle(models["lfm2"]) as oracle:
        assert not engine.capabilities.fork
        assert await write_many(engine, oracle, [PROMPT] * 2) == 2 * len(PROMPT)


async def test_lines_go_on_where_memory_is_short(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_context = LlamaContext._open

    def open_small(self: LlamaContext, n_sequences: int) -> None:
        if n_sequences > 2:
            raise EngineError("cannot allocate")
        open_context(self, n_sequences)

    async with opened(models["qwen3next"]) as engine, open_oracle(models["qwen3next"]) as oracle:
        monkeypatch.setattr(LlamaContext, "_open", open_small)
        assert await write_many(engine, oracle, [PROMPT] * 5) == len(PROMPT) + 4
        assert engine._context.n_sequences == 2


async def test_cells_may_run_short_when_states_move(models: dict[str, Path]) -> None:
    """Sequences share no cells in a larger context, which can be too small for all of them."""
    prompts = [[*PROMPT, number] for number in range(6)]
    for delay in (0.0, 0.02, 0.03, 0.04, 0.05):  # how far the first one is decides what must move
        async with (
            opened(models["lfm2"], context=256) as engine,
            open_oracle(models["lfm2"]) as oracle,
        ):
            first = asyncio.create_task(write(engine, PROMPT, 90))
            await asyncio.sleep(delay)
            await write_many(engine, oracle, prompts)
            assert await oracle.check(PROMPT, (await first)[0]) > 0


@pytest.mark.parametrize("arch", RECURRENT)
async def test_an_aborted_decode_leaves_no_wrong_state(models: dict[str, Path], arch: str) -> None:
    long = PROMPT * 12
    async with opened(models[arch]) as engine, open_oracle(models[arch]) as oracle:
        for delay in (0.001, 0.005, 0.02):
            await write_many(engine, oracle, [PROMPT] * 2)
            generation = engine.generate(long, VARIED, max_tokens=50)
            await asyncio.sleep(delay)
            generation.cancel()
            assert [token async for token in generation] == []
            await write_many(engine, oracle, [PROMPT, PROMPT + TAIL])


@pytest.mark.parametrize(("sequences", "cells"), [(64, 2048), (4, 512)])
@pytest.mark.parametrize("arch", ARCHITECTURES)
async def test_any_mixture_of_requests_reads_right_states(
    models: dict[str, Path], arch: str, sequences: int, cells: int
) -> None:
    """Prompts that begin alike, cut short or grown by replies, released, cancelled and scored."""
    draw = random.Random(f"{arch}{sequences}")
    texts = [[draw.randrange(250) for _ in range(draw.randrange(WINDOW, 90))] for _ in range(3)]

    def next_prompt() -> list[int]:
        text = draw.choice(texts)
        new = [draw.randrange(250) for _ in range(draw.choice([0, 0, 1, 2, 20, 40]))]
        return (text[: draw.randrange(len(text) - 12, len(text) + 1)] + new)[: cells // 3]

    async def request(number: int) -> None:
        await asyncio.sleep(draw.random() / 20)
        prompt, kind = next_prompt(), draw.random()
        if kind < 0.7:
            generation = engine.generate(prompt, VARIED, max_tokens=draw.randrange(3, 30))
            written: list[Token] = []
            async for token in generation:
                written.append(token)
                if kind < 0.1:
                    generation.cancel()
            await oracle.check(prompt, written)
            texts.append(prompt + ids(written))
            if kind < 0.3:
                engine.release_prefix(texts[-1], len(prompt) - 1, number % 2 == 0)
        elif kind < 0.85:
            (ours,) = await engine.token_logprobs(prompt, [len(prompt) - 1], [[4, 5]])
            (theirs,) = await oracle.engine.token_logprobs(prompt, [len(prompt) - 1], [[4, 5]])
            assert ours == pytest.approx(theirs, abs=MAX_DIFFERENCE)
        else:
            ours_states = await engine.hidden_states(prompt, [len(prompt) - 1])
            their_states = await oracle.engine.hidden_states(prompt, [len(prompt) - 1])
            assert abs(ours_states - their_states).max() < MAX_DIFFERENCE

    path = models[arch]
    async with opened(path, sequences, cells) as engine, open_oracle(path) as oracle:
        for _ in range(2):
            await asyncio.gather(*map(request, range(9)))


PEAK = """
import asyncio, resource, sys
from pathlib import Path
from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import GREEDY
from reasoner.settings import EngineSettings

async def main():
    engine = await LocalEngine.open(Path(sys.argv[1]), EngineSettings(sequences=int(sys.argv[2])))
    assert len([token async for token in engine.generate(list(range(40)), GREEDY, max_tokens=4)])
    await engine.close()

asyncio.run(main())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_one_question_takes_the_memory_of_one_sequence(tmp_path: Path) -> None:
    """A state of 16 MB; 64 of them would be a gigabyte."""
    model = write_recurrent_gguf(tmp_path / "large.gguf", "mamba", state_size=8192, spread=0.02)

    def peak(sequences: int) -> int:
        command = [sys.executable, "-c", PEAK, str(model), str(sequences)]
        return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    assert peak(64) < 1.2 * peak(1)
