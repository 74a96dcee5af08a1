"""Steps without marks: paragraphs, up to one that states the final answer."""

from collections.abc import Sequence

from reasoner.engine.control import FREE, Ban, Constraint, Force, Halt
from reasoner.engine.request import Finish, Token
from reasoner.events import Channel
from reasoner.path import Decision, FinishReason, Path, Phase, Step
from reasoner.problem import Message, Problem
from reasoner.protocol.answer import AnswerRound
from reasoner.protocol.paragraph import Paragraph, states_final
from reasoner.protocol.protocol import (
    Round,
    Vocabulary,
    conversation,
    extended,
    finished,
    tally,
)
from reasoner.protocol.room import Landing, Room
from reasoner.settings import Limits

__all__ = ["Plain"]

INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."
CONTINUE = "Wait, let me check this again."
STATE_ANSWER = "Final answer:"


class Plain:
    """Any instruction-tuned model: nothing is asked of its vocabulary."""

    name = "plain"

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        return conversation(problem, INSTRUCTION if think else None)

    def opening(self, prompt: str, think: bool) -> str:
        return ""

    def round(self, path: Path, limits: Limits, room: Room) -> Round:
        if path.phase is Phase.REASONING:
            return PlainRound(self._vocabulary, path, limits, room)
        prefix = self._on_new_line(path, STATE_ANSWER) if path.steps else []
        return AnswerRound(self._vocabulary, path, room, prefix=prefix, short=bool(path.steps))

    def _on_new_line(self, path: Path, text: str) -> list[int]:
        tail = self._vocabulary.detokenize(path.tokens[-8:])
        gap = "" if tail.endswith("\n\n") else "\n\n"
        return self._vocabulary.tokenize(gap + text)


class PlainRound:
    """One paragraph. The paragraph that states the final answer is the answer, not a step.

    A reply that ends without such a statement is the answer as a whole, for there was no
    separate reasoning; but where steps were asked for, the model is made to state its answer.
    """

    channel: Channel = "reasoning"

    def __init__(self, vocabulary: Vocabulary, path: Path, limits: Limits, room: Room) -> None:
        self._vocabulary, self._path, self._limits = vocabulary, path, limits
        self._paragraph = Paragraph(vocabulary.piece)
        self._landing = Landing(room, path.reasoning_tokens)
        self._prefix = self._continuation()
        self._landed = False

    def _continuation(self) -> list[int]:
        """A phrase that keeps a model going which wanted to end before `min_steps`."""
        if not self._path.steps:
            return []
        tail = self._vocabulary.detokenize(self._path.tokens[-8:])
        if tail.endswith("\n\n") and not states_final(self._path.steps[-1].text):
            return []
        gap = "" if tail.endswith("\n\n") else "\n\n"
        return self._vocabulary.tokenize(gap + CONTINUE)

    def constrain(self) -> Constraint:
        if self._prefix:
            return Force(tuple(self._prefix))
        text = self._paragraph.text
        if self._paragraph.complete or states_final(text, line_ended=True):
            return Halt()
        if self._landed or self._landing.due(text):
            self._landed = True
            return Halt()
        early = len(self._path.steps) < self._limits.min_steps and not text.strip()
        return Ban(self._vocabulary.end_tokens) if early else FREE

    def accept(self, token: int) -> None:
        if self._prefix:
            del self._prefix[0]
        self._landing.count()
        self._paragraph.add(token)

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Path:
        if finish in (Finish.CANCELLED, Finish.LENGTH):
            reason = FinishReason.LENGTH if finish is Finish.LENGTH else FinishReason.INTERRUPTED
            return self._whole(tokens, reason)
        ends = finish is Finish.STOP or states_final(self._paragraph.text)
        spoken = [t for t in tokens if not self._vocabulary.is_eog(t.id)]
        if not ends or len(self._path.steps) < self._limits.min_steps:
            return self._step(spoken)
        if states_final(self._paragraph.text):
            path = _last_decision(self._path, Decision.END)
            text = self._paragraph.text.strip()
            return finished(extended(path, tokens), text, len(tokens), FinishReason.STOP)
        if self._limits.min_steps or self._limits.max_steps is not None:
            path = _last_decision(self._step(spoken), Decision.END)
            return path.model_copy(update={"phase": Phase.ANSWER})
        return self._whole(tokens, FinishReason.STOP)

    def _step(self, tokens: Sequence[Token]) -> Path:
        """One more step; the last one allowed hands over to the answer."""
        text = self._paragraph.text.strip()
        step = [tally(Step(text=text), tokens)] if text else []
        steps = (*self._path.steps, *step)
        most = self._limits.max_steps
        full = most is not None and len(steps) >= most
        if full or (self._landed and len(steps) >= self._limits.min_steps):
            path = extended(self._path, tokens, steps=steps, phase=Phase.ANSWER, landed=True)
            return _last_decision(path, Decision.END)
        path = extended(self._path, tokens, steps=steps)
        return _last_decision(path, Decision.PROCEED)

    def _whole(self, tokens: Sequence[Token], reason: FinishReason) -> Path:
        """Everything written so far as the answer."""
        path = extended(self._path, tokens, steps=())
        text = self._vocabulary.detokenize(path.tokens).strip()
        return finished(path, text, len(path.tokens), reason)


def _last_decision(path: Path, decision: Decision) -> Path:
    if not path.steps:
        return path
    last = path.steps[-1].model_copy(update={"decision": decision})
    return path.model_copy(update={"steps": (*path.steps[:-1], last)})
