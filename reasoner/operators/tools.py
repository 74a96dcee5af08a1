"""The search context: everything that a strategy may do on one question."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from reasoner.attempt import Attempt
from reasoner.budget import Budget
from reasoner.engine.sampling import Sampling
from reasoner.events import Channel, OnEvent, TextEvent, VerdictEvent
from reasoner.frame import Frame
from reasoner.operators.node import Node
from reasoner.operators.plugin_calls import PluginCalls, without_known_answer
from reasoner.operators.search_events import candidate_event, node_event, step_event
from reasoner.path import Path
from reasoner.policy import Policy
from reasoner.problem import Problem
from reasoner.result import Status
from reasoner.tool import ToolCall
from reasoner.value.aggregate import aggregate
from reasoner.value.scorer import Scorer
from reasoner.verdict import Candidate, Outcome, Verdict
from reasoner.verify.extract import extract_final
from reasoner.verify.host import Verifiers
from reasoner.verify.status import status
from reasoner.verify.submission import build_submission

__all__ = ["Tools", "candidate"]

RETRY_SEED_OFFSET = 1_000_003
"""Separates the seeds of a repeated round from those of all trajectories' first rounds."""


@dataclass(frozen=True)
class Tools:
    """The only handle of a strategy. It holds no cache, no batch and no model.

    `verifiers` is the plugin host, None when nothing is to be verified; `value` is the value
    model's scorer, None without one. With `open_book` the verifiers see the known answer and the
    given tests during the search, which ends once these confirm a candidate; otherwise they check
    only its result. A verdict that settles the question without them always ends the search.
    `root` is the trajectory at which a nested search begins. `grow(trajectory, seed)` replaces the
    policy in extending a trajectory by a step. `numbers` yields the numbers of new trajectories.
    """

    policy: Policy
    budget: Budget
    emit: OnEvent
    verifiers: Verifiers | None = None
    value: Scorer | None = None
    open_book: bool = False
    root: Path | None = None
    grow: Callable[[Path, int], Awaitable[Path]] | None = None
    numbers: Iterator[int] = field(default_factory=count)
    _known_answers: dict[frozenset[str], bool] = field(default_factory=dict)

    @property
    def checks_steps(self) -> bool:
        """Whether a plugin verifies single steps."""
        return self.verifiers is not None and self.verifiers.offers("verify_step")

    def again(self) -> "Tools":
        """A copy for further samples of a prompt, whose sampling is never greedy."""
        return replace(self, policy=self.policy.again())

    def start(self, problem: Problem) -> Path:
        """The trajectory at which the search begins: the problem's empty one, or `root`.

        Raises what `Policy.start` does.
        """
        return self.root or self.policy.start(problem)

    async def extend(
        self,
        trajectory: Path,
        number: int = 0,
        *,
        retry: int = 0,
        sampling: Sampling | None = None,
        silent: bool = False,
    ) -> Path:
        """The trajectory with that number after one more round; emits its text and its step.

        `retry` samples anew what an earlier call with the same trajectory and number sampled;
        `silent` emits nothing. Raises what `Policy.extend` does.
        """

        def on_text(channel: Channel, text: str) -> None:
            if not silent:
                self.emit(TextEvent(path=number, channel=channel, text=text))

        seed = number + RETRY_SEED_OFFSET * retry
        if self.grow is not None:
            extended = await self.grow(trajectory, seed)
        else:
            extended = await self.policy.extend(
                trajectory, seed=seed, on_text=on_text, sampling=sampling
            )
        if len(extended.steps) > len(trajectory.steps) and not silent:
            self.tell_step(extended, number)
        return extended

    def drop(self, trajectory: Path, keep: Path | None = None) -> None:
        """Free what the prefix cache holds of the trajectory beyond `keep`, or its prompt."""
        self.policy.forget(trajectory, keep)

    def tell_step(self, trajectory: Path, number: int) -> None:
        """Emit the last step of the trajectory with that number."""
        self.emit(step_event(trajectory, number))

    def tell(self, node: Node) -> None:
        """Emit the current state of a node."""
        self.emit(node_event(node))

    async def attempt(
        self,
        problem: Problem,
        trajectory: Path,
        number: int,
        keep: Path | None = None,
        *,
        final: Callable[[str], str | None] = extract_final,
    ) -> Attempt:
        """The candidate of a finished trajectory, with final answer, verdicts and value score.

        Emits it, frees the prefix cache beyond `keep` (or the prompt), which other trajectories
        share, and stops the budget when the candidate is proven. `final` extracts the final answer
        from the reply. Raises what `score` does.
        """
        verdicts = await self.check(problem, trajectory, number, known=self.open_book)
        finished = Attempt(
            number=number,
            path=trajectory,
            final=final(trajectory.answer) if trajectory.answer else None,
            verdicts=verdicts,
            value=await self.score(problem, trajectory),
            proven=self._proves(problem, verdicts or ()),
        )
        self.emit(candidate_event(finished))
        self.drop(trajectory, keep)
        if finished.proven:
            self.budget.stop()
        return finished

    def _proves(self, problem: Problem, verdicts: Sequence[Verdict]) -> bool:
        """Whether the verdicts settle the question, or confirm the known answer or given tests."""
        if any(verdict.proves for verdict in verdicts):
            return True
        checkable = problem.expect is not None or problem.tests is not None
        verified = status(verdicts, answered=True) is Status.VERIFIED
        return self.open_book and checkable and verified

    async def check(
        self,
        problem: Problem,
        trajectory: Path,
        number: int = 0,
        *,
        known: bool = False,
        late: bool = False,
    ) -> tuple[Verdict, ...] | None:
        """The verifiers' verdicts on a finished trajectory, which are also emitted.

        Only with `known` the verifiers see the known answer and the given tests. With `late` they
        are called although the budget has stopped. None without plugins or an answer, or when the
        budget has stopped.
        """
        if self._plugins is None or not trajectory.answer or (self.budget.stopped and not late):
            return None
        if not known:
            problem = without_known_answer(problem)
        verdicts = await self._plugins.verify(problem, candidate(trajectory), late=late)
        for verdict in verdicts or ():
            self.emit(VerdictEvent(path=number, verdict=verdict))
        return verdicts

    async def check_step(
        self, text: str, number: int = 0, step: int | None = None
    ) -> Verdict | None:
        """The verdict that refutes a step, or None; a refutation is emitted for the step with the
        index `step` of the trajectory with that number."""
        if self._plugins is None or not text.strip():
            return None
        verdicts = await self._plugins.verify_step(text)
        refutation = next((v for v in verdicts if v.outcome is Outcome.FAIL), None)
        if refutation is not None:
            self.emit(VerdictEvent(path=number, step=step, verdict=refutation))
        return refutation

    async def frame(self, problem: Problem, steps: Sequence[str]) -> Frame | None:
        """The state of the problem's environment after the steps, if a plugin knows its rules."""
        return await self._plugins.environment_state(problem, steps) if self._plugins else None

    async def run(self, language: str, reply: str) -> ToolCall | None:
        """The record of running the reply's code; None without a tool, code, or time for it."""
        return await self._plugins.run_code(language, reply) if self._plugins else None

    async def same(self, first: str, second: str) -> bool:
        """Whether two final answers mean the same."""
        if first == second:
            return True
        return await self._plugins.same_answer(first, second) if self._plugins else False

    async def score(self, problem: Problem, trajectory: Path) -> float | None:
        """The value model's score of a trajectory, in [0, 1]; None without a value model, or when
        the budget has stopped. Raises what `Scorer.score` does."""
        if self.value is None:
            return None
        try:
            scores = await self.budget.unless_stopped(self.value.score(problem, trajectory))
        finally:
            self.budget.read_value(self.value.tokens)
        return None if scores is None else aggregate(scores, self.value.aggregation)

    async def ask(self, problem: Problem, number: int = 0) -> str:
        """The model's reply to a side question, without reasoning; nothing is emitted.

        Raises what `Policy.start` and `Policy.extend` do.
        """
        trajectory = self.policy.start(problem, think=False)
        while not trajectory.done:
            trajectory = await self.policy.extend(trajectory, seed=number)
        self.drop(trajectory)
        return trajectory.answer

    async def choose(self, problem: Problem, options: Sequence[str]) -> tuple[float, ...]:
        """The probability that the model replies with each option; uniform when the budget or the
        context does not allow to read it."""
        choice = self.policy.choose(problem, options)
        probabilities = await self.budget.unless_stopped(choice)
        return probabilities or tuple(1 / len(options) for _ in options)

    @property
    def _plugins(self) -> PluginCalls | None:
        if self.verifiers is None:
            return None
        return PluginCalls(self.verifiers, self.budget, self._known_answers)


def candidate(trajectory: Path) -> Candidate:
    """The submission of a finished trajectory."""
    return build_submission(
        trajectory.steps,
        trajectory.answer,
        extract_final(trajectory.answer),
        calls=[step.call for step in trajectory.steps if step.call is not None],
    )
