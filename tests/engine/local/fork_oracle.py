"""Compares what an engine with forks generates with the log-probabilities of one without."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.token import Token
from reasoner.settings import EngineSettings

__all__ = ["MAX_DIFFERENCE", "ForkOracle", "open_oracle"]

MAX_DIFFERENCE = 0.05
"""Nats by which log-probabilities may differ, as batches of other sizes round differently. A token
after a wrong state differs by several."""


class ForkOracle:
    """An engine with a single sequence, which decodes every prompt from its beginning."""

    def __init__(self, engine: LocalEngine) -> None:
        self.engine = engine

    async def check(self, prompt: Sequence[int], tokens: Sequence[Token]) -> int:
        """Compare the sampled tokens after a prompt; return how many there were."""
        sampled = [i for i, token in enumerate(tokens) if not token.forced and token.logprob < 0.0]
        if sampled:
            expected = await self.engine.token_logprobs(
                [*prompt, *(token.id for token in tokens)],
                [len(prompt) - 1 + i for i in sampled],
                [[tokens[i].id] for i in sampled],
            )
            pairs = zip(sampled, expected, strict=True)
            assert max(abs(tokens[i].logprob - row[0]) for i, row in pairs) < MAX_DIFFERENCE
        return len(sampled)


@asynccontextmanager
async def open_oracle(path: Path) -> AsyncIterator[ForkOracle]:
    """An oracle for the model in a file."""
    engine = await LocalEngine.open(path, EngineSettings(sequences=1))
    try:
        yield ForkOracle(engine)
    finally:
        await engine.close()
