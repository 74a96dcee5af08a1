"""The policy: an engine and a protocol that together extend trajectories round by round."""

from codecs import getincrementaldecoder
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from copy import copy
from math import inf
from random import Random
from zlib import crc32

from reasoner.budget import Budget
from reasoner.engine.engine import Engine, Generation
from reasoner.engine.sampling import Sampling
from reasoner.engine.softmax import softmax
from reasoner.engine.token import Finish, Token
from reasoner.errors import PromptTooLong, UsageError
from reasoner.events import Channel
from reasoner.lines import LONGEST, Line, likeliest_lines
from reasoner.path import Path, Phase, Step
from reasoner.problem import Problem
from reasoner.prompts import Prompts
from reasoner.protocol.calling import CallingRound
from reasoner.protocol.protocol import Round, StepProtocol
from reasoner.protocol.room import Room
from reasoner.protocol.turns import drawn, open_turns, turned
from reasoner.settings import Limits
from reasoner.tool_calling import Calling, ToolCaller

__all__ = ["OnText", "Policy"]

OnText = Callable[[Channel, str], None]
"""A callback that receives text as it is generated."""

MAX_ANSWER_RESERVE_TOKENS = 512
"""Tokens reserved for the answer, or a third of the allowance where that is less."""
MIN_STEP_TOKENS = 12
"""Tokens that a step takes at least: its marks."""
MAX_OUTPUT_TOKENS = 1000
"""Tokens of a tool's output that are inserted into a trajectory."""


class Policy:
    """A model that reasons in steps, for one question with its limits, budget and seed.

    `sampling` draws the tokens; `again` replaces it in `Policy.again()`. `merge_system` puts the
    system prompt before the question, for models trained without system prompts. `calling` allows
    tool calls; they need reasoning, so they are off without it.
    """

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
        self._varied_sampling = again or sampling
        self._budget, self._seed = budget, seed
        self._prompts = Prompts(engine, protocol, merge_system)
        self._think = limits.think and limits.budget != 0 and sampling.grammar is None
        allowed = calling is not None and self._think
        self._tools = ToolCaller(engine, budget, calling) if calling and allowed else None

    @property
    def varied(self) -> bool:
        """Whether two samples of the same step can differ."""
        return self._sampling.temperature > 0.0

    @property
    def n_ctx(self) -> int:
        """The context size in tokens, for one trajectory."""
        return self._engine.n_ctx

    def again(self) -> "Policy":
        """A copy for further samples of the same prompt, with sampling that is never greedy."""
        varied = copy(self)
        varied._sampling = self._varied_sampling
        return varied

    def within(self, tokens: int) -> "Policy":
        """A copy that limits trajectories to `tokens` tokens, without the prompt."""
        limit = min(tokens, self._limits.max_tokens or tokens)
        return self._with_limits(max_tokens=limit)

    def thinking(self, tokens: int) -> "Policy":
        """A copy that limits the reasoning of trajectories to `tokens` tokens."""
        limit = tokens if self._limits.budget is None else min(tokens, self._limits.budget)
        return self._with_limits(budget=limit)

    def _with_limits(self, **limits: int) -> "Policy":
        limited = copy(self)
        limited._limits = self._limits.model_copy(update=limits)
        return limited

    def start(self, problem: Problem, *, think: bool | None = None) -> Path:
        """The empty trajectory of a problem; `think` overrides whether it begins with reasoning.

        Raises PromptTooLong when the context does not hold the prompt, and UsageError when the
        minimum number of steps cannot fit after it.
        """
        think = self._think if think is None else think
        prompt = self._prompt(problem, think)
        remaining_tokens = self._engine.n_ctx - len(prompt)
        if remaining_tokens <= 1:
            raise PromptTooLong(len(prompt), self._engine.n_ctx)
        self._require_min_steps(remaining_tokens)
        phase = Phase.REASONING if think else Phase.ANSWER
        return Path(prompt=tuple(prompt), phase=phase)

    def _require_min_steps(self, remaining_tokens: int) -> None:
        required_tokens = self._limits.min_steps * MIN_STEP_TOKENS
        if required_tokens > remaining_tokens:
            raise UsageError(
                f"{self._limits.min_steps} steps need at least {required_tokens} tokens, the "
                f"context has {remaining_tokens} left; lower --min-steps or raise --context"
            )

    def measure(self, problem: Problem) -> int:
        """The number of tokens of the problem's prompt, whether or not the context holds them."""
        return len(self._prompt(problem, self._think))

    def _prompt(self, problem: Problem, think: bool) -> list[int]:
        return self._prompts.tokens(problem, think, self._tools.style if self._tools else None)

    async def read_ahead(self, problem: Problem) -> None:
        """Prefill the prefix that the prompts of all questions share after this conversation."""
        first, second = (
            self._prompt(problem.model_copy(update={"question": question}), self._think)
            for question in ("a", "b")
        )
        pairs = enumerate(zip(first, second, strict=False))
        shared = next((position for position, pair in pairs if len(set(pair)) > 1), 0)
        if 0 < shared < self._engine.n_ctx:
            await self._engine.score(first[:shared], [shared - 1], [[first[shared]]])

    async def extend(
        self,
        trajectory: Path,
        *,
        seed: int = 0,
        on_text: OnText = lambda _channel, _text: None,
        sampling: Sampling | None = None,
    ) -> Path:
        """The trajectory after one more round: with one more step, or with its answer.

        `seed` makes trajectories with equal tokens differ; `sampling` replaces the policy's own
        for this round. A step that ends in a tool call is returned with the tool's output; while
        the tool runs, other trajectories continue. Raises ContextFull or EngineError.
        """
        trajectory = await self._decide(trajectory, seed)
        round_ = self._round(trajectory)
        generation = self._engine.generate(
            trajectory.prompt + trajectory.tokens,
            sampling or self._sampling,
            None if self._sampling.grammar else round_,
            max_tokens=max(1, self._remaining_tokens(trajectory)),
            seed=self._round_seed(trajectory, seed),
        )
        unread = 1 if trajectory.tokens else 0
        tokens = await self._collect(generation, round_, on_text, unread)
        extended = round_.conclude(tokens, generation.finish or Finish.CANCELLED)
        return await self._call_tool(extended, round_, on_text)

    def _round(self, trajectory: Path) -> Round:
        """The protocol's next round, which ends at a tool call where one may be made."""
        round_ = self._protocol.round(trajectory, self._limits, self._allowance(trajectory))
        return round_ if self._tools is None else self._tools.watch(round_, trajectory)

    async def _collect(
        self, generation: Generation, round_: Round, on_text: OnText, unread: int
    ) -> list[Token]:
        """All tokens of a generation; its text is passed on as characters complete."""
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

    async def _call_tool(self, trajectory: Path, round_: Round, on_text: OnText) -> Path:
        """The trajectory with the output of the tool call that ended the round, if one did."""
        call = round_.call if isinstance(round_, CallingRound) else None
        if call is None or trajectory.done:
            return trajectory
        assert self._tools is not None
        record = await self._tools.execute(trajectory, call)
        output_tokens = self._remaining_tokens(trajectory) - MAX_ANSWER_RESERVE_TOKENS
        max_output_tokens = max(0, min(output_tokens, MAX_OUTPUT_TOKENS))
        extended = self._tools.insert_output(trajectory, record, max_output_tokens)
        on_text("reasoning", f"\n{record.output}\n\n")
        return extended

    def place(self, trajectory: Path, text: str) -> Path:
        """The trajectory with `text` inserted as its next step.

        Raises UsageError where the protocol marks steps by tokens: the text has none.
        """
        if self._protocol.name == "steiner":
            raise UsageError("a step marked by tokens cannot be written for the model; sample it")
        tokens = tuple(self._engine.tokenize(f"{text.strip()}\n\n", special=False))
        self._budget.place(len(tokens))
        step = Step(text=text.strip(), tokens=len(tokens), forced=len(tokens))
        return _with_step(trajectory, tokens, step)

    def lines(self, trajectory: Path, min_probability: float) -> AsyncGenerator[Line, None]:
        """The likeliest next lines of a trajectory, the likeliest first, down to a probability of
        `min_probability`; none where the context has no space for a line."""
        tokens = trajectory.prompt + trajectory.tokens
        fits = self._remaining_tokens(trajectory) > LONGEST
        return likeliest_lines(self._engine, self._budget, tokens, min_probability if fits else inf)

    def written(self, trajectory: Path, line: Line, below: str) -> Path:
        """The trajectory with one of its next lines as a step, and the text `below` under it."""
        inserted = self._engine.tokenize(f"\n{below}\n", special=False)
        tokens = (*line.tokens, *inserted)
        step = Step(
            text=line.text or "", tokens=len(tokens), forced=len(inserted), logprob=line.logprob
        )
        return _with_step(trajectory, tokens, step)

    async def choose(self, problem: Problem, options: Sequence[str]) -> tuple[float, ...] | None:
        """The probability that the model's reply begins with each option, among these.

        It is read from the logits and nothing is generated. The first tokens of the options must
        differ. None when the budget does not allow it or the context does not hold the prompt.
        """
        prompt = self._prompt(problem, think=False)
        if len(prompt) >= self._engine.n_ctx or not self._budget.judge(len(prompt)):
            return None
        return await self._option_probabilities(prompt, options)

    async def _option_probabilities(
        self, tokens: Sequence[int], options: Iterable[str]
    ) -> tuple[float, ...]:
        """The probability of the first token of each option after the tokens, among these."""
        targets = [self._engine.tokenize(option)[0] for option in options]
        (logprobs,) = await self._engine.score(tokens, [len(tokens) - 1], [targets])
        return softmax(logprobs)

    async def _decide(self, trajectory: Path, seed: int) -> Path:
        """The trajectory with the decision at the end of its last step, where it is still open."""
        phrases = open_turns(trajectory, self._limits, self._protocol.phrases)
        if not phrases or self._remaining_tokens(trajectory) <= 1 or not self._budget.judge(1):
            return trajectory
        probabilities = await self._option_probabilities(
            trajectory.prompt + trajectory.tokens, phrases.values()
        )
        random = Random(self._round_seed(trajectory, seed))  # noqa: S311
        by_decision = dict(zip(phrases, probabilities, strict=True))
        return turned(trajectory, drawn(by_decision, self._sampling.temperature, random))

    def forget(self, trajectory: Path, keep: Path | None = None) -> None:
        """Free what the prefix cache holds of the trajectory beyond `keep`, or its prompt."""
        kept_tokens = len(trajectory.prompt) + (len(keep.tokens) if keep else 0)
        self._engine.forget(trajectory.prompt + trajectory.tokens, kept_tokens - 1)

    def forget_all(self, trajectory: Path) -> None:
        """Free what the prefix cache holds of all trajectories with this one's prompt."""
        self._engine.forget(trajectory.prompt, len(trajectory.prompt) - 1, below=True)

    def _remaining_tokens(self, trajectory: Path) -> int:
        """Tokens that may still be added to the trajectory."""
        remaining = self._engine.n_ctx - len(trajectory.prompt) - len(trajectory.tokens)
        if self._limits.max_tokens is not None:
            remaining = min(remaining, self._limits.max_tokens - len(trajectory.tokens))
        return remaining

    def _allowance(self, trajectory: Path) -> Room:
        remaining = self._remaining_tokens(trajectory)
        total = remaining + len(trajectory.tokens)
        hard = max(0, total - min(MAX_ANSWER_RESERVE_TOKENS, total // 3))
        reasoning = hard if self._limits.budget is None else min(hard, self._limits.budget)
        return Room(reasoning, hard, remaining, self._budget.reasoning_over)

    def _round_seed(self, trajectory: Path, seed: int) -> int:
        """A seed that differs between all rounds of all trajectories of a question."""
        return crc32(f"{self._seed}/{seed}/{len(trajectory.tokens)}".encode()) % (2**32 - 2)


def _with_step(trajectory: Path, tokens: tuple[int, ...], step: Step) -> Path:
    return trajectory.grown(tokens).model_copy(update={"steps": (*trajectory.steps, step)})
