"""Who gets to see what: stdout holds the answer, stderr everything else. Decided here only."""

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from reasoner.cli.output.folding import FoldingNarrator
from reasoner.cli.output.narrator import Narrator
from reasoner.cli.output.progress import draw_progress
from reasoner.cli.output.terminal import colourful, is_terminal
from reasoner.cli.output.writers import (
    CodeWriter,
    FinalWriter,
    JsonWriter,
    MarkdownWriter,
    NdjsonWriter,
    RawWriter,
    Writer,
)

if TYPE_CHECKING:
    from reasoner.cli.options.view import ViewOptions
    from reasoner.cli.output.watch import Watch
    from reasoner.events import CandidateEvent, Event, Live, TextEvent
    from reasoner.models.progress import Progress
    from reasoner.result import Result

__all__ = ["Form", "Output"]

Form = Literal["text", "json", "ndjson", "final", "code"]


@dataclass
class Output:
    """One question's output: a solver is given `on_event` and `progress`; `close` ends it."""

    writer: Writer
    narrator: Narrator
    progress: "Progress"
    live: "Live" = "nothing"
    """What may be shown of the first line of thought as it comes."""
    ended: "list[CandidateEvent]" = field(default_factory=list)
    """Lines of thought that ended while another was shown."""
    watch: "Watch | None" = None

    @classmethod
    def open(cls, view: "ViewOptions", form: Form = "text", *, folds: bool = False) -> "Output":
        """`folds` shows a line for each step of the reasoning instead of all of it, where a line
        can be drawn again."""
        shown = view.show_reasoning
        if shown is None:
            shown = is_terminal(sys.stderr) and form not in ("json", "ndjson") and not view.watch
        colour = colourful(sys.stderr, no_color=view.no_color)
        kind = FoldingNarrator if folds and colour else Narrator
        narrator = kind(
            sys.stderr,
            colour=colour,
            thoughts=shown and not view.quiet,
            quiet=view.quiet,
            usage=view.usage,
            verdict=form not in ("json", "ndjson"),
        )
        progress = draw_progress(sys.stderr, quiet=view.quiet, no_color=view.no_color)
        watch = _watch(view, form) if view.watch and not view.quiet else None
        return cls(_writer(view, form), narrator, progress, watch=watch)

    def on_event(self, event: "Event") -> None:
        self.writer.event(event)
        if event.kind == "start":
            self.live = event.live if self.watch is None else "nothing"
        elif event.kind == "notice":
            if self.watch is not None:
                self.watch.make_way()
            self.narrator.say(event.text)
        elif self.watch is not None:
            self.watch.feed(event)
        elif event.kind == "candidate" and self.live == "reasoning":
            self.ended.append(event)  # it would cut through the thinking that is being shown
        elif event.kind == "candidate":
            self.narrator.candidate(event)
        elif event.kind == "text" and not self._shows(event):
            self.narrator.hint("searching…")
        elif event.kind == "step" and event.path == 0 and self.live != "nothing":
            self.narrator.end_step(event.step)
        elif event.kind == "text":
            self._text(event.channel, event.text)

    def _shows(self, event: "TextEvent") -> bool:
        if self.live == "reasoning":
            return event.path == 0 and event.channel == "reasoning"
        return self.live == "reply"

    def _text(self, channel: str, text: str) -> None:
        if channel == "reasoning":
            self.narrator.think(text)
        else:
            self.narrator.end_thoughts()
            self.writer.piece(text)

    def end(self) -> None:
        """Nothing more will be thought, whatever the reason: leave the terminal in order."""
        if self.watch is not None:
            self.watch.close()
        self.narrator.end_thoughts()

    def close(self, result: "Result") -> None:
        """Write what has not been written yet, then the line that says what the answer is worth.

        Of a search, the reasoning behind the answer is shown now that it is known which it is.
        """
        self.end()
        if self.live == "nothing" or (self.live == "reasoning" and _changed_its_mind(result)):
            from reasoner.protocol.spoken import spoken

            for step in result.reasoning:
                self.narrator.think(spoken(step))
                self.narrator.end_step(step)
        self.narrator.end_thoughts()
        for event in self.ended:
            self.narrator.candidate(event)
        self.writer.close(result)
        self.narrator.conclude(result)


def _watch(view: "ViewOptions", form: Form) -> "Watch":
    from reasoner.cli.output.watch import open_watch

    colour = colourful(sys.stderr, no_color=view.no_color)
    return open_watch(
        sys.stderr, colour=colour, alone=form != "ndjson" or not is_terminal(sys.stdout)
    )


def _changed_its_mind(result: "Result") -> bool:
    """Whether the answer came from another line of thought than the first."""
    return bool(result.candidates) and result.candidates[0].number != 0


def _writer(view: "ViewOptions", form: Form) -> Writer:
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
