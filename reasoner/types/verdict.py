"""The verdict of a verifier, and the submission that the verifier receives."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from reasoner.types.tool_call import ToolCall

__all__ = ["Outcome", "Submission", "Verdict"]


class Outcome(StrEnum):
    """`pass` and `fail` are proofs; `unknown` is undecided; `error` means the verifier failed."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"


class Verdict(BaseModel):
    """One verifier's verdict on a submission or a step.

    `score` is in [0, 1]. `reason` is one line. `evidence` is plain data with which a person can
    repeat the check (the equation and its value, the program and its output). `settles` marks a
    pass that proves the answer right regardless of mistakes in the reasoning, so that a search can
    end; it has no effect where the user gave a known answer or tests. `seconds` is the duration of
    the check. `cached` marks a verdict that was reused from an earlier check of the same reply.
    """

    model_config = ConfigDict(frozen=True)

    verifier: str
    outcome: Outcome
    score: float | None = Field(default=None, ge=0.0, le=1.0)
    reason: str
    settles: bool = False
    evidence: dict[str, JsonValue] = {}
    seconds: float = 0.0
    cached: bool = False

    @property
    def is_proof(self) -> bool:
        """Whether the verdict is a pass that settles the question."""
        return self.settles and self.outcome is Outcome.PASS


class Submission(BaseModel):
    """A finished reply as a verifier receives it. All of its text comes from a model: it is
    hostile input.

    `steps` holds the texts of the reasoning steps, `answer` the reply, `final` the short final
    answer extracted from it, `code` the reply's Python code blocks in order, `calls` the tool calls
    made during the reasoning.
    """

    model_config = ConfigDict(frozen=True)

    steps: tuple[str, ...] = ()
    answer: str
    final: str | None = None
    code: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
