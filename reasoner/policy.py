"""Engine and protocol together: "continue this path by a round"."""

from codecs import getincrementaldecoder
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from math import exp, inf
from random import Random
from typing import Any
from zlib import crc32

from reasoner.budget import Budget
from reasoner.engine.engine import Engine, Generation
from reasoner.engine.sampling import Sampling
from reasoner.engine.token import Finish, Token
from reasoner.errors import PromptTooLong, UsageError
from reasoner.events import Channel
from reasoner.lines import LONGEST, Line, likeliest_lines
from reasoner.path import Path, Phase, Step
from reasoner.problem import Problem
from reasoner.prompts import Prompts
from reasoner.protocol.calling import CallingRound, with_output
from reasoner.protocol.calls import Call, CallStyle
from reasoner.protocol.protocol import Round, StepProtocol
from reasoner.protocol.room import Room
from reasoner.protocol.turns import drawn, open_turns, turned
from reasoner.settings import Limits
from reasoner.tool import ToolCall

__all__ = ["Calling", "OnText", "Policy"]

OnText = Callable[[Channel, str], None]
"""Called with the text as it is written."""

ANSWER_TOKENS = 512
"""Tokens kept free for the answer, or a quarter of the room where that is less."""
STEP_TOKENS = 12
"""The least a step takes: its marks."""
CALLS = 8
"""Tool calls that one path may make."""
CALL_SECONDS = 10.0
MAX_OUTPUT = 1000
"""Tokens of a tool's output that go into the context."""


@dataclass(frozen=True)
class Calling:
    """How a policy may call tools: it writes in a `style`, and `use(tool, earlier, text, seconds)`
    makes the call. When `forced`, a path begins with one."""

    style: CallStyle
    use: Callable[[str, tuple[str, ...], str, float], Coroutine[Any, Any, ToolCall]]
    forced: bool = False


class Policy:
    """A model that thinks in steps."""

    def __init__(
        self,
        engine: Engine,
        protocol: StepProtocol,
        *,
        sampling: Sampling,
        again: Sampling | None = None,
        limits: Limits,
        budget: Budget,
        seed: int,
        merge_system: bool = False,
        calling: Calling | None = None,
    ) -> None:
        self._engine, self._protocol = engine, protocol
        self._sampling, self._limits = sampling, limits
        self._again = again or sampling
        self._budget, self._seed = budget, seed
        self._prompts = Prompts(engine, protocol, merge_system)
        self._think = limits.think and limits.budget != 0 and sampling.grammar is None
        self._calling = calling if self._think else None

    @property
    def varied(self) -> bool:
        """Whether two samples of the same step can differ at all."""
        return self._sampling.temperature > 0.0

    def again(self) -> "Policy":
        """The same policy for further draws: where it would repeat itself, it varies."""
        other = copy(self)
        other._sampling = self._again
        return other

    def within(self, tokens: int) -> "Policy":
        """The same policy for paths that shall not become longer than so many tokens."""
        other = copy(self)
        most = min(tokens, self._limits.max_tokens or tokens)
        other._limits = self._limits.model_copy(update={"max_tokens": most})
        return other

    def thinking(self, tokens: int) -> "Policy":
        """The same policy for paths whose reasoning shall end after so many tokens at most."""
        other = copy(self)
        most = tokens if self._limits.budget is None else min(tokens, self._limits.budget)
        other._limits = self._limits.model_copy(update={"budget": most})
        return other

    def start(self, problem: Problem, *, think: bool | None = None) -> Path:
        """The empty path of a problem; `think` overrides whether it begins with reasoning. Raises
        PromptTooLong, or UsageError when the least number of steps cannot fit."""
        think = self._think if think is None else think
        prompt = self._prompt(problem, think)
        room = self._engine.n_ctx - len(prompt)
        if room <= 1:
            raise PromptTooLong(len(prompt), self._engine.n_ctx)
        if self._limits.min_steps * STEP_TOKENS > room:
            raise UsageError(
                f"{self._limits.min_steps} steps need at least "
                f"{self._limits.min_steps * STEP_TOKENS} tokens, the context has {room} left; "
                "lower --min-steps or raise --context"
            )
        phase = Phase.REASONING if think else Phase.ANSWER
        return Path(prompt=tuple(prompt), phase=phase)

    @property
    def n_ctx(self) -> int:
        """Tokens that the context holds for one path."""
        return self._engine.n_ctx

    def measure(self, problem: Problem) -> int:
        """How many tokens the problem's prompt has, whether or not the context holds them."""
        return len(self._prompt(problem, self._think))

    def _prompt(self, problem: Problem, think: bool) -> list[int]:
        return self._prompts.tokens(problem, think, self._calling.style if self._calling else None)

    async def read_ahead(self, problem: Problem) -> None:
        """Read what the prompts of all questions at this point of a conversation begin with."""
        left, right = (
            self._prompt(problem.model_copy(update={"question": question}), self._think)
            for question in ("a", "b")
        )
        same = next(
            (i for i, pair in enumerate(zip(left, right, strict=False)) if len(set(pair)) > 1), 0
        )
        if 0 < same < self._engine.n_ctx:
            await self._engine.score(left[:same], [same - 1], [[left[same]]])

    async def extend(
        self,
        path: Path,
        *,
        seed: int = 0,
        on_text: OnText = lambda _channel, _text: None,
        sampling: Sampling | None = None,
    ) -> Path:
        """One round further: a step more, or the answer. `seed` tells paths apart; `sampling`
        replaces the policy's own for this round.

        A step that ends in a tool call comes back with the tool's output; only this path waits.
        """
        path = await self._turn(path, seed)
        round_ = self._round(path)
        generation = self._engine.generate(
            path.prompt + path.tokens,
            sampling or self._sampling,
            None if self._sampling.grammar else round_,
            max_tokens=max(1, self._left(path)),
            seed=self._round_seed(path, seed),
        )
        tokens = await self._collect(generation, round_, on_text, unread=1 if path.tokens else 0)
        longer = round_.conclude(tokens, generation.finish or Finish.CANCELLED)
        call = round_.call if isinstance(round_, CallingRound) else None
        if call is None or longer.done:
            return longer
        return await self._with_output(longer, call, on_text)

    def _round(self, path: Path) -> Round:
        """The protocol's next round, watched for tool calls where they may be made."""
        round_ = self._protocol.round(path, self._limits, self._room(path))
        made = sum(step.call is not None for step in path.steps)
        if self._calling is None or path.landed or made >= CALLS:
            return round_
        style = self._calling.style
        if round_.channel == "answer" and not style.functions():
            return round_  # a fenced block in an answer is the answer
        forced = self._calling.forced and not path.tokens
        opening = self._engine.tokenize(style.opening) if forced else ()
        return CallingRound(round_, path, style, self._engine, opening)

    async def _with_output(self, path: Path, call: Call, on_text: OnText) -> Path:
        """Make the call, and put what came of it where the model reads on."""
        assert self._calling is not None
        made = await self._make(path, call)
        before, after = self._calling.style.around()
        shown = self._engine.tokenize(made.output or "(no output)", special=False)
        room = max(0, min(self._left(path) - ANSWER_TOKENS, MAX_OUTPUT))
        tokens = [
            *self._engine.tokenize(before),
            *shown[:room],
            *self._engine.tokenize(after),
        ]
        self._budget.place(len(tokens))
        on_text("reasoning", f"\n{made.output}\n\n")
        return with_output(path, made, tokens)

    async def _make(self, path: Path, call: Call) -> ToolCall:
        assert self._calling is not None
        if call.error is not None:
            return _unmade(call, call.error)
        calls = [step.call for step in path.steps if step.call is not None]
        earlier = tuple(c.text for c in calls if c.kept and c.tool == call.tool)
        remaining = self._budget.remaining
        seconds = CALL_SECONDS if remaining is None else max(0.1, min(CALL_SECONDS, remaining))
        self._budget.tool_calls += 1
        made = self._calling.use(call.tool, earlier, call.text, seconds)
        return await self._budget.unless_stopped(made) or _unmade(call, "stopped")

    async def _collect(
        self, generation: Generation, round_: Round, on_text: OnText, unread: int
    ) -> list[Token]:
        """Drain a generation, telling its text as characters complete."""
        decoder = getincrementaldecoder("utf-8")(errors="replace")
        tokens: list[Token] = []
        marks = self._protocol.marks
        self._budget.track(generation)
        try:
            async for token in generation:
                tokens.append(token)
                self._budget.write()
                text = decoder.decode(self._engine.piece(token.id)) + marks.get(token.id, "")
                if text:
                    on_text(round_.channel, text)
        finally:
            self._budget.settle(generation, unread)
        return tokens

    def place(self, path: Path, text: str) -> Path:
        """The path with a step that was thought of elsewhere. Raises UsageError where the
        protocol's steps are more than a text."""
        if self._protocol.name == "steiner":
            raise UsageError("a step marked by tokens cannot be written for the model; sample it")
        tokens = tuple(self._engine.tokenize(f"{text.strip()}\n\n", special=False))
        self._budget.place(len(tokens))
        step = Step(text=text.strip(), tokens=len(tokens), forced=len(tokens))
        return path.grown(tokens).model_copy(update={"steps": (*path.steps, step)})

    def lines(self, path: Path, least: float) -> AsyncGenerator[Line, None]:
        """The likeliest next lines of a path, the likeliest first, down to a probability of
        `least`; none where the context has no room for a line."""
        tokens = path.prompt + path.tokens
        room = self._left(path) > LONGEST
        return likeliest_lines(self._engine, self._budget, tokens, least if room else inf)

    def written(self, path: Path, line: Line, below: str) -> Path:
        """The path with one of its next lines as a step, and what is placed below it."""
        placed = self._engine.tokenize(f"\n{below}\n", special=False)
        tokens = (*line.tokens, *placed)
        step = Step(
            text=line.text or "", tokens=len(tokens), forced=len(placed), logprob=line.logprob
        )
        return path.grown(tokens).model_copy(update={"steps": (*path.steps, step)})

    async def choose(self, problem: Problem, options: Sequence[str]) -> tuple[float, ...] | None:
        """How likely the model is to begin its reply with each option, among these; read from
        the logits, so nothing is written; None when the budget does not afford it, or the context
        does not hold it. The options' first tokens must differ."""
        prompt = self._prompt(problem, think=False)
        if len(prompt) >= self._engine.n_ctx or not self._budget.judge(len(prompt)):
            return None
        return await self._chances(prompt, options)

    async def _chances(self, tokens: Sequence[int], options: Iterable[str]) -> tuple[float, ...]:
        """How likely each option is to come after the tokens, among these."""
        targets = [self._engine.tokenize(option)[0] for option in options]
        (found,) = await self._engine.score(tokens, [len(tokens) - 1], [targets])
        top = max(found)
        weights = [exp(logprob - top) for logprob in found]
        total = sum(weights)
        return tuple(weight / total for weight in weights)

    async def _turn(self, path: Path, seed: int) -> Path:
        """The path with what is decided at the end of its last step, where that is open."""
        turns = open_turns(path, self._limits, self._protocol.phrases)
        if not turns or self._left(path) <= 1 or not self._budget.judge(1):
            return path
        chances = await self._chances(path.prompt + path.tokens, turns.values())
        random = Random(self._round_seed(path, seed))  # noqa: S311
        weighed = dict(zip(turns, chances, strict=True))
        return turned(path, drawn(weighed, self._sampling.temperature, random))

    def forget(self, path: Path, keep: Path | None = None) -> None:
        """Nobody will continue `path` beyond `keep`, or beyond its prompt."""
        kept = len(path.prompt) + (len(keep.tokens) if keep else 0)
        self._engine.forget(path.prompt + path.tokens, kept - 1)

    def forget_all(self, path: Path) -> None:
        """Nobody will continue any path with this one's prompt."""
        self._engine.forget(path.prompt, len(path.prompt) - 1, below=True)

    def _left(self, path: Path) -> int:
        """Tokens the path may still write in all."""
        left = self._engine.n_ctx - len(path.prompt) - len(path.tokens)
        if self._limits.max_tokens is not None:
            left = min(left, self._limits.max_tokens - len(path.tokens))
        return left

    def _room(self, path: Path) -> Room:
        total = self._left(path) + len(path.tokens)
        hard = max(0, total - min(ANSWER_TOKENS, total // 3))
        reasoning = hard if self._limits.budget is None else min(hard, self._limits.budget)
        return Room(reasoning, hard, self._left(path), self._budget.reasoning_over)

    def _round_seed(self, path: Path, seed: int) -> int:
        """A seed for every round of every path, so that no two rounds draw the same numbers."""
        return crc32(f"{self._seed}/{seed}/{len(path.tokens)}".encode()) % (2**32 - 2)


def _unmade(call: Call, why: str) -> ToolCall:
    return ToolCall(tool=call.tool, text=call.text, output=why, ok=False, kept=False, seconds=0.0)
