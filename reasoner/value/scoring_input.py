"""The token sequence from which a value model scores a trajectory, and the score positions."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ScoringInput"]


@dataclass(frozen=True)
class ScoringInput:
    """The tokens of a question and steps, to which a further step is only ever appended, so that
    the KV cache of what was read before stays valid.

    `step_ends[i]` is the number of `tokens` up to the end of step i. `closing_tokens` is appended
    to the steps to be scored and not kept. A step's score is read `score_offset` tokens before its
    last one.
    """

    tokens: tuple[int, ...]
    step_ends: tuple[int, ...]
    closing_tokens: tuple[int, ...] = ()
    score_offset: int = 0

    def step_prefix(self, step: int) -> tuple[int, ...]:
        """The tokens on which the score of the step with that index depends; its key in a cache."""
        return self.tokens[: self.step_ends[step]]

    def scoring_sequences(self, steps: Sequence[int]) -> list[tuple[tuple[int, ...], list[int]]]:
        """The token sequences to prefill to score the steps of these ascending indices, each with
        the positions of the scores in it.

        Without a closing one sequence serves all steps; with one each step needs its own.
        """
        if not steps:
            return []
        if not self.closing_tokens:
            return [
                (
                    self.step_prefix(steps[-1]),
                    [self.step_ends[i] - 1 - self.score_offset for i in steps],
                )
            ]
        sequences = []
        for i in steps:
            tokens = self.step_prefix(i) + self.closing_tokens
            sequences.append((tokens, [len(tokens) - 1 - self.score_offset]))
        return sequences
