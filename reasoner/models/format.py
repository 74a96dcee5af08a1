"""How a value model is asked and where its score stands: data, read from models.toml."""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Aggregation", "HeadShape", "Pair", "ValueFormat"]

Aggregation = Literal["min", "prod", "last", "mean"]
"""`prod`: every step right (Lightman et al. 2023); `min`: the weakest step (Math-Shepherd);
`last`: best for soft Monte-Carlo labels (Snell et al. 2024)."""

HOLES = {
    "text": ({"question"}, {"step"}),
    "chat": ({"question", "steps"}, {"step"}),
    "turns": ({"question", "step"}, {"step"}),
    "path": (set[str](), {"step"}),
}
"""What the text around the steps and the text of a step must hold, by layout."""


class HeadShape(BaseModel):
    """A small network over hidden states, as its weights are named in the side file.

    `layers` are the linear layers in order, without `.weight` and `.bias`; the last one gives
    one logit, or two (wrong, right) whose difference counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]
    activation: Literal["relu", "tanh", "gelu"] = "relu"


class Pair(NamedTuple):
    """A question with a right and a wrong step towards its answer."""

    question: str
    good: str
    bad: str


class ValueFormat(BaseModel):
    """One way to ask a model how good a step is.

    `layout` says where the text goes: `text` uses `opening`, `first`, `step`, `tag` and `after`
    as they stand; `chat` puts `user` with {question} and {steps} through the model's own chat
    template and reads the reply's first token; `turns` makes every step a user turn that the
    model answers with `good`; `path` reads what the policy itself has read and written, so that
    the model is the policy or one of the same vocabulary, and puts `user`, if there is one, as the
    next turn, which is forgotten again.

    The score stands at `tag` (one token, kept), at the end of what follows the steps, or at the
    step's last token. It is read as the probability of the tokens `good` against `bad`, or, with
    a `head`, by that network from the hidden state.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    layout: Literal["text", "chat", "turns", "path"]
    opening: str = ""
    first: str | None = None
    """The first step's text where it differs from `step`."""
    step: str = "{step}"
    """A step's text with {step} and, where wanted, its {number} from 1."""
    tag: str = ""
    back: Annotated[int, Field(ge=0, le=8)] = 0
    """How many tokens before that place the score stands."""
    after: str = ""
    """What comes between a tag and the next step."""
    closing: str = ""
    """What follows the last step only, to be forgotten when the path grows."""
    system: str | None = None
    user: str = ""
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    head: HeadShape | None = None
    own_head: bool = False
    """The head reads the model's doubts, and is described by its own file (`reasoner train value`
    writes such files)."""
    aggregation: Aggregation
    trial: tuple[Pair, ...] = ()
    """What its models must be able to tell apart, control tokens and all; none: simple sums."""

    @property
    def has_head(self) -> bool:
        return self.head is not None or self.own_head

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.has_head == bool(self.good or self.bad):
            raise ValueError("needs either `good` and `bad` tokens or a `head`")
        if not self.has_head and not (self.good and self.bad):
            raise ValueError("needs both `good` and `bad` tokens")
        if self.layout == "turns" and not self.good:
            raise ValueError("turns are answered with `good`, so it cannot have a head")
        return self

    @model_validator(mode="after")
    def _has_holes(self) -> Self:
        around, inside = HOLES[self.layout]
        frame = self.opening if self.layout == "text" else self.user
        where = "opening" if self.layout == "text" else "user"
        for hole in sorted(around):
            if f"{{{hole}}}" not in frame:
                raise ValueError(f"`{where}` must hold {{{hole}}}")
        for hole in inside:
            if any(f"{{{hole}}}" not in text for text in (self.step, self.first or self.step)):
                raise ValueError(f"`step` must hold {{{hole}}}")
        return self
