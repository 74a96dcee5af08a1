"""The policy: an engine and a protocol that together extend trajectories round by round."""

from collections.abc import AsyncGenerator, Callable, Sequence
from copy import copy
from math import inf
from random import Random
from zlib import crc32

from reasoner.engine.interface import Engine
from reasoner.engine.sampling import Sampling
from reasoner.engine.token import Finish
from reasoner.errors import PromptTooLong, UsageError
from reasoner.policy.allowance import MAX_ANSWER_RESERVE_TOKENS, divide_tokens, require_min_steps
from reasoner.policy.budget import Budget
from reasoner.policy.first_token import first_token_probabilities
from reasoner.policy.likely_lines import MAX_LINE_TOKENS, LineContinuation, likeliest_lines
from reasoner.policy.prompt_builder import PromptBuilder, PromptOptions
from reasoner.policy.stop_text import StopTextRound
from reasoner.policy.token_collector import collect_tokens
from reasoner.policy.tool_calling import ToolCallConfig, ToolCaller
from reasoner.protocol.protocol import Round, StepProtocol
from reasoner.protocol.step_decisions import allowed_decisions, sample_decision, with_decision
from reasoner.protocol.token_allowance import TokenAllowance
from reasoner.protocol.tool_call_round import ToolCallRound
from reasoner.settings import Limits
from reasoner.types.events import Channel
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Phase, Step, Trajectory

__all__ = ["OnText", "Policy"]

OnText = Callable[[Channel, str], None]
"""A callback that receives text as it is generated."""

MAX_OUTPUT_TOKENS = 1000
"""Tokens of a tool's output that are inserted into a trajectory."""


class Policy:
    """A model that reasons in steps, for one question with its limits, budget and seed.

    `sampling` draws the tokens; `varied_sampling` replaces it in `with_varied_sampling()`.
    `prompt_options` says how prompts are made. `tool_calls` allows tool calls; they need
    reasoning, so they are off without it.
    """

    def __init__(
        self,
        engine: Engine,
        protocol: StepProtocol,
        *,
        sampling: Sampling,
        varied_sampling: Sampling | None = None,
        limits: Limits,
        budget: Budget,
        seed: int,
        prompt_options: PromptOptions | None = None,
        tool_calls: ToolCallConfig | None = None,
    ) -> None:
        self._engine, self._protocol = engine, protocol
        self._sampling, self._limits = sampling, limits
        self._varied_sampling = varied_sampling or sampling
        self._budget, self._seed = budget, seed
        self._prompts = PromptBuilder(engine, protocol, prompt_options or PromptOptions())
        self._think = limits.think and limits.budget != 0 and sampling.grammar is None
        allowed = tool_calls is not None and self._think
        self._tools = ToolCaller(engine, budget, tool_calls) if tool_calls and allowed else None

    @property
    def is_stochastic(self) -> bool:
        """Whether two samples of the same step can differ."""
        return self._sampling.temperature > 0.0

    @property
    def can_score_tokens(self) -> bool:
        """Whether the engine returns the log-probabilities of given tokens."""
        return self._engine.capabilities.score

    @property
    def n_ctx(self) -> int:
        """The context size in tokens, for one trajectory."""
        return self._engine.n_ctx

    def with_varied_sampling(self) -> "Policy":
        """A copy for further samples of the same prompt, with sampling that is never greedy."""
        varied = copy(self)
        varied._sampling = self._varied_sampling
        return varied

    def with_max_tokens(self, tokens: int) -> "Policy":
        """A copy that limits trajectories to `tokens` tokens, without the prompt."""
        limit = min(tokens, self._limits.max_tokens or tokens)
        return self.with_limits(max_tokens=limit)

    def with_max_reasoning_tokens(self, tokens: int) -> "Policy":
        """A copy that limits the reasoning of trajectories to `tokens` tokens."""
        limit = tokens if self._limits.budget is None else min(tokens, self._limits.budget)
        return self.with_limits(budget=limit)

    @property
    def limits(self) -> Limits:
        """The limits of its trajectories."""
        return self._limits

    def with_limits(self, **limits: object) -> "Policy":
        """A copy with the limits in `limits` replaced."""
        limited = copy(self)
        limited._limits = self._limits.model_copy(update=limits)
        return limited

    def start_trajectory(self, problem: Problem, *, think: bool | None = None) -> Trajectory:
        """The empty trajectory of a problem; `think` overrides whether it begins with reasoning.

        Raises PromptTooLong when the context does not hold the prompt, and UsageError when the
        minimum number of steps cannot fit after it.
        """
        think = self._think if think is None else think
        prompt = self._prompt(problem, think)
        remaining_tokens = self._engine.n_ctx - len(prompt)
        if remaining_tokens <= 1:
            raise PromptTooLong(len(prompt), self._engine.n_ctx)
        require_min_steps(self._limits.min_steps, remaining_tokens)
        phase = Phase.REASONING if think else Phase.ANSWER
        return Trajectory(prompt=tuple(prompt), phase=phase)

    def count_prompt_tokens(self, problem: Problem) -> int:
        """The number of tokens of the problem's prompt, whether or not the context holds them."""
        return len(self._prompt(problem, self._think))

    def _prompt(self, problem: Problem, think: bool) -> list[int]:
        return self._prompts.prompt_tokens(
            problem, think, self._tools.style if self._tools else None
        )

    async def prefill_history(self, problem: Problem) -> None:
        """Prefill the prefix that the prompts of all questions share after this conversation."""
        if not self.can_score_tokens:
            return
        first, second = (
            self._prompt(problem.model_copy(update={"question": question}), self._think)
            for question in ("a", "b")
        )
        pairs = enumerate(zip(first, second, strict=False))
        shared = next((position for position, pair in pairs if len(set(pair)) > 1), 0)
        if 0 < shared < self._engine.n_ctx:
            await self._engine.token_logprobs(first[:shared], [shared - 1], [[first[shared]]])

    async def extend(
        self,
        trajectory: Trajectory,
        *,
        seed: int = 0,
        on_text: OnText = lambda _channel, _text: None,
        sampling: Sampling | None = None,
    ) -> Trajectory:
        """The trajectory after one more round: with one more step, or with its answer.

        `seed` makes trajectories with equal tokens differ; `sampling` replaces the policy's own
        for this round. A step that ends in a tool call is returned with the tool's output; while
        the tool runs, other trajectories continue. Raises ContextFull or EngineError.
        """
        trajectory = await self._decide(trajectory, seed)
        round_ = self._round(trajectory)
        watch = StopTextRound(round_, self._limits.stop)
        generation = self._engine.generate(
            trajectory.prompt + trajectory.tokens,
            sampling or self._sampling,
            None if self._sampling.grammar else watch,
            max_tokens=max(1, self._remaining_tokens(trajectory)),
            seed=self._round_seed(trajectory, seed),
            ignored_ends=self._protocol.ignored_ends,
        )
        tokens = await collect_tokens(
            generation,
            self._budget,
            visible=watch.visible_text(),
            unread=1 if trajectory.tokens else 0,
            on_text=on_text,
        )
        extended = watch.conclude(tokens, generation.finish or Finish.CANCELLED)
        return await self._call_tool(extended, round_, on_text)

    def _round(self, trajectory: Trajectory) -> Round:
        """The protocol's next round, which ends at a tool call where one may be made."""
        round_ = self._protocol.round(trajectory, self._limits, self._allowance(trajectory))
        return round_ if self._tools is None else self._tools.watch_round(round_, trajectory)

    async def _call_tool(
        self, trajectory: Trajectory, round_: Round, on_text: OnText
    ) -> Trajectory:
        """The trajectory with the output of the tool call that ended the round, if one did."""
        call = round_.call if isinstance(round_, ToolCallRound) else None
        if call is None or trajectory.is_done:
            return trajectory
        assert self._tools is not None
        record = await self._tools.execute_call(trajectory, call)
        output_tokens = self._remaining_tokens(trajectory) - MAX_ANSWER_RESERVE_TOKENS
        max_output_tokens = max(0, min(output_tokens, MAX_OUTPUT_TOKENS))
        extended = self._tools.insert_output(trajectory, record, max_output_tokens, call)
        on_text("reasoning", f"\n{record.output}\n\n")
        return extended

    def insert_step(self, trajectory: Trajectory, text: str) -> Trajectory:
        """The trajectory with `text` inserted as its next step.

        Raises UsageError where the protocol marks steps by tokens: the text has none.
        """
        if self._protocol.name == "steiner":
            raise UsageError("a step marked by tokens cannot be written for the model; sample it")
        tokens = tuple(self._engine.tokenize(f"{text.strip()}\n\n", special=False))
        self._budget.count_inserted(len(tokens))
        step = Step(text=text.strip(), tokens=len(tokens), forced=len(tokens))
        return _with_step(trajectory, tokens, step)

    def likeliest_next_lines(
        self, trajectory: Trajectory, min_probability: float
    ) -> AsyncGenerator[LineContinuation, None]:
        """The likeliest next lines of a trajectory, the likeliest first, down to a probability of
        `min_probability`; none where the context has no space for a line."""
        tokens = trajectory.prompt + trajectory.tokens
        fits = self._remaining_tokens(trajectory) > MAX_LINE_TOKENS
        return likeliest_lines(self._engine, self._budget, tokens, min_probability if fits else inf)

    def append_line(self, trajectory: Trajectory, line: LineContinuation, below: str) -> Trajectory:
        """The trajectory with one of its next lines as a step, and the text `below` under it."""
        inserted = self._engine.tokenize(f"\n{below}\n", special=False)
        tokens = (*line.tokens, *inserted)
        step = Step(
            text=line.text or "", tokens=len(tokens), forced=len(inserted), logprob=line.logprob
        )
        return _with_step(trajectory, tokens, step)

    async def option_probabilities(
        self, problem: Problem, options: Sequence[str]
    ) -> tuple[float, ...] | None:
        """The probability that the model's reply begins with each option, among these.

        It is read from the logits and nothing is generated. The first tokens of the options must
        differ. None when the budget does not allow it or the context does not hold the prompt.
        """
        prompt = self._prompt(problem, think=False)
        if len(prompt) >= self._engine.n_ctx or not self._budget.try_charge_judging(len(prompt)):
            return None
        return await first_token_probabilities(self._engine, prompt, options)

    async def _decide(self, trajectory: Trajectory, seed: int) -> Trajectory:
        """The trajectory with the decision at the end of its last step, where it is still open."""
        phrases = allowed_decisions(trajectory, self._limits, self._protocol.decision_phrases)
        if (
            not phrases
            or self._remaining_tokens(trajectory) <= 1
            or not self._budget.try_charge_judging(1)
        ):
            return trajectory
        probabilities = await first_token_probabilities(
            self._engine, trajectory.prompt + trajectory.tokens, phrases.values()
        )
        random = Random(self._round_seed(trajectory, seed))  # noqa: S311
        by_decision = dict(zip(phrases, probabilities, strict=True))
        return with_decision(
            trajectory, sample_decision(by_decision, self._sampling.temperature, random)
        )

    def release_trajectory(self, trajectory: Trajectory, keep: Trajectory | None = None) -> None:
        """Free what the prefix cache holds of the trajectory beyond `keep`, or its prompt."""
        kept_tokens = len(trajectory.prompt) + (len(keep.tokens) if keep else 0)
        self._engine.release_prefix(trajectory.prompt + trajectory.tokens, kept_tokens - 1)

    def release_prompt(self, trajectory: Trajectory) -> None:
        """Free what the prefix cache holds of all trajectories with this one's prompt."""
        self._engine.release_prefix(
            trajectory.prompt, len(trajectory.prompt) - 1, include_extensions=True
        )

    def _remaining_tokens(self, trajectory: Trajectory) -> int:
        """Tokens that may still be added to the trajectory."""
        remaining = self._engine.n_ctx - len(trajectory.prompt) - len(trajectory.tokens)
        if self._limits.max_tokens is not None:
            remaining = min(remaining, self._limits.max_tokens - len(trajectory.tokens))
        return remaining

    def _allowance(self, trajectory: Trajectory) -> TokenAllowance:
        remaining, used = self._remaining_tokens(trajectory), len(trajectory.tokens)
        return divide_tokens(remaining, used, self._limits, self._budget.is_reasoning_over)

    def _round_seed(self, trajectory: Trajectory, seed: int) -> int:
        """A seed that differs between all rounds of all trajectories of a question."""
        return crc32(f"{self._seed}/{seed}/{len(trajectory.tokens)}".encode()) % (2**32 - 2)


def _with_step(trajectory: Trajectory, tokens: tuple[int, ...], step: Step) -> Trajectory:
    return trajectory.with_tokens(tokens).model_copy(update={"steps": (*trajectory.steps, step)})
