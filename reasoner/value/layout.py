"""Layouts: value formats bound to a model, which turn a problem and a trajectory into tokens.

The text of a format may contain control tokens. Questions and steps are hostile input, so the name
of a control token in them is tokenised as plain text. Each piece is tokenised by itself, so that an
added step never changes the tokens before it.
"""

from typing import Protocol

from reasoner.engine.interface import Engine
from reasoner.errors import ModelError
from reasoner.models.format import ValueFormat
from reasoner.policy.chat_template import render_prompt
from reasoner.policy.switch_trials import find_thinking_switch
from reasoner.types.problem import Message, Problem
from reasoner.types.trajectory import Trajectory
from reasoner.value.scoring_input import ScoringInput

__all__ = ["ScoringLayout", "bind_format", "scored_texts"]

QUESTION, STEP, NEXT = "⟦question⟧", "⟦step⟧", "⟦next⟧"
"""Placeholders for hostile text in a rendered chat template; that text is tokenised by itself."""


class ScoringLayout(Protocol):
    """A format bound to a model's vocabulary and chat template."""

    def scoring_input(self, problem: Problem, trajectory: Trajectory) -> ScoringInput:
        """The tokens from which the trajectory's steps are scored, and its answer once done."""


def bind_format(form: ValueFormat, engine: Engine) -> ScoringLayout:
    """Bind the format to the model. Raises ModelError when the model's vocabulary or chat template
    does not support it."""
    match form.layout:
        case "text":
            return _text_layout(form, engine)
        case "chat":
            return _chat_layout(form, engine)
        case "turns":
            return _turns_layout(form, engine)
        case "path":
            return TrajectoryLayout(form, engine)


def scored_texts(trajectory: Trajectory) -> list[str]:
    """The texts that receive a score: the steps, and the answer once the trajectory is done."""
    answer = trajectory.answer.strip() if trajectory.is_done else ""
    return [step.text.strip() for step in trajectory.steps] + ([answer] if answer else [])


class TextLayout:
    """Question and steps as text: `head`, question, `neck`, then for each step its text and `tag`,
    with `after` between steps, and `closing` after the last.

    The first step has the template `first`, the others the format's own. Raises ModelError when the
    format reads scores at a tag that is not a single token of the model.
    """

    def __init__(
        self,
        form: ValueFormat,
        engine: Engine,
        *,
        head: str,
        neck: str = "",
        first: str,
        tag: str = "",
        after: str = "",
        closing: str = "",
    ) -> None:
        self._engine, self._step, self._first = engine, form.step, first
        self._head = engine.tokenize_prompt([head])
        self._neck, self._tag = engine.tokenize(neck), engine.tokenize(tag)
        self._after = engine.tokenize(after)
        self._closing = tuple(engine.tokenize(closing))
        self._back = form.back
        if form.tag and len(self._tag) != 1:
            raise ModelError(
                f"the format {form.name} reads scores at {form.tag.strip() or 'a line end'!r}, "
                "which is not a token of this model; choose another --value-format"
            )

    def scoring_input(self, problem: Problem, trajectory: Trajectory) -> ScoringInput:
        """See `ScoringLayout`."""
        tokens = self._head + self._plain(conversation_text(problem)) + self._neck
        ends = []
        for number, text in enumerate(scored_texts(trajectory), 1):
            template = self._step if number > 1 else self._first
            tokens += self._after if number > 1 else []
            tokens += self._plain(fill_step_template(template, number, text)) + self._tag
            ends.append(len(tokens))
        return ScoringInput(tuple(tokens), tuple(ends), self._closing, self._back)

    def _plain(self, text: str) -> list[int]:
        return self._engine.tokenize(text, special=False)


class TrajectoryLayout:
    """The trajectory's own tokens, which the policy's KV cache holds; only a closing is added."""

    def __init__(self, form: ValueFormat, engine: Engine) -> None:
        self._engine, self._back = engine, form.back
        self._closing = tuple(engine.tokenize(self._next_turn(form))) if form.user else ()

    def _next_turn(self, form: ValueFormat) -> str:
        """The chat template's text from the end of a reply to the beginning of the next one."""
        messages = [Message(role="user", content=QUESTION)]
        messages += [Message(role="assistant", content=STEP)]
        messages += [Message(role="user", content=form.user)]
        return _split_at(_rendered(messages, self._engine, form), form, STEP)[1]

    def scoring_input(self, problem: Problem, trajectory: Trajectory) -> ScoringInput:
        """See `ScoringLayout`."""
        tokens = list(trajectory.tokens)
        while tokens and self._engine.is_eog(tokens[-1]):
            tokens.pop()
        ends, end = [], len(trajectory.prompt)
        length = len(trajectory.prompt) + len(tokens)
        for step in trajectory.steps:
            end = min(end + step.tokens, length)
            ends.append(end)
        if len(scored_texts(trajectory)) > len(trajectory.steps):
            ends.append(length)
        return ScoringInput(
            trajectory.prompt + tuple(tokens), tuple(ends), self._closing, self._back
        )


def conversation_text(problem: Problem) -> str:
    """The question after the earlier turns of its conversation."""
    turns = [f"{message.role}: {message.content}" for message in problem.history]
    return "\n\n".join([*turns, problem.question.strip()])


def fill_step_template(template: str, number: int, text: str) -> str:
    """A step's template with number and text filled in; braces in `text` stay unchanged."""
    before, _, after = template.replace("{number}", str(number)).partition("{step}")
    return f"{before}{text}{after}"


def _text_layout(form: ValueFormat, engine: Engine) -> ScoringLayout:
    head, _, neck = form.opening.partition("{question}")
    parts = {"tag": form.tag, "after": form.after, "closing": form.closing}
    return TextLayout(form, engine, head=head, neck=neck, first=form.first or form.step, **parts)


def _chat_layout(form: ValueFormat, engine: Engine) -> ScoringLayout:
    user = form.user.replace("{question}", QUESTION).replace("{steps}", STEP)
    text = _rendered(_conversation(form, user), engine, form)
    head, neck, closing = _split_at(text, form, QUESTION, STEP)
    first = form.first or form.step
    return TextLayout(form, engine, head=head, neck=neck, first=first, closing=closing)


def _turns_layout(form: ValueFormat, engine: Engine) -> ScoringLayout:
    user = form.user.replace("{question}", QUESTION).replace("{step}", STEP)
    messages = _conversation(form, user)
    messages += [Message(role="assistant", content=form.good[0])]
    messages += [Message(role="user", content=NEXT)]
    head, neck, between, closing = _split_at(
        _rendered(messages, engine, form), form, QUESTION, STEP, NEXT
    )
    if not between.startswith(closing):
        raise ModelError(f"the model's chat template does not suit the format {form.name}")
    after = between.removeprefix(closing)
    first = neck + (form.first or form.step)
    return TextLayout(form, engine, head=head, first=first, tag=closing, after=after)


def _conversation(form: ValueFormat, user: str) -> list[Message]:
    system = [Message(role="system", content=form.system)] if form.system else []
    return [*system, Message(role="user", content=user)]


def _rendered(messages: list[Message], engine: Engine, form: ValueFormat) -> str:
    if engine.chat_template is None:
        raise ModelError(f"the model has no chat template, which the format {form.name} needs")
    names = [
        "" if token is None else engine.detokenize([token], special=True)
        for token in (engine.bos, engine.eos)
    ]
    template, (bos, eos) = engine.chat_template, names
    variables = find_thinking_switch(template).variables(think=False)
    return render_prompt(template, messages, bos=bos, eos=eos, variables=variables)


def _split_at(text: str, form: ValueFormat, *placeholders: str) -> list[str]:
    """The parts of the rendered text between the placeholders.

    Raises ModelError unless the chat template kept each placeholder exactly once.
    """
    parts = []
    for placeholder in placeholders:
        if text.count(placeholder) != 1:
            raise ModelError(f"the model's chat template does not suit the format {form.name}")
        part, _, text = text.partition(placeholder)
        parts.append(part)
    return [*parts, text]
