"""Decides what goes where: stdout gets the answer, stderr everything else."""

import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from reasoner.cli.output.folding import FoldingNarrator
from reasoner.cli.output.narrator import Narrator
from reasoner.cli.output.progress import draw_progress
from reasoner.cli.output.sentences import candidate_sentence, cross_check_sentences
from reasoner.cli.output.terminal import colourful, is_terminal, same_terminal
from reasoner.cli.output.writers import (
    AnswerWriter,
    CodeWriter,
    FinalWriter,
    JsonWriter,
    MarkdownWriter,
    NdjsonWriter,
    RawWriter,
)
from reasoner.errors import ReasonerError

if TYPE_CHECKING:
    from reasoner.cli.options.view import ViewOptions
    from reasoner.cli.output.watch import SearchView
    from reasoner.models.progress import DownloadObserver
    from reasoner.types.events import CandidateEvent, Event, LiveView, StartEvent, TextEvent
    from reasoner.types.result import Result

__all__ = ["Output", "OutputForm"]

OutputForm = Literal["text", "json", "ndjson", "final", "code"]
CROSS_CHECK = "cross-check"
REPEATED = ("majority", "best-of-n", "weighted-best-of-n")
"""The strategies whose parameter `n` is the number of their candidates."""


@dataclass
class Output:
    """One question's output: a solver is given `on_event` and `progress`; `close` ends it."""

    writer: AnswerWriter
    narrator: Narrator
    progress: "DownloadObserver"
    live: "LiveView" = "nothing"
    """What may be shown of the first trajectory as it comes."""
    search_view: "SearchView | None" = None
    shared: bool = False
    """Whether the answer appears on the same screen as the reasoning."""
    _strategy: str = ""
    _total: int | None = None
    """How many candidates the strategy makes, if that is known."""
    _candidates: "list[CandidateEvent]" = field(default_factory=list)
    _shown_paths: set[int] = field(default_factory=set)
    """The trajectories whose text came as events; a program's does not."""
    _pending: str = ""
    """The beginning of an answer that is on the screen already, as far as it came."""
    _streamed: bool = False
    """Whether the writer got something of the answer."""

    @classmethod
    def open(
        cls, view: "ViewOptions", form: OutputForm = "text", *, folds: bool = False
    ) -> "Output":
        """`folds` shows a line for each step of the reasoning instead of all of it, where a line
        can be drawn again."""
        thoughts = view.show_reasoning
        if thoughts is None:
            thoughts = is_terminal(sys.stderr) and form not in ("json", "ndjson") and not view.watch
        colour = colourful(sys.stderr, no_color=view.no_color)
        narrator_class = FoldingNarrator if folds and colour else Narrator
        narrator = narrator_class(
            sys.stderr,
            colour=colour,
            shows_reasoning=thoughts and not view.quiet,
            quiet=view.quiet,
            usage=view.usage,
            verdict=form not in ("json", "ndjson"),
        )
        return cls(
            _writer(view, form),
            narrator,
            draw_progress(sys.stderr, quiet=view.quiet),
            search_view=_search_view(view, form) if view.watch and not view.quiet else None,
            shared=form == "text" and same_terminal(sys.stdout, sys.stderr),
        )

    def on_event(self, event: "Event") -> None:
        self.writer.event(event)
        if event.kind == "start":
            self._start(event)
        elif event.kind == "notice":
            if self.search_view is not None:
                self.search_view.make_way()
            self.narrator.show_notice(event.text)
        elif self.search_view is not None:
            self.search_view.feed(event)
        elif event.kind == "candidate":
            self._candidate(event)
        elif event.kind == "step" and event.path == 0 and self.live != "nothing":
            self.narrator.end_step(event.step)
        elif event.kind == "text":
            self._text(event)

    def end(self) -> None:
        """Leave the terminal in order: nothing more will be thought, whatever the reason."""
        if self.search_view is not None:
            self.search_view.close()
        self.narrator.end_thoughts()

    def close(self, result: "Result") -> None:
        """Write what has not been written yet of the answer, then how it was checked.

        Of a search, the reasoning behind the answer is shown now that it is known which it is. An
        answer that ends the reasoning on the same screen is not written twice.
        """
        self.end()
        other = self.live == "reasoning" and _other_trajectory(result)
        if self.narrator.shows_reasoning and self.shared and other:
            self.narrator.show_notice("the answer comes from another candidate:")
        if self.narrator.shows_reasoning and (other or self.live == "nothing"):
            self._show_reasoning(result)
        if self._streamed or not self.shared or self.narrator.take_back(result.answer):
            self.writer.close(result)
            if self.shared and self.narrator.shows_reasoning and result.answer.strip():
                self.narrator.separate()
        self._report_candidates()
        self.narrator.conclude(result)

    def _start(self, event: "StartEvent") -> None:
        self.live = event.live if self.search_view is None else "nothing"
        self._strategy = event.strategy
        self._total = _candidate_count(event) if self.live == "nothing" else None

    def _candidate(self, event: "CandidateEvent") -> None:
        """Report a candidate: at once, unless it would cut through reasoning that is being shown.

        The only one of a strategy that shows its whole reply is not reported.
        """
        self._candidates.append(event)
        if self.live == "nothing" and self.narrator.shows_reasoning:
            number = len(self._candidates)
            self.narrator.show_notice(candidate_sentence(event, number, self._total))

    def _report_candidates(self) -> None:
        if self.live != "reasoning" or not self.narrator.shows_reasoning:
            return
        sentences = [
            candidate_sentence(event, number, self._total)
            for number, event in enumerate(self._candidates, 1)
        ]
        if self._strategy == CROSS_CHECK:
            reasonings = [
                candidate for candidate in self._candidates if candidate.path in self._shown_paths
            ]
            programs = [
                candidate
                for candidate in self._candidates
                if candidate.path not in self._shown_paths
            ]
            sentences = cross_check_sentences(reasonings, programs)
        for sentence in sentences:
            self.narrator.show_notice(sentence)

    def _text(self, event: "TextEvent") -> None:
        if event.channel == "reasoning":
            self._shown_paths.add(event.path)
        if not self._shows(event):
            self.narrator.hint("searching…")
        elif event.channel == "reasoning":
            self.narrator.show_reasoning(event.text)
        else:
            self._answer(event.text)

    def _shows(self, event: "TextEvent") -> bool:
        if self.live == "reasoning":
            return event.path == 0 and event.channel == "reasoning"
        return self.live == "reply"

    def _answer(self, text: str) -> None:
        """Pass a piece of the answer on, unless all of it so far ends the reasoning."""
        self.narrator.end_thoughts()
        self._pending += text
        if self.shared and not self._streamed and self.narrator.ends_with(self._pending):
            return
        self._streamed = self._streamed or bool(self._pending.strip())
        self.writer.piece(self._pending)
        self._pending = ""

    def _show_reasoning(self, result: "Result") -> None:
        from reasoner.protocol.step_format import (
            format_step,
        )  # with pydantic, which takes half a second

        for step in result.reasoning:
            self.narrator.show_reasoning(format_step(step))
            self.narrator.end_step(step)
        self.narrator.end_thoughts()


def _search_view(view: "ViewOptions", form: OutputForm) -> "SearchView":
    from reasoner.cli.output.watch import open_search_view  # with pydantic and asyncio

    colour = colourful(sys.stderr, no_color=view.no_color)
    alone = form != "ndjson" or not is_terminal(sys.stdout)
    return open_search_view(sys.stderr, colour=colour, alone=alone)


def _candidate_count(event: "StartEvent") -> int | None:
    """How many candidates the strategy makes at most, if that is known beforehand."""
    if event.strategy not in REPEATED:
        return None
    from reasoner.search.strategies.registry import (
        find_strategy,  # with all of the search and numpy
    )

    with suppress(ReasonerError):  # a server of another version may know other parameters
        return getattr(
            find_strategy(event.strategy).parse_options(event.strategy_options), "n", None
        )
    return None


def _other_trajectory(result: "Result") -> bool:
    """Whether the answer came from another trajectory than the first."""
    return bool(result.candidates) and result.candidates[0].number != 0


def _writer(view: "ViewOptions", form: OutputForm) -> AnswerWriter:
    out = sys.stdout
    if form == "json":
        return JsonWriter(out)
    if form == "ndjson":
        return NdjsonWriter(out)
    if form == "final":
        return FinalWriter(out)
    if form == "code":
        return CodeWriter(out)
    if is_terminal(out) and not view.raw:
        return MarkdownWriter(out, colour=colourful(out, no_color=view.no_color))
    return RawWriter(out)
