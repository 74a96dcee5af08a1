"""The answer with its evidence: what `--json` prints and `solve` returns."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from reasoner.path import FinishReason, Step
from reasoner.verdict import Verdict

__all__ = ["Answer", "Result", "Status", "Usage"]


class Status(StrEnum):
    """`verified`: a check that could have failed passed; `refuted`: one failed."""

    VERIFIED = "verified"
    ANSWERED = "answered"
    REFUTED = "refuted"
    NO_ANSWER = "no_answer"


class Usage(BaseModel):
    """Where the tokens and the time went, over everything that was done for the question.

    `prompt_tokens` is the prompt's length; `decoded_tokens` of it, and of the prompts of other
    lines of thought, had to be read because no cached prefix held them. `completion_tokens` were
    written by the model; `tool_tokens` were put into its text by tools, or as proposed steps.
    These two together are `reasoning_tokens` and `answer_tokens` of the path that became the
    answer, and `wasted_tokens` on all others. `value_tokens` were read to evaluate, by the value
    model or by the policy as a judge. `seconds` is wall-clock time.
    """

    model_config = ConfigDict(frozen=True)

    prompt_tokens: int = 0
    decoded_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    answer_tokens: int = 0
    tool_tokens: int = 0
    value_tokens: int = 0
    wasted_tokens: int = 0
    tool_calls: int = 0
    seconds: float = 0.0
    tokens_per_second: float = 0.0


class Answer(BaseModel):
    """One finished candidate among those a strategy produced; `number` is the line of thought
    it is told under in the events."""

    model_config = ConfigDict(frozen=True)

    number: int = 0
    answer: str
    final: str | None = None
    score: float | None = None
    tokens: int = 0


class Result(BaseModel):
    """Everything there is to say about one question.

    A `cached` one was worked out earlier; its usage is what it took to find it again.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    answer: str
    final: str | None
    status: Status
    confidence: float | None = None
    finish_reason: FinishReason
    reasoning: tuple[Step, ...] = ()
    candidates: tuple[Answer, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    strategy: str
    model: str
    value_model: str | None = None
    seed: int
    usage: Usage = Usage()
    cached: bool = False
