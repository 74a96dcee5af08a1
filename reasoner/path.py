"""A line of thought: the steps taken and the tokens that say them, as immutable values."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from reasoner.doubt import Doubt
from reasoner.tool import ToolCall

__all__ = ["Decision", "FinishReason", "Path", "Phase", "Step"]


class Decision(StrEnum):
    """What a model decided at the end of a step."""

    PROCEED = "proceed"
    BACKTRACK = "backtrack"
    END = "end"


class FinishReason(StrEnum):
    """Why generation stopped.

    `stop`: the model ended by itself; `length`: the context or the reply's token cap was full;
    `budget`: the reasoning budget or step limit closed the reasoning; `interrupted`: the user or
    a deadline did.
    """

    STOP = "stop"
    LENGTH = "length"
    BUDGET = "budget"
    INTERRUPTED = "interrupted"


class Phase(StrEnum):
    """What a path is doing: thinking, saying its answer, or nothing more."""

    REASONING = "reasoning"
    ANSWER = "answer"
    DONE = "done"


class Step(BaseModel):
    """One step of reasoning.

    `text` is the full thought; `name`, `summary` and `reflection` are filled by protocols that
    mark them. `tokens` counts every token of the step, `forced` those among them that the
    controller placed. `logprob` is the sum of the sampled tokens' natural-log probabilities under
    the model at temperature 1. `call` is the tool call that ended the step; its output's
    tokens count as forced.
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


class Path(BaseModel):
    """Steps so far, the tokens that carry them, and the answer once there is one.

    `prompt` and `tokens` are vocabulary ids; the model has read `prompt` and written `tokens`.
    `landed` tells that the reasoning was closed for the model, not by it. `doubts` has an entry for
    each of `tokens`, or is empty where that is not known. Extending a path makes a new one, so a
    fork costs nothing.
    """

    model_config = ConfigDict(frozen=True)

    prompt: tuple[int, ...]
    tokens: tuple[int, ...] = ()
    doubts: tuple[Doubt, ...] = Field(default=(), exclude=True, repr=False)
    steps: tuple[Step, ...] = ()
    phase: Phase = Phase.REASONING
    landed: bool = False
    answer: str = ""
    answer_tokens: int = 0
    finish_reason: FinishReason | None = None

    @property
    def done(self) -> bool:
        return self.phase is Phase.DONE

    def grown(self, tokens: tuple[int, ...], doubts: tuple[Doubt, ...] = ()) -> "Path":
        """The path with more tokens and what is known about them."""
        known = len(self.doubts) == len(self.tokens) and len(doubts) == len(tokens)
        told = self.doubts + doubts if known else ()
        return self.model_copy(update={"tokens": self.tokens + tokens, "doubts": told})

    def cut(self, length: int) -> "Path":
        """The path with its first `length` tokens only."""
        told = self.doubts[:length] if len(self.doubts) == len(self.tokens) else ()
        return self.model_copy(update={"tokens": self.tokens[:length], "doubts": told})

    @property
    def reasoning_tokens(self) -> int:
        return sum(step.tokens for step in self.steps)
