"""The protocol of Steiner models: fourteen special tokens, and a grammar enforced token by token.

    OUT  := reasoning_start STEP ((proceed | backtrack) STEP)* reasoning_end ANSWER end
    STEP := step_start name thought summary reflection step_end

Each field stands inside its own start and end token with nothing between fields. Inside a field
every token except control tokens may be sampled; between fields only the decision is sampled.
"""

from collections.abc import Mapping, Sequence

from reasoner.engine.capabilities import Capability
from reasoner.engine.constraints import Allow, Ban, Constraint, Force, Halt
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.errors import BadModelFile
from reasoner.protocol.answer import AnswerRound
from reasoner.protocol.paragraph import Paragraph
from reasoner.protocol.protocol import (
    Round,
    append_tokens,
    build_messages,
    count_tokens,
    finish_trajectory,
)
from reasoner.protocol.step_format import TOKEN_MARKS
from reasoner.protocol.thought import early_finish_reason
from reasoner.protocol.token_allowance import SoftStop, TokenAllowance
from reasoner.protocol.token_decoder import TokenDecoder
from reasoner.protocol.visible_text import MarkedTokensText, VisibleText
from reasoner.settings import Limits
from reasoner.types.events import Channel
from reasoner.types.problem import Message, Problem
from reasoner.types.trajectory import Decision, Phase, Step, Trajectory

__all__ = ["FIELDS", "TOKEN_NAMES", "SteinerProtocol", "SteinerRound"]

FIELDS = ("name", "thought", "summary", "reflection")
TOKEN_NAMES = (
    "reasoning_start",
    "reasoning_end",
    "reasoning_proceed",
    "reasoning_backtrack",
    "reasoning_step_start",
    "reasoning_step_end",
    *(f"reasoning_step_{field}_{edge}" for field in FIELDS for edge in ("start", "end")),
)
MAX_FIELD_TOKENS = {"name": 48, "thought": None, "summary": 256, "reflection": 256}
"""Token limits of the fields, for models that never close one; the budget limits thoughts."""
FIELD_GRACE_TOKENS = 16
"""Tokens that a sentence may still take once the budget is spent."""


class SteinerProtocol:
    """For models whose vocabulary has all fourteen tokens; their ids are resolved by name.

    Raises BadModelFile when a token is missing.
    """

    name = "steiner"
    required_capabilities: tuple[Capability, ...] = ("constrain", "token_ids")
    ignored_ends: tuple[int, ...] = ()

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.ids = {name: _resolve_token(vocabulary, name) for name in TOKEN_NAMES}
        self.decision_phrases: Mapping[Decision, str] = {}
        self.token_marks: Mapping[int, str] = {
            self.ids[name]: text for name, text in TOKEN_MARKS.items()
        }
        control = set(vocabulary.control_tokens) | set(vocabulary.end_tokens)
        self.control_tokens = tuple(sorted(control | set(self.ids.values())))

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        return build_messages(problem, None)

    def reply_prefix(self, prompt: str, think: bool) -> str:
        return ""

    def round(self, trajectory: Trajectory, limits: Limits, allowance: TokenAllowance) -> Round:
        if trajectory.phase is Phase.REASONING:
            return SteinerRound(self, self._vocabulary, trajectory, limits, allowance)
        ban = tuple(t for t in self.control_tokens if not self._vocabulary.is_eog(t))
        close = self._vocabulary.end_tokens[:1]
        return AnswerRound(self._vocabulary, trajectory, allowance, ban=ban, close=close)


class SteinerRound:
    """Generates one step and its decision."""

    channel: Channel = "reasoning"

    def __init__(
        self,
        protocol: SteinerProtocol,
        vocabulary: Vocabulary,
        trajectory: Trajectory,
        limits: Limits,
        allowance: TokenAllowance,
    ) -> None:
        self._ids, self._vocabulary = protocol.ids, vocabulary
        self._token_marks = protocol.token_marks
        self._trajectory, self._limits = trajectory, limits
        self._soft_stop = SoftStop(allowance, trajectory.reasoning_tokens)
        self._field_bans = _field_bans(protocol)
        self._queue = self._opening()
        self._field: str | None = None
        self._text = Paragraph()
        self._decoder = TokenDecoder(vocabulary.piece)
        self._length = 0
        self._decided = False

    def _opening(self) -> list[int]:
        first = () if self._trajectory.tokens else ("reasoning_start",)
        return self._named(*first, "reasoning_step_start", "reasoning_step_name_start")

    def _named(self, *names: str) -> list[int]:
        return [self._ids[name] for name in names]

    # -- steering --------------------------------------------------------------------------

    def constrain(self) -> Constraint:
        if self._queue:
            return Force(tuple(self._queue))
        if self._decided:
            return Halt()
        if self._field is None:
            return self._decision()
        if self._must_close():
            return Force((self._ids[f"reasoning_step_{self._field}_end"],))
        return self._field_bans[self._field]

    def _must_close(self) -> bool:
        assert self._field is not None
        cap = MAX_FIELD_TOKENS[self._field]
        capped = cap is not None and self._length >= cap
        return capped or self._soft_stop.must_stop(self._text.text, FIELD_GRACE_TOKENS)

    def _decision(self) -> Constraint:
        """Return the decisions that the limits allow after a step: proceed, backtrack or end."""
        count = len(self._trajectory.steps) + 1
        go_on = tuple(self._named("reasoning_proceed", "reasoning_backtrack"))
        end = self._ids["reasoning_end"]
        if self._limits.max_steps is not None and count >= self._limits.max_steps:
            return Force((end,))
        if count < self._limits.min_steps:
            return Allow(go_on)
        return Force((end,)) if self._soft_stop.budget_spent else Allow((*go_on, end))

    def accept(self, token: int) -> None:
        self._soft_stop.count_token()
        if self._queue:
            del self._queue[0]
            if not self._queue:
                self._enter(token)
        elif self._field is None:
            self._decided = True
        elif token == self._ids[f"reasoning_step_{self._field}_end"]:
            self._leave()
        else:
            self._length += 1
            self._text.add(self._decoder.decode(token))

    def _enter(self, token: int) -> None:
        """Begin the field that the last forced token opened, or none when it closed the step."""
        starts = {self._ids[f"reasoning_step_{field}_start"]: field for field in FIELDS}
        self._field, self._length = starts.get(token), 0
        self._text = Paragraph()
        self._decoder = TokenDecoder(self._vocabulary.piece)

    def _leave(self) -> None:
        """Queue the token that opens the next field or closes the step."""
        assert self._field is not None
        after = FIELDS.index(self._field) + 1
        done = after == len(FIELDS)
        following = "step_end" if done else f"step_{FIELDS[after]}_start"
        self._queue = self._named(f"reasoning_{following}")

    # -- reading ---------------------------------------------------------------------------

    def visible_text(self) -> VisibleText:
        return MarkedTokensText(self._vocabulary, self.channel, self._token_marks)

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        step = count_tokens(_parse_step(self._ids, self._vocabulary, tokens), tokens)
        steps = (*self._trajectory.steps, step)
        if reason := early_finish_reason(finish):
            return finish_trajectory(
                append_tokens(self._trajectory, tokens, steps=steps), "", 0, reason
            )
        if step.decision is Decision.END:
            soft_stopped = tokens[-1].forced
            return append_tokens(
                self._trajectory, tokens, steps=steps, phase=Phase.ANSWER, soft_stopped=soft_stopped
            )
        return append_tokens(self._trajectory, tokens, steps=steps)


def _parse_step(ids: Mapping[str, int], vocabulary: Vocabulary, tokens: Sequence[Token]) -> Step:
    """Parse the fields and the decision from the tokens of a round, which may be incomplete."""
    written = [token.id for token in tokens]
    texts = {field: vocabulary.detokenize(_field_tokens(ids, field, written)) for field in FIELDS}
    decisions = {
        ids["reasoning_proceed"]: Decision.PROCEED,
        ids["reasoning_backtrack"]: Decision.BACKTRACK,
        ids["reasoning_end"]: Decision.END,
    }
    return Step(
        text=texts["thought"].strip(),
        name=texts["name"].strip(),
        summary=texts["summary"].strip(),
        reflection=texts["reflection"].strip(),
        decision=decisions.get(written[-1]) if written else None,
    )


def _field_tokens(ids: Mapping[str, int], field: str, written: list[int]) -> list[int]:
    """Return the tokens inside a field; an open field ends with the last token."""
    start, end = ids[f"reasoning_step_{field}_start"], ids[f"reasoning_step_{field}_end"]
    if start not in written:
        return []
    begin = written.index(start) + 1
    stop = written.index(end) if end in written else len(written)
    return written[begin:stop]


def _field_bans(protocol: SteinerProtocol) -> dict[str, Ban]:
    """Return the ban inside each field: every control token except the field's own end."""
    ends = {field: protocol.ids[f"reasoning_step_{field}_end"] for field in FIELDS}
    return {
        field: Ban(tuple(token for token in protocol.control_tokens if token != end))
        for field, end in ends.items()
    }


def _resolve_token(vocabulary: Vocabulary, name: str) -> int:
    token = vocabulary.token_id(f"<|{name}|>")
    if token is None:
        raise BadModelFile(
            f"the model's vocabulary has no <|{name}|>, which the steiner protocol needs; "
            "try --protocol plain"
        )
    return token
