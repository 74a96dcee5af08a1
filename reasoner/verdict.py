"""What a check said about a candidate, and what the check was given."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from reasoner.tool import ToolCall

__all__ = ["Candidate", "Outcome", "Verdict"]


class Outcome(StrEnum):
    """`pass` and `fail` were decided; `unknown` could not be; `error` means the check broke."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"


class Verdict(BaseModel):
    """One verifier's judgement.

    `score` is in [0, 1]. `reason` is one line. `evidence` is plain data that lets a person
    repeat the judgement (the equation and its value, the program and its output). A pass that
    `settles` the question leaves nothing to be doubted: a slip on the way to it does not matter,
    and a search need not go on. It settles nothing where the user gave a known answer or tests.
    A `cached` one was said about the same reply before.
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
    def proves(self) -> bool:
        """Whether the answer is right beyond doubt."""
        return self.settles and self.outcome is Outcome.PASS


class Candidate(BaseModel):
    """A finished reply under judgement: all of it is text a model wrote, so it is hostile.

    `steps` are the reasoning steps' texts, `answer` the reply, `final` the short final answer
    extracted from it, `code` the reply's Python code blocks in order, `calls` the tool calls
    made on the way.
    """

    model_config = ConfigDict(frozen=True)

    steps: tuple[str, ...] = ()
    answer: str
    final: str | None = None
    code: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
