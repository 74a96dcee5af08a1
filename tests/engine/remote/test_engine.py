"""The remote engine against llama-cpp-python's own server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import reasoner
import reasoner.types.events
from reasoner.engine.constraints import FREE, Allow, Constraint, Force, Halt
from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.remote.engine import RemoteEngine
from reasoner.engine.sampling import GREEDY, Sampling
from reasoner.engine.token import Finish
from reasoner.errors import EngineError, ModelError, PromptTooLong, UsageError
from reasoner.models.chat_templates import CHATML_TEMPLATE
from reasoner.models.served import find_served_model
from reasoner.settings import EngineSettings, Settings
from reasoner.solver.local import LocalSolver
from tests.cli.command import run
from tests.engine.remote.completions_server import completions_server

ASK = "Tom has 3 boxes with 4 pens each. How many pens does he have?"
PROMPT = f"<|im_start|>user\n{ASK}<|im_end|>\n<|im_start|>assistant\n"
COUNTING = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,"
"""Goes on without a near tie: this machine's and the server's sums differ in the last places."""
CONTEXT = EngineSettings(context=1024)


@pytest.fixture(scope="module")
def address(smollm2: Path) -> Iterator[str]:
    with completions_server(smollm2) as running:
        yield running


@pytest.fixture
async def engine(address: str) -> AsyncIterator[RemoteEngine]:
    made = await RemoteEngine.open(address, None, CONTEXT, template=CHATML_TEMPLATE)
    yield made
    await made.close()


async def test_it_writes_what_the_engine_here_writes(engine: RemoteEngine, smollm2: Path) -> None:
    local = await LocalEngine.open(smollm2, CONTEXT)
    try:
        here = [t async for t in local.generate(local.tokenize(COUNTING), GREEDY, None, 8)]
        text = local.detokenize([token.id for token in here])
    finally:
        await local.close()
    generation = engine.generate(engine.tokenize(COUNTING), GREEDY, None, 8)
    there = [token async for token in generation]
    assert engine.detokenize([token.id for token in there]) == text
    assert generation.finish is Finish.LENGTH
    assert [t.logprob for t in there] == pytest.approx([t.logprob for t in here], abs=0.1)


async def test_scores_are_those_of_the_engine_here(engine: RemoteEngine, smollm2: Path) -> None:
    local = await LocalEngine.open(smollm2, CONTEXT)
    try:
        tokens = local.tokenize(PROMPT)
        words = [local.tokenize(word, False)[0] for word in ("To", "Let")]
        (here,) = await local.token_logprobs(tokens, [len(tokens) - 1], [words])
    finally:
        await local.close()
    ours = engine.tokenize(PROMPT)
    wanted = [engine.tokenize(word, False)[0] for word in ("To", "Let", "Xylophon")]
    (there,) = await engine.token_logprobs(ours, [len(ours) - 1], [wanted])
    assert there[:2] == pytest.approx(here, abs=0.1)
    assert there[2] < min(there[:2])


async def test_the_likeliest_tokens_are_those_of_the_engine_here(
    engine: RemoteEngine, smollm2: Path
) -> None:
    local = await LocalEngine.open(smollm2, CONTEXT)
    try:
        best = await local.top_tokens(local.tokenize(PROMPT), 20)
        here = {local.detokenize([token]): logprob for token, logprob in best}
    finally:
        await local.close()
    told = await engine.top_tokens(engine.tokenize(PROMPT), 3)
    there = {engine.detokenize([token]): logprob for token, logprob in told}
    assert len(there) == 3
    assert there == pytest.approx({text: here[text] for text in there}, abs=0.2)


class Script:
    """Forces, frees, forces again, halts."""

    def __init__(self, engine: RemoteEngine) -> None:
        self.first, self.last = engine.tokenize("The sum 2 + 2 is"), engine.tokenize(" Done.")
        self.seen: list[int] = []

    def constrain(self) -> Constraint:
        written = len(self.seen)
        if written < len(self.first):
            return Force(tuple(self.first[written:]))
        if written == len(self.first) + 2:
            return Force(tuple(self.last))
        return Halt() if written > len(self.first) + 2 else FREE

    def accept(self, token: int) -> None:
        self.seen.append(token)


async def test_a_controller_steers_it(engine: RemoteEngine) -> None:
    script = Script(engine)
    generation = engine.generate(engine.tokenize(PROMPT), GREEDY, script, 64)
    tokens = [token async for token in generation]
    text = engine.detokenize([token.id for token in tokens])
    assert generation.finish is Finish.HALT
    assert text.startswith("The sum 2 + 2 is")
    assert text.endswith(" Done.")
    assert [token.id for token in tokens] == script.seen
    assert sum(not token.forced for token in tokens) == 2


async def test_cancelling_ends_it_with_what_there_is(engine: RemoteEngine) -> None:
    generation = engine.generate(engine.tokenize(PROMPT), Sampling(), None, 500)
    tokens = []
    async for token in generation:
        tokens.append(token)
        if len(tokens) == 3:
            generation.cancel()
    assert (len(tokens), generation.finish) == (3, Finish.CANCELLED)
    other = engine.generate(engine.tokenize(PROMPT), Sampling(), None, 500)
    waiting = asyncio.ensure_future(anext(other))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert other.finish is Finish.CANCELLED


async def test_what_a_server_cannot_do_is_refused(engine: RemoteEngine) -> None:
    tokens = engine.tokenize(PROMPT)

    class Narrow:
        def constrain(self) -> Constraint:
            return Allow((1, 2))

        def accept(self, token: int) -> None:
            raise AssertionError

    with pytest.raises(EngineError, match="hidden states"):
        await engine.hidden_states(tokens, [0])
    with pytest.raises(EngineError, match="whole distributions"):
        await engine.token_statistics(tokens, 1)
    with pytest.raises(EngineError, match="held to a few tokens"):
        await anext(engine.generate(tokens, GREEDY, Narrow()))
    with pytest.raises(UsageError, match="grammar"):
        engine.generate(tokens, Sampling(grammar="root ::= [a-z]"))
    with pytest.raises(PromptTooLong, match="holds 1024"):
        engine.generate(engine.tokenize("word " * 2000), GREEDY)
    settings = Settings.load(model=served(engine), protocol="steiner")
    with pytest.raises(ModelError, match="steiner"):
        await LocalSolver(settings).__aenter__()
    head = Settings.load(model=served(engine), value="self", value_head="/tmp/none")
    with pytest.raises(ModelError, match="more than a server tells"):
        await LocalSolver(head).__aenter__()


def served(engine: RemoteEngine) -> str:
    return f"{engine._server.address}#peer"


@pytest.mark.slow
async def test_questions_and_searches_are_answered(address: str, own_directories: Path) -> None:
    notices: list[str] = []

    def on_event(event: reasoner.types.events.Event) -> None:
        if event.kind == "notice":
            notices.append(event.text)

    options = {"budget": 30, "max_tokens": 60, "seed": 1, "engine": CONTEXT}
    async with LocalSolver(Settings.load(model=address, **options), on_event) as solver:
        line = await solver.solve(reasoner.Problem(question=ASK))
        several = Settings.load(
            model=address, strategy="majority", strategy_options={"n": 3}, **options
        )
        vote = await solver.solve(reasoner.Problem(question=ASK), settings=several)
    assert line.answer
    assert line.model == address
    assert 0 < line.usage.completion_tokens <= 60
    assert len(vote.candidates) == 3
    assert any("ChatML" in notice for notice in notices)


@pytest.mark.slow
def test_the_command_and_the_users_own_names(address: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    template = f'chat_template = """{CHATML_TEMPLATE}"""'
    entry = f'[far]\nurl = "{address}#peer"\n{template}\nprotocol = "think"\n'
    (config / "models.toml").write_text(entry)
    short = ("--no-think", "--max-tokens", "8", "--context", "1024", "--no-verify")
    done = run(tmp_path, "ask", ASK, "-m", "far", *short)
    assert (done.returncode, b"ChatML" in done.stderr) == (0, False), done.stderr
    assert done.stdout.strip()
    for arguments, code, says in (
        (("ask", "x", "-m", f"{address}#other"), 2, "#NAME: peer"),
        (("ask", "x", "-m", "http://127.0.0.1:1/v1"), 1, "cannot use the server"),
        (("models", "pull", "far"), 2, "is on a server"),
        (("models", "show", "far"), 0, ""),
        (("models", "list"), 0, ""),
    ):
        done = run(tmp_path, *arguments)
        assert (done.returncode, says in done.stderr.decode()) == (code, True), done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.slow
async def test_a_server_without_log_probabilities(tiny_gguf: Path) -> None:
    with completions_server(tiny_gguf, logprobs=False) as bare:
        notices: list[str] = []
        engine = await RemoteEngine.open(bare, "peer", CONTEXT, notice=notices.append)
        try:
            tokens = [t async for t in engine.generate(engine.tokenize("x"), GREEDY, None, 4)]
            assert len(tokens) <= 4
            assert any("nothing can be scored" in notice for notice in notices)
            with pytest.raises((EngineError, UsageError)):
                await engine.token_logprobs(engine.tokenize("x y"), [1], [[1]])
        finally:
            await engine.close()


@pytest.mark.parametrize(
    ("name", "address", "model"),
    [
        ("http://host:8000", "http://host:8000/v1", None),
        ("http://host:8000/v1/", "http://host:8000/v1", None),
        ("https://host/api/v3#org/model", "https://host/api/v3", "org/model"),
    ],
)
def test_names_of_served_models(name: str, address: str, model: str | None) -> None:
    found = find_served_model(name)
    assert found is not None
    assert (found.address, found.model) == (address, model)
    assert find_served_model("smollm2-135m") is None
    assert find_served_model("./model.gguf") is None
