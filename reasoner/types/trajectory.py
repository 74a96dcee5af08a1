"""Trajectories: steps of reasoning and their tokens, as immutable values."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from reasoner.types.reasoning_marks import ReasoningMarks
from reasoner.types.token_statistics import TokenStatistics
from reasoner.types.tool_call import ToolCall

__all__ = ["Decision", "FinishReason", "Phase", "Step", "Trajectory"]


class Decision(StrEnum):
    """The decision at the end of a step: continue, give the step up, or end the reasoning."""

    PROCEED = "proceed"
    BACKTRACK = "backtrack"
    END = "end"


class FinishReason(StrEnum):
    """Why a trajectory ended.

    `stop`: the model ended it; `length`: the context or the reply's token limit was full;
    `budget`: the reasoning budget or the step limit closed the reasoning; `interrupted`: the user
    or a deadline stopped it.
    """

    STOP = "stop"
    LENGTH = "length"
    BUDGET = "budget"
    INTERRUPTED = "interrupted"


class Phase(StrEnum):
    """Whether a trajectory is in its reasoning, in its answer, or finished."""

    REASONING = "reasoning"
    ANSWER = "answer"
    DONE = "done"


class Step(BaseModel):
    """One step of reasoning.

    `text` is the full text; `name`, `summary` and `reflection` are filled by protocols that mark
    them. `tokens` counts all tokens of the step, `forced` those of them that were not sampled.
    `logprob` is the sum of the sampled tokens' natural log-probabilities at temperature 1. `call`
    is the tool call that ended the step; the tokens of its output count as forced.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    name: str | None = None
    summary: str | None = None
    reflection: str | None = None
    decision: Decision | None = None
    call: ToolCall | None = None
    tokens: int = 0
    forced: int = 0
    logprob: float = 0.0


class Trajectory(BaseModel):
    """The steps so far, their tokens, and the answer once there is one.

    `prompt` and `tokens` are token ids; `prompt` was prefilled, `tokens` were generated or inserted
    after it. `soft_stopped` states that a soft stop closed the reasoning, not the model. `marks`
    are those of the block of reasoning in the tokens, and `block_closed` states whether its end is
    among them; the token that ended it may also have begun `answer`, or another mark: `held_text`.
    `answer_prompt` are the program's words that asked for the answer; they are no part of it.
    `token_statistics` has one entry for each of `tokens`, or is empty where they are not known.
    Extending a trajectory creates a new one that shares its parts, so a fork costs nothing.
    """

    model_config = ConfigDict(frozen=True)

    prompt: tuple[int, ...]
    tokens: tuple[int, ...] = ()
    token_statistics: tuple[TokenStatistics, ...] = Field(default=(), exclude=True, repr=False)
    steps: tuple[Step, ...] = ()
    phase: Phase = Phase.REASONING
    soft_stopped: bool = False
    marks: ReasoningMarks | None = Field(default=None, exclude=True, repr=False)
    block_closed: bool = Field(default=False, exclude=True, repr=False)
    held_text: str = Field(default="", exclude=True, repr=False)
    answer_prompt: str = Field(default="", exclude=True, repr=False)
    answer: str = ""
    answer_tokens: int = 0
    finish_reason: FinishReason | None = None

    @property
    def is_done(self) -> bool:
        return self.phase is Phase.DONE

    def with_tokens(
        self, tokens: tuple[int, ...], statistics: tuple[TokenStatistics, ...] = ()
    ) -> "Trajectory":
        """The trajectory with more tokens and their statistics; its statistics become empty where
        those of any token are missing."""
        complete = len(self.token_statistics) == len(self.tokens) and len(statistics) == len(tokens)
        all_statistics = self.token_statistics + statistics if complete else ()
        return self.model_copy(
            update={"tokens": self.tokens + tokens, "token_statistics": all_statistics}
        )

    def truncated_to(self, length: int) -> "Trajectory":
        """The trajectory with only its first `length` tokens; steps and answer stay as they are."""
        complete = len(self.token_statistics) == len(self.tokens)
        statistics = self.token_statistics[:length] if complete else ()
        return self.model_copy(
            update={"tokens": self.tokens[:length], "token_statistics": statistics}
        )

    @property
    def prompted_answer(self) -> str:
        """The answer after the words that asked for it, in which a bare answer is recognised."""
        return f"{self.answer_prompt} {self.answer}" if self.answer_prompt else self.answer

    @property
    def reasoning_tokens(self) -> int:
        """The number of tokens of all steps."""
        return sum(step.tokens for step in self.steps)
