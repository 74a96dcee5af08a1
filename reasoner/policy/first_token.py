"""The probabilities of the first tokens of given continuations."""

from collections.abc import Iterable, Sequence

from reasoner.engine.interface import Engine
from reasoner.engine.softmax import softmax

__all__ = ["first_token_probabilities"]


async def first_token_probabilities(
    engine: Engine, tokens: Sequence[int], options: Iterable[str]
) -> tuple[float, ...]:
    """Return the probability of the first token of each option after `tokens`, among these.

    The first tokens of the options must differ. Raises EngineError without log-probabilities.
    """
    targets = [engine.tokenize(option)[0] for option in options]
    (logprobs,) = await engine.token_logprobs(tokens, [len(tokens) - 1], [targets])
    return softmax(logprobs)
