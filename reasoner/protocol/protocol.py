"""What every way of marking steps must offer."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from reasoner.doubt import Doubt
from reasoner.engine.capabilities import Capability
from reasoner.engine.control import Controller
from reasoner.engine.token import Finish, Token
from reasoner.events import Channel
from reasoner.path import Decision, FinishReason, Path, Phase, Step
from reasoner.problem import Message, Problem
from reasoner.protocol.room import Room
from reasoner.settings import Limits

__all__ = [
    "INSTRUCTION",
    "Round",
    "StepProtocol",
    "conversation",
    "decided",
    "extended",
    "finished",
    "tally",
]


INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."
"""What models without step marks are told; the wording is the one many were trained on."""


class Round(Controller, Protocol):
    """One round of writing: it steers the tokens, then says what they amount to."""

    channel: Channel
    """What the text written in this round is."""

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Path:
        """The path after the round's tokens: one more step, the answer, or the end."""


class StepProtocol(Protocol):
    """Marks for steps and answers, over one vocabulary. A path is extended round by round."""

    name: str
    required_capabilities: tuple[Capability, ...]
    """What the engine must be able to do for this protocol."""
    marks: Mapping[int, str]
    """What is shown in place of tokens that have no text of their own, by their ids."""
    phrases: Mapping[Decision, str]
    """What each decision at a step's end begins with in words; empty where tokens say it."""

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        """The conversation to put to the model, with the protocol's own instruction."""

    def opening(self, prompt: str, think: bool) -> str:
        """What to add to the rendered prompt so that the reply begins as the protocol wants."""

    def round(self, path: Path, limits: Limits, room: Room) -> Round:
        """The path's next round of writing."""


def conversation(problem: Problem, instruction: str | None) -> list[Message]:
    """The problem's own system prompt or else the instruction, the history, the question."""
    system = problem.system if problem.system is not None else instruction
    head = [Message(role="system", content=system)] if system else []
    return [*head, *problem.history, Message(role="user", content=problem.question)]


def decided(path: Path, decision: Decision) -> Path:
    """The path with a decision at the end of its last step; a step that was given up stays so."""
    if not path.steps or path.steps[-1].decision is Decision.BACKTRACK:
        return path
    last = path.steps[-1].model_copy(update={"decision": decision})
    return path.model_copy(update={"steps": (*path.steps[:-1], last)})


def extended(path: Path, tokens: Sequence[Token], **changes: object) -> Path:
    """The path with more tokens and other changes."""
    doubts = tuple(Doubt(-token.logprob, token.entropy) for token in tokens)
    longer = path.grown(tuple(token.id for token in tokens), doubts)
    return longer.model_copy(update=changes)


def tally(step: Step, tokens: Sequence[Token]) -> Step:
    """The step with its tokens counted."""
    return step.model_copy(
        update={
            "tokens": len(tokens),
            "forced": sum(token.forced for token in tokens),
            "logprob": sum(token.logprob for token in tokens),
        }
    )


def finished(path: Path, answer: str, answer_tokens: int, reason: FinishReason) -> Path:
    """The path, done. A reasoning that had to be closed shows as `budget`."""
    if reason is FinishReason.STOP and path.landed:
        reason = FinishReason.BUDGET
    return path.model_copy(
        update={
            "phase": Phase.DONE,
            "answer": answer,
            "answer_tokens": path.answer_tokens + answer_tokens,
            "finish_reason": reason,
        }
    )
