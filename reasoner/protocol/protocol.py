"""The interface of step protocols and rounds, and the changes that rounds make to trajectories."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypedDict, Unpack

from reasoner.engine.capabilities import Capability
from reasoner.engine.constraints import Controller
from reasoner.engine.token import Finish, Token
from reasoner.protocol.token_allowance import TokenAllowance
from reasoner.protocol.visible_text import VisibleText
from reasoner.settings import Limits
from reasoner.types.events import Channel
from reasoner.types.problem import Message, Problem
from reasoner.types.reasoning_marks import ReasoningMarks
from reasoner.types.token_statistics import TokenStatistics
from reasoner.types.trajectory import Decision, FinishReason, Phase, Step, Trajectory

__all__ = [
    "STEP_INSTRUCTION",
    "Round",
    "StepProtocol",
    "append_tokens",
    "build_messages",
    "count_tokens",
    "decide_last_step",
    "finish_trajectory",
]


STEP_INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."
"""The instruction for models without step marks, in the wording that many were trained on."""


class Round(Controller, Protocol):
    """The controller of one generation, which is one step or the answer."""

    channel: Channel
    """Whether the round's text is reasoning or answer."""

    def visible_text(self) -> VisibleText:
        """Return what turns the round's tokens into the text that people see."""

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        """Return the trajectory extended by the round's tokens: by a step, or by the answer."""


class StepProtocol(Protocol):
    """How a model marks its steps and its answer. A trajectory is extended round by round."""

    name: str
    required_capabilities: tuple[Capability, ...]
    """What the engine must be able to do for this protocol."""
    ignored_ends: tuple[int, ...]
    """Tokens that end replies in other families, and only a part of a reply here."""
    decision_phrases: Mapping[Decision, str]
    """The phrase that begins each decision at the end of a step; empty where tokens mark it."""

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        """Return the messages for the chat template, with the protocol's own instruction.

        `think` tells whether the reply begins with reasoning.
        """

    def reply_prefix(self, prompt: str, think: bool) -> str:
        """Return the text to append to the rendered prompt, such as an opening tag."""

    def round(self, trajectory: Trajectory, limits: Limits, allowance: TokenAllowance) -> Round:
        """Return the next round: a step in the reasoning phase, else the answer.

        `allowance` has the numbers of tokens that the trajectory may have.
        """


def build_messages(problem: Problem, instruction: str | None) -> list[Message]:
    """Return the messages of a problem: system prompt, history, question.

    `instruction` is the system prompt where the problem has none of its own.
    """
    system = problem.system if problem.system is not None else instruction
    head = [Message(role="system", content=system)] if system else []
    return [*head, *problem.history, Message(role="user", content=problem.question)]


def decide_last_step(trajectory: Trajectory, decision: Decision) -> Trajectory:
    """Return the trajectory with a decision at its last step; `backtrack` is not overwritten."""
    if not trajectory.steps or trajectory.steps[-1].decision is Decision.BACKTRACK:
        return trajectory
    last = trajectory.steps[-1].model_copy(update={"decision": decision})
    return trajectory.model_copy(update={"steps": (*trajectory.steps[:-1], last)})


class TrajectoryChanges(TypedDict, total=False):
    """The fields of a trajectory that a round may replace."""

    steps: tuple[Step, ...]
    phase: Phase
    soft_stopped: bool
    marks: ReasoningMarks | None
    block_closed: bool
    held_text: str
    answer_prompt: str
    answer: str


def append_tokens(
    trajectory: Trajectory, tokens: Sequence[Token], **changes: Unpack[TrajectoryChanges]
) -> Trajectory:
    """Return the trajectory with more tokens and the fields in `changes` replaced."""
    statistics = tuple(TokenStatistics(-token.logprob, token.entropy) for token in tokens)
    longer = trajectory.with_tokens(tuple(token.id for token in tokens), statistics)
    updates: dict[str, Any] = dict(changes)
    return longer.model_copy(update=updates)


def count_tokens(step: Step, tokens: Sequence[Token]) -> Step:
    """Return the step with the counts and the log-probability of its tokens."""
    return step.model_copy(
        update={
            "tokens": len(tokens),
            "forced": sum(token.forced for token in tokens),
            "logprob": sum(token.logprob for token in tokens),
        }
    )


def finish_trajectory(
    trajectory: Trajectory, answer: str, answer_tokens: int, reason: FinishReason
) -> Trajectory:
    """Return the finished trajectory; a soft stop of its reasoning turns `stop` into `budget`."""
    if reason is FinishReason.STOP and trajectory.soft_stopped:
        reason = FinishReason.BUDGET
    return trajectory.model_copy(
        update={
            "phase": Phase.DONE,
            "answer": answer,
            "answer_tokens": trajectory.answer_tokens + answer_tokens,
            "finish_reason": reason,
        }
    )
