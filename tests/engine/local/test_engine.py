"""The engine on real models: what it draws, what it reuses, what it survives."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from reasoner.engine.constraints import Allow, Ban, Constraint, Force, Halt
from reasoner.engine.local.batch_planner import ATTENTION_TILE_TOKENS
from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.engine import LocalEngine, LocalGeneration
from reasoner.engine.sampling import GREEDY, Sampling
from reasoner.engine.token import Finish, Token
from reasoner.errors import (
    BadModelFile,
    ContextFull,
    EngineError,
    PromptTooLong,
    UsageError,
)
from reasoner.settings import EngineSettings
from tests.tiny_gguf import write_tiny_gguf

PROMPT = "<|im_start|>user\nWhat is 17 * 3?<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture
async def engine(smollm2: Path) -> AsyncIterator[LocalEngine]:
    engine = await LocalEngine.open(smollm2, EngineSettings(context=4096))
    yield engine
    await engine.close()


@pytest.fixture
async def small(tiny_gguf: Path) -> AsyncIterator[LocalEngine]:
    """256 cells and 8 sequences: everything runs short soon."""
    engine = await LocalEngine.open(tiny_gguf, EngineSettings(context=256, sequences=8))
    yield engine
    await engine.close()


async def drain(generation: LocalGeneration) -> list[Token]:
    return [token async for token in generation]


def ids(tokens: Sequence[Token]) -> list[int]:
    return [token.id for token in tokens]


async def test_greedy_agrees_with_the_high_level_class(engine: LocalEngine, smollm2: Path) -> None:
    from llama_cpp import Llama

    prompt = engine.tokenize(PROMPT)
    ours = await drain(engine.generate(prompt, GREEDY, max_tokens=16))
    theirs = Llama(str(smollm2), n_ctx=512, verbose=False)
    stream = theirs.generate(prompt, temp=0.0)
    assert ids(ours) == [next(stream) for _ in range(len(ours))]
    theirs.close()


async def test_log_probabilities_are_those_that_scoring_gives(engine: LocalEngine) -> None:
    prompt = engine.tokenize(PROMPT)
    tokens = await drain(engine.generate(prompt, Sampling(), max_tokens=6, seed=3))
    whole = prompt + ids(tokens)
    positions = range(len(prompt) - 1, len(whole) - 1)
    scores = await engine.token_logprobs(whole, positions, [[t.id] for t in tokens])
    for token, (score,) in zip(tokens, scores, strict=True):
        assert token.logprob == pytest.approx(score, abs=1e-2)
        assert token.logprob < 0


@pytest.mark.slow
async def test_a_seed_fixes_the_draw(engine: LocalEngine) -> None:
    prompt = engine.tokenize(PROMPT)
    _, one, again, other = [  # the first reads the prompt, the others find it in the cache
        ids(await drain(engine.generate(prompt, Sampling(), max_tokens=24, seed=seed)))
        for seed in (0, 1, 1, 2)
    ]
    assert one == again != other


async def test_sequences_with_different_prompts_do_not_mix(engine: LocalEngine) -> None:
    """Each sequence in a batch draws from its own distribution, as scoring it alone shows."""
    prompts = [engine.tokenize(PROMPT.replace("17", str(n))) for n in range(6)]
    together = await asyncio.gather(
        *(drain(engine.generate(p, Sampling(), max_tokens=6, seed=7)) for p in prompts)
    )
    for prompt, tokens in zip(prompts, together, strict=True):
        whole = prompt + ids(tokens)
        positions = range(len(prompt) - 1, len(whole) - 1)
        alone = await engine.token_logprobs(whole, positions, [[t.id] for t in tokens])
        assert [t.logprob for t in tokens] == pytest.approx([s for (s,) in alone], abs=0.3)


async def test_sixteen_forks_read_their_prompt_once(tiny_gguf: Path) -> None:
    engine = await LocalEngine.open(tiny_gguf)
    prompt = [n % 200 + 1 for n in range(2000)]
    runs = [engine.generate(prompt, Sampling(), max_tokens=2, seed=n) for n in range(16)]
    await asyncio.gather(*(drain(run) for run in runs))
    await engine.close()
    assert sum(run.decoded_tokens for run in runs) <= 1.01 * len(prompt)


async def test_a_second_turn_reads_only_what_is_new(engine: LocalEngine) -> None:
    prompt = engine.tokenize(PROMPT)
    reply = ids(await drain(engine.generate(prompt, GREEDY, max_tokens=12)))
    addition = engine.tokenize("<|im_end|>\n<|im_start|>user\nAnd 18 * 3?<|im_end|>\n")
    turn = engine.generate(prompt + reply + addition, GREEDY, max_tokens=2)
    await drain(turn)
    assert turn.decoded_tokens <= len(addition) + 1


async def test_a_read_that_grows_reads_only_what_is_new(engine: LocalEngine) -> None:
    tokens = engine.tokenize("one two three four five six seven eight nine ten eleven twelve")
    decoded: list[int] = []
    for size in (4, 7, 10, 12):
        await engine.token_logprobs(tokens[:size], [size - 1], [[0]], decoded.append)
    assert decoded == [4, 3, 3, 2]


async def test_only_the_last_reply_is_kept(small: LocalEngine) -> None:
    prompts = [[n + 1, *range(100, 110)] for n in range(3)]
    replies = [ids(await drain(small.generate(p, GREEDY, max_tokens=20))) for p in prompts]
    last = small.generate(prompts[2] + replies[2], GREEDY, max_tokens=1)
    await drain(last)
    first = small.generate(prompts[0] + replies[0], GREEDY, max_tokens=1)
    await drain(first)
    assert last.decoded_tokens == 1
    assert first.decoded_tokens == len(replies[0])


async def test_more_work_than_cells_still_ends(small: LocalEngine) -> None:
    """Eight sequences of 150 tokens in 256 cells: some are put back and read again."""
    prompts = [[n + 1, *range(50, 100)] for n in range(8)]
    runs = [
        small.generate(p, Sampling(), Steps(Ban(small.end_tokens)), max_tokens=100, seed=n)
        for n, p in enumerate(prompts)
    ]
    written = await asyncio.gather(*(drain(run) for run in runs))
    assert [len(tokens) for tokens in written] == [100] * 8
    assert {run.finish for run in runs} == {Finish.LENGTH}


async def test_forks_that_outgrow_the_cells_still_end(small: LocalEngine) -> None:
    """The shared prefix counts once, and nobody is let in only to be thrown out again."""
    prompt, endless = list(range(1, 40)), Ban(small.end_tokens)
    runs = [small.generate(prompt, Sampling(), Steps(endless), 90, seed) for seed in range(8)]
    written = await asyncio.wait_for(asyncio.gather(*(drain(run) for run in runs)), 60)
    assert [len(tokens) for tokens in written] == [90] * 8
    assert small.decoded_tokens < 4 * 8 * 130


async def test_forks_among_longer_ones_do_not_take_each_others_last_cell(
    small: LocalEngine,
) -> None:
    """To put back a fork whose tokens others hold frees next to nothing; it must not come back
    at once, for ever."""
    endless = Ban(small.end_tokens)
    prompts = [[n + 1, *range(50, 119)] for n in range(3)] + [list(range(20, 40))] * 5
    runs = [
        small.generate(prompt, Sampling(), Steps(endless), 40, seed)
        for seed, prompt in enumerate(prompts)
    ]
    written = await asyncio.wait_for(asyncio.gather(*(drain(run) for run in runs)), 60)
    assert [len(tokens) for tokens in written] == [40] * 8


async def test_paths_between_rounds_keep_their_cells(small: LocalEngine) -> None:
    """Eight paths of 130 tokens in rounds of 20, in 256 cells: who has begun goes on first."""

    twenty: list[Constraint] = [*[Ban(small.end_tokens)] * 20, Halt()]

    async def path(number: int) -> int:
        tokens = [number + 1, *range(50, 59)]
        for _ in range(6):
            run = small.generate(tokens, Sampling(), Steps(*twenty), seed=number)
            tokens += ids(await drain(run))
        return len(tokens)

    lengths = await asyncio.wait_for(asyncio.gather(*map(path, range(8))), 60)
    assert lengths == [130] * 8
    assert small.decoded_tokens < 3 * sum(lengths)  # 3.8 times when nobody went on first


async def test_the_cache_holds_more_than_one_sequence_may(tmp_path: Path) -> None:
    """Twelve paths of 190 tokens on a model that was trained on 200: each token is read once."""
    path = write_tiny_gguf(tmp_path / "short.gguf", n_ctx_train=200)
    engine = await LocalEngine.open(path)
    some: list[Constraint] = [*[Ban(engine.end_tokens)] * 40, Halt()]

    async def write(number: int) -> int:
        tokens = [number + 1, *range(50, 79)]
        for _ in range(4):
            run = engine.generate(tokens, Sampling(), Steps(*some), seed=number)
            tokens += ids(await drain(run))
        return len(tokens)

    assert engine.n_ctx == 200
    with pytest.raises(PromptTooLong):
        engine.generate(list(range(1, 210)), GREEDY)
    assert await asyncio.gather(*map(write, range(12))) == [190] * 12
    assert engine.decoded_tokens < 1.1 * 12 * 190
    run = engine.generate(list(range(1, 180)), Sampling(), Steps(Ban(engine.end_tokens)), 90)
    assert len(await drain(run)) == 21
    assert run.finish is Finish.LENGTH
    await engine.close()


async def test_more_requests_than_sequences_still_end(small: LocalEngine) -> None:
    runs = [small.generate([n + 1], Sampling(), max_tokens=5, seed=n) for n in range(40)]
    written = await asyncio.gather(*(drain(run) for run in runs))
    assert all(0 < len(tokens) <= 5 for tokens in written)


async def test_the_context_bounds_a_reply(small: LocalEngine) -> None:
    ban_end = Steps(Ban(small.end_tokens))
    run = small.generate(list(range(1, 201)), Sampling(), ban_end)
    assert len(await drain(run)) == 256 - 200
    assert run.finish is Finish.LENGTH


async def test_a_prompt_longer_than_the_context_names_both_numbers(small: LocalEngine) -> None:
    with pytest.raises(PromptTooLong, match=r"300 tokens.*256"):
        small.generate([1] * 300, GREEDY)


async def test_a_full_cache_is_an_error_with_both_numbers(
    small: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llama.cpp reports no room for the only request there is, so nothing can make way for it."""

    def full(self: LlamaContext, entries: list[tuple[int, int, int, bool]], hidden: bool) -> int:
        return 1

    monkeypatch.setattr(LlamaContext, "decode", full)
    with pytest.raises(ContextFull, match="holds 256 tokens, this needs 30"):
        await drain(small.generate(list(range(1, 31)), GREEDY, max_tokens=4))
    monkeypatch.undo()
    assert await drain(small.generate([1, 2], GREEDY, max_tokens=4))


class Steps:
    """A controller that plays its constraints one after the other and repeats the last."""

    def __init__(self, *constraints: Constraint) -> None:
        self.constraints = list(constraints)
        self.seen: list[int] = []
        self._left = 0

    def constrain(self) -> Constraint:
        return self.constraints[0]

    def accept(self, token: int) -> None:
        self.seen.append(token)
        current = self.constraints[0]
        self._left = (self._left or _size(current)) - 1
        if self._left == 0 and len(self.constraints) > 1:
            del self.constraints[0]


def _size(constraint: Constraint) -> int:
    return len(constraint.tokens) if isinstance(constraint, Force) else 1


async def test_a_controller_forces_restricts_and_halts(small: LocalEngine) -> None:
    steps = Steps(Force((5, 6, 7)), Allow((8, 9)), Ban((8, 9)), Force((5,)), Halt())
    run = small.generate([1, 2, 3], Sampling(), steps, max_tokens=50)
    tokens = await drain(run)
    assert run.finish is Finish.HALT
    assert ids(tokens)[:3] == [5, 6, 7]
    assert [t.forced for t in tokens] == [True, True, True, False, False, True]
    assert tokens[3].id in (8, 9)
    assert tokens[4].id not in (8, 9)
    assert steps.seen == ids(tokens)
    assert all(t.logprob == 0.0 for t in tokens if t.forced)


async def test_restricted_draws_follow_the_models_own_odds(small: LocalEngine) -> None:
    prompt, pair = [1, 2, 3], (8, 9)
    ((first, second),) = await small.token_logprobs(prompt, [2], [pair])
    expected = 1 / (1 + math.exp(second - first))
    free = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
    draws = [
        (await drain(small.generate(prompt, free, Steps(Allow(pair)), 1, seed)))[0].id
        for seed in range(400)
    ]
    assert draws.count(8) / 400 == pytest.approx(expected, abs=0.08)


async def test_a_broken_controller_harms_only_its_own_request(small: LocalEngine) -> None:
    class Broken:
        def constrain(self) -> Constraint:
            raise RuntimeError("oops")

        def accept(self, token: int) -> None: ...

    good = small.generate([1, 2], Sampling(), max_tokens=20)
    bad = small.generate([1, 2], Sampling(), Broken(), max_tokens=20)
    with pytest.raises(Exception, match="oops"):
        await drain(bad)
    assert await drain(good)


async def test_cancelling_frees_the_sequence(small: LocalEngine) -> None:
    run = small.generate([1, 2], Sampling(), Steps(Ban(small.end_tokens)))
    await anext(run)
    run.cancel()
    await drain(run)
    assert run.finish is Finish.CANCELLED
    full = [small.generate([n + 1], Sampling(), max_tokens=3, seed=n) for n in range(8)]
    assert all(await asyncio.gather(*(drain(other) for other in full)))


async def test_cancelling_the_awaiting_task_frees_the_sequence(small: LocalEngine) -> None:
    def endless() -> LocalGeneration:
        return small.generate([1, 2], Sampling(), Steps(Ban(small.end_tokens)))

    tasks = [asyncio.create_task(drain(endless())) for _ in range(8)]
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await asyncio.wait_for(drain(small.generate([3], GREEDY, max_tokens=3)), 5)


@pytest.mark.slow
async def test_a_long_prompt_does_not_stall_a_running_sequence(engine: LocalEngine) -> None:
    running = engine.generate(engine.tokenize(PROMPT), Sampling(), Steps(Ban(engine.end_tokens)))
    await anext(running)
    long = engine.generate((engine.tokenize(PROMPT) * 80)[:700], GREEDY, max_tokens=1)
    first = asyncio.create_task(drain(long))
    meanwhile = 0
    while not first.done():
        await anext(running)
        meanwhile += 1
    running.cancel()
    assert meanwhile >= 4


async def test_a_crowd_decodes_by_itself_on_a_cpu(
    tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where attention works in tiles, prompts and many running sequences would cost each other."""
    decode, decoded = LlamaContext.decode, []

    def watched(self: LlamaContext, entries: list[tuple[int, int, int, bool]], hidden: bool) -> int:
        decoded.append(Counter(sequence for _, _, sequence, _ in entries))
        return decode(self, entries, hidden)

    monkeypatch.setattr(LlamaContext, "decode", watched)
    engine = await LocalEngine.open(tiny_gguf, EngineSettings(sequences=100))
    crowd = [
        engine.generate([n + 1], Sampling(), Steps(Ban(engine.end_tokens)), max_tokens=40, seed=n)
        for n in range(90)
    ]
    long = engine.generate(list(range(1, 200)) * 4, GREEDY, max_tokens=5)
    *many, last = await asyncio.gather(*(drain(run) for run in [*crowd, long]))
    await engine.close()

    assert all(len(tokens) == 40 for tokens in many)
    assert len(last) == 5
    assert all(len(counts) == 1 for counts in decoded if counts.total() >= ATTENTION_TILE_TOKENS)
    crowded = [len(counts) > 40 for counts in decoded]
    apart = crowded.index(False, crowded.index(True))
    assert len(decoded[apart]) == 1
    assert any(crowded[apart:])


async def test_an_abandoned_long_prompt_is_cut_short(engine: LocalEngine) -> None:
    task = asyncio.create_task(
        drain(engine.generate((engine.tokenize(PROMPT) * 300)[:3500], GREEDY, max_tokens=1))
    )
    await asyncio.sleep(0.1)
    before = engine.decoded_tokens
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await drain(engine.generate(engine.tokenize(PROMPT), GREEDY, max_tokens=2))
    assert engine.decoded_tokens - before < 1500


async def test_hidden_states_do_not_disturb_generation(small: LocalEngine) -> None:
    before = ids(await drain(small.generate([1, 2, 3], GREEDY, max_tokens=8)))
    states = await small.hidden_states([1, 2, 3, 4, 5], [0, 2, 4])
    assert states.shape == (3, small.n_embd)
    assert (await small.hidden_states([1, 2, 3, 9, 9], [2]))[0] == pytest.approx(
        states[1], abs=1e-3
    )
    assert ids(await drain(small.generate([1, 2, 3], GREEDY, max_tokens=8))) == before


async def test_scoring_more_positions_than_rows(small: LocalEngine) -> None:
    """8 sequences mean 8 rows of output a batch; 100 positions take several."""
    tokens = list(range(1, 121))
    positions = list(range(10, 110))
    together = await small.token_logprobs(tokens, positions, [[5]] * 100)
    ((alone,),) = await small.token_logprobs(tokens[:61], [60], [[5]])
    assert together[50][0] == pytest.approx(alone, abs=1e-2)


async def test_readers_of_every_position_share_the_rows(small: LocalEngine) -> None:
    """More rows than a decode may have end the process inside llama.cpp."""
    readers = [list(range(first, first + 40)) for first in (1, 60, 120)]
    every = list(range(40))
    scores = await asyncio.gather(
        *(small.token_logprobs(tokens, every, [[5]] * 40) for tokens in readers)
    )
    for tokens, together in zip(readers, scores, strict=True):
        ((alone,),) = await small.token_logprobs(tokens, [39], [[5]])
        assert together[39] == pytest.approx([alone], abs=1e-3)


@pytest.mark.parametrize(("batch", "context"), [(16, 64), (16, 2048), (512, 64)])
async def test_small_batches_and_contexts_work(tiny_gguf: Path, batch: int, context: int) -> None:
    engine = await LocalEngine.open(tiny_gguf, EngineSettings(batch=batch, context=context))
    runs = [engine.generate(list(range(1, 40)), Sampling(), max_tokens=4, seed=n) for n in range(3)]
    assert all(await asyncio.gather(*(drain(run) for run in runs)))
    await engine.close()


async def test_a_grammar_shapes_the_reply(engine: LocalEngine) -> None:
    grammar = 'root ::= ("yes" | "no") " " [0-9]'
    sampling = Sampling(grammar=grammar, repeat_penalty=1.1)
    tokens = await drain(engine.generate(engine.tokenize(PROMPT), sampling, max_tokens=20))
    word, digit = engine.detokenize(ids(tokens)).split(" ")
    assert word in ("yes", "no")
    assert digit.isdigit()


async def test_a_bad_grammar_is_a_usage_error(engine: LocalEngine) -> None:
    with pytest.raises(UsageError, match="GBNF"):
        await drain(engine.generate([1], Sampling(grammar="root ::= ("), max_tokens=2))


async def test_repetition_is_penalised(small: LocalEngine) -> None:
    punished = Sampling(temperature=0.0, repeat_penalty=10.0, frequency_penalty=10.0)
    steps = Steps(Ban(small.end_tokens))
    tokens = ids(await drain(small.generate([1, 2, 3], punished, steps, max_tokens=40)))
    assert len(set(tokens) - {1, 2, 3}) == 40


async def test_closing_ends_what_runs(tiny_gguf: Path) -> None:
    engine = await LocalEngine.open(tiny_gguf)
    run = engine.generate([1, 2], Sampling(), Steps(Ban(engine.end_tokens)))
    await anext(run)
    await engine.close()
    await drain(run)
    assert run.finish is Finish.CANCELLED


async def test_a_closed_engine_refuses_instead_of_crashing(tiny_gguf: Path) -> None:
    engine = await LocalEngine.open(tiny_gguf)
    reading = asyncio.create_task(engine.token_logprobs(list(range(1, 2000)), [5], [[1]]))
    await asyncio.sleep(0)
    await engine.close()
    with pytest.raises(EngineError, match="closed"):
        await reading
    with pytest.raises(EngineError, match="closed"):
        engine.generate([1, 2], GREEDY)
    with pytest.raises(EngineError, match="closed"):
        engine.tokenize("hello")
    await engine.close()


async def test_a_model_of_no_known_architecture_is_refused(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "odd.gguf", arch="nosuch")
    with pytest.raises(BadModelFile, match="nosuch"):
        await LocalEngine.open(path)


async def test_gpu_layers_without_a_gpu_build_are_noticed(tiny_gguf: Path) -> None:
    from reasoner.engine.local.library import supports_gpu

    notices: list[str] = []
    engine = await LocalEngine.open(tiny_gguf, EngineSettings(gpu_layers="all"), notices.append)
    assert await drain(engine.generate([1], GREEDY, max_tokens=1))
    await engine.close()
    assert len(notices) == (0 if supports_gpu() else 1)


async def test_a_model_without_finite_logits_is_an_error(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "nan.gguf", spread=math.inf)
    engine = await LocalEngine.open(path)
    with pytest.raises(Exception, match="finite"):
        await drain(engine.generate([1, 2], Sampling(), max_tokens=3))
    await engine.close()


async def test_the_likeliest_tokens_at_their_odds(engine: LocalEngine) -> None:
    tokens = engine.tokenize(PROMPT)
    decoded: list[int] = []
    best = await engine.top_tokens(tokens, 5, decoded.append)
    odds = [logprob for _, logprob in best]
    (scored,) = await engine.token_logprobs(
        tokens, [len(tokens) - 1], [[token for token, _ in best]]
    )
    assert decoded == [len(tokens)]
    assert odds == sorted(odds, reverse=True)
    assert odds == pytest.approx(scored, abs=0.1)
    assert len(await engine.top_tokens(tokens, 10**6)) > 40_000
    greedy = await drain(engine.generate(tokens, GREEDY, max_tokens=1))
    assert best[0][0] == greedy[0].id
