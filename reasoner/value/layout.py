"""Formats put to work: from a problem and a path to the sheet of tokens a value model reads.

The format's own text may hold control tokens; questions and steps are hostile, so in them a
control token's name is only text. Each piece is tokenised by itself: a step that is added can
then never change the tokens before it.
"""

from typing import Protocol

from reasoner.engine.engine import Engine
from reasoner.engine.template import render
from reasoner.errors import ModelError
from reasoner.models.format import ValueFormat
from reasoner.path import Path
from reasoner.problem import Message, Problem
from reasoner.value.sheet import Sheet

__all__ = ["Layout", "lay_out", "scored_texts"]

QUESTION, STEP, NEXT = "⟦question⟧", "⟦step⟧", "⟦next⟧"
"""Stand where the chat template shall put hostile text, which is then tokenised apart."""


class Layout(Protocol):
    """A format bound to a model's vocabulary and chat template."""

    def sheet(self, problem: Problem, path: Path) -> Sheet:
        """What to read to score every step of the path, and its answer once it is done."""


def lay_out(form: ValueFormat, engine: Engine) -> Layout:
    """Bind the format to the model. Raises ModelError when the model cannot be asked that way."""
    match form.layout:
        case "text":
            return _text(form, engine)
        case "chat":
            return _chat(form, engine)
        case "turns":
            return _turns(form, engine)
        case "path":
            return PathLayout(form, engine)


def scored_texts(path: Path) -> list[str]:
    """The texts that get a score: the steps, and the answer once the path is done."""
    answer = path.answer.strip() if path.done else ""
    return [step.text.strip() for step in path.steps] + ([answer] if answer else [])


class TextLayout:
    """Question and steps written out anew: `head` question `neck`, then step, `tag` and `after`
    for each step, and `closing` behind the last."""

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
        self._head = engine.tokenize(head) if head else []
        self._neck, self._tag = self._marks(neck), self._marks(tag)
        self._after, self._closing = self._marks(after), tuple(self._marks(closing))
        self._back = form.back
        if form.tag and len(self._tag) != 1:
            raise ModelError(
                f"the format {form.name} reads scores at {form.tag.strip() or 'a line end'!r}, "
                "which is not a token of this model; choose another --value-format"
            )

    def sheet(self, problem: Problem, path: Path) -> Sheet:
        tokens = self._head + self._plain(asked(problem)) + self._neck
        ends = []
        for number, text in enumerate(scored_texts(path), 1):
            template = self._step if number > 1 else self._first
            tokens += self._after if number > 1 else []
            tokens += self._plain(filled(template, number, text)) + self._tag
            ends.append(len(tokens))
        return Sheet(tuple(tokens), tuple(ends), self._closing, self._back)

    def _marks(self, text: str) -> list[int]:
        return self._within(text, special=True)

    def _plain(self, text: str) -> list[int]:
        return self._within(text, special=False)

    def _within(self, text: str, special: bool) -> list[int]:
        """Tokens of a text that something stands before.

        SentencePiece puts a blank before whatever it is given; behind a line break it does not.
        """
        if not text:
            return []
        line = self._engine.tokenize("\n", special)
        whole = self._engine.tokenize(f"\n{text}", special)
        split = whole[: len(line)] == line
        return whole[len(line) :] if split else self._engine.tokenize(text, special)


class PathLayout:
    """The tokens the policy itself has read and written, so only a closing is ever new."""

    def __init__(self, form: ValueFormat, engine: Engine) -> None:
        self._engine, self._back = engine, form.back
        self._closing = tuple(engine.tokenize(self._turn(form))) if form.user else ()

    def _turn(self, form: ValueFormat) -> str:
        """What a chat template puts between the end of a reply and the next one."""
        messages = [Message(role="user", content=QUESTION)]
        messages += [Message(role="assistant", content=STEP)]
        messages += [Message(role="user", content=form.user)]
        return _split(_rendered(messages, self._engine, form), form, STEP)[1]

    def sheet(self, problem: Problem, path: Path) -> Sheet:
        written = list(path.tokens)
        while written and self._engine.is_eog(written[-1]):
            written.pop()
        ends, end = [], len(path.prompt)
        whole = len(path.prompt) + len(written)
        for step in path.steps:
            end = min(end + step.tokens, whole)
            ends.append(end)
        if len(scored_texts(path)) > len(path.steps):
            ends.append(whole)
        return Sheet(path.prompt + tuple(written), tuple(ends), self._closing, self._back)


def asked(problem: Problem) -> str:
    """The question with what was said before it."""
    turns = [f"{message.role}: {message.content}" for message in problem.history]
    return "\n\n".join([*turns, problem.question.strip()])


def filled(template: str, number: int, text: str) -> str:
    """A step's template with its holes filled; braces in `text` stay what they are."""
    before, _, behind = template.replace("{number}", str(number)).partition("{step}")
    return f"{before}{text}{behind}"


def _text(form: ValueFormat, engine: Engine) -> Layout:
    head, _, neck = form.opening.partition("{question}")
    parts = {"tag": form.tag, "after": form.after, "closing": form.closing}
    return TextLayout(form, engine, head=head, neck=neck, first=form.first or form.step, **parts)


def _chat(form: ValueFormat, engine: Engine) -> Layout:
    user = form.user.replace("{question}", QUESTION).replace("{steps}", STEP)
    text = _rendered(_conversation(form, user), engine, form)
    head, neck, closing = _split(text, form, QUESTION, STEP)
    first = form.first or form.step
    return TextLayout(form, engine, head=head, neck=neck, first=first, closing=closing)


def _turns(form: ValueFormat, engine: Engine) -> Layout:
    user = form.user.replace("{question}", QUESTION).replace("{step}", STEP)
    messages = _conversation(form, user)
    messages += [Message(role="assistant", content=form.good[0])]
    messages += [Message(role="user", content=NEXT)]
    head, neck, between, closing = _split(
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
    return render(engine.chat_template, messages, bos=names[0], eos=names[1], think=False)


def _split(text: str, form: ValueFormat, *marks: str) -> list[str]:
    """The rendered text between the marks, each of which must have come through once."""
    parts = []
    for mark in marks:
        if text.count(mark) != 1:
            raise ModelError(f"the model's chat template does not suit the format {form.name}")
        part, _, text = text.partition(mark)
        parts.append(part)
    return [*parts, text]
