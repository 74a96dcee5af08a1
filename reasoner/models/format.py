"""How a value model is prompted and at which token its score is read: data from models.toml."""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Aggregation", "HeadShape", "StepPair", "ValueFormat"]

Aggregation = Literal["min", "prod", "last", "mean"]
"""How the scores of a trajectory's steps become one score. `prod`: every step is right (Lightman et
al. 2023); `min`: the weakest step (Wang et al. 2024, Math-Shepherd); `last`: best for soft
Monte-Carlo labels (Snell et al. 2024)."""

PLACEHOLDERS = {
    "text": ({"question"}, {"step"}),
    "chat": ({"question", "steps"}, {"step"}),
    "turns": ({"question", "step"}, {"step"}),
    "path": (set[str](), {"step"}),
}
"""By layout, the placeholders that the text around the steps and the text of a step must have."""


class HeadShape(BaseModel):
    """A small network over hidden states, described by the names of its weights in the head's file.

    `layers` are the linear layers in order, without `.weight` and `.bias`; the last one gives
    one logit, or two (wrong, right) whose difference counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]
    activation: Literal["relu", "tanh", "gelu"] = "relu"


class StepPair(NamedTuple):
    """A question with a right and a wrong step towards its answer, for the self-test."""

    question: str
    good: str
    bad: str


class ValueFormat(BaseModel):
    """One way to have a model score a step.

    `layout` says how the prompt is built. `text` concatenates `opening`, `first`, `step`, `tag` and
    `after` as they are. `chat` renders `user` with {question} and {steps} by the model's own chat
    template and scores at the reply's first token. `turns` makes every step a user turn that the
    model answers with `good`. `path` uses the policy's own prompt and tokens, so that the model is
    the policy or has the same vocabulary, and appends `user`, if there is one, as the next turn,
    which is removed again.

    The score is read at `tag` (one token, which stays), at the end of what follows the steps, or at
    the step's last token. It is the probability of the tokens `good` against `bad`, or, with a
    `head`, that network's output for the hidden state.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    layout: Literal["text", "chat", "turns", "path"]
    opening: str = ""
    first: str | None = None
    """The first step's text where it differs from `step`."""
    step: str = "{step}"
    """A step's text with {step} and, optionally, its {number} from 1."""
    tag: str = ""
    back: Annotated[int, Field(ge=0, le=8)] = 0
    """How many tokens before that place the score is read."""
    after: str = ""
    """The text between a tag and the next step."""
    closing: str = ""
    """The text after the last step, removed again when the trajectory grows."""
    system: str | None = None
    user: str = ""
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    head: HeadShape | None = None
    own_head: bool = False
    """Whether the head takes token statistics; its own file describes it then (`reasoner train
    value` writes such files)."""
    aggregation: Aggregation
    trial: tuple[StepPair, ...] = ()
    """The steps of the self-test, control tokens included; empty: simple sums."""

    @property
    def has_head(self) -> bool:
        """Whether a head scores the steps, not the probability of answer tokens."""
        return self.head is not None or self.own_head

    @model_validator(mode="after")
    def _check_score_source(self) -> Self:
        if self.has_head == bool(self.good or self.bad):
            raise ValueError("needs either `good` and `bad` tokens or a `head`")
        if not self.has_head and not (self.good and self.bad):
            raise ValueError("needs both `good` and `bad` tokens")
        if self.layout == "turns" and not self.good:
            raise ValueError("turns are answered with `good`, so it cannot have a head")
        return self

    @model_validator(mode="after")
    def _check_placeholders(self) -> Self:
        around, inside = PLACEHOLDERS[self.layout]
        field = "opening" if self.layout == "text" else "user"
        for name in sorted(around):
            if f"{{{name}}}" not in getattr(self, field):
                raise ValueError(f"`{field}` must hold {{{name}}}")
        for name in inside:
            if any(f"{{{name}}}" not in text for text in (self.step, self.first or self.step)):
                raise ValueError(f"`step` must hold {{{name}}}")
        return self
