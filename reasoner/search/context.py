"""The search context: everything that a strategy may do on one question."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from reasoner.answers.extraction import extract_final_answer
from reasoner.answers.status import status_of_verdicts
from reasoner.answers.submission import build_submission
from reasoner.engine.sampling import Sampling
from reasoner.plugin_host.host import PluginHost
from reasoner.policy.budget import Budget
from reasoner.policy.policy import Policy
from reasoner.search.operators.node import SearchNode
from reasoner.search.plugin_calls import PluginCalls, without_known_answer
from reasoner.search.search_events import candidate_event, node_event, step_event
from reasoner.types.candidate import Candidate
from reasoner.types.environment_state import EnvironmentState
from reasoner.types.events import Channel, OnEvent, TextEvent, VerdictEvent
from reasoner.types.problem import Problem
from reasoner.types.result import Status
from reasoner.types.tool_call import ToolCall
from reasoner.types.trajectory import Trajectory
from reasoner.types.verdict import Outcome, Submission, Verdict
from reasoner.value.aggregate import aggregate_step_scores
from reasoner.value.scorer import StepScorer

__all__ = ["SearchContext", "submission_of_trajectory"]

RETRY_SEED_OFFSET = 1_000_003
"""Separates the seeds of a repeated round from those of all trajectories' first rounds."""


@dataclass(frozen=True)
class SearchContext:
    """The only handle of a strategy. It holds no cache, no batch and no model.

    `plugins` is the plugin host, None when nothing is to be verified; `value_scorer` is the value
    model's scorer, None without one. With `use_known_answer` the verifiers see the known answer and
    the given tests during the search, which ends once these confirm a candidate; otherwise they
    check only its result. A verdict that settles the question without them always ends the search.
    `root_trajectory` is the trajectory at which a nested search begins. `extend_override`, called
    with a trajectory and a seed, replaces the policy in extending the trajectory by a step.
    `trajectory_numbers` yields the numbers of new trajectories.
    """

    policy: Policy
    budget: Budget
    emit: OnEvent
    plugins: PluginHost | None = None
    value_scorer: StepScorer | None = None
    use_known_answer: bool = False
    root_trajectory: Trajectory | None = None
    extend_override: Callable[[Trajectory, int], Awaitable[Trajectory]] | None = None
    trajectory_numbers: Iterator[int] = field(default_factory=count)
    _known_answers: dict[frozenset[str], bool] = field(default_factory=dict)

    @property
    def verifies_steps(self) -> bool:
        """Whether a plugin verifies single steps."""
        return self.plugins is not None and self.plugins.offers("verify_step")

    def with_varied_sampling(self) -> "SearchContext":
        """A copy for further samples of a prompt, whose sampling is never greedy."""
        return replace(self, policy=self.policy.with_varied_sampling())

    def start_trajectory(self, problem: Problem) -> Trajectory:
        """The trajectory at which the search begins: the problem's empty one, or `root_trajectory`.

        Raises what `Policy.start_trajectory` does.
        """
        return self.root_trajectory or self.policy.start_trajectory(problem)

    async def extend_trajectory(
        self,
        trajectory: Trajectory,
        number: int = 0,
        *,
        retry: int = 0,
        sampling: Sampling | None = None,
        silent: bool = False,
    ) -> Trajectory:
        """The trajectory with that number after one more round; emits its text and its step.

        `retry` samples anew what an earlier call with the same trajectory and number sampled;
        `silent` emits nothing. Raises what `Policy.extend` does.
        """

        def on_text(channel: Channel, text: str) -> None:
            if not silent:
                self.emit(TextEvent(path=number, channel=channel, text=text))

        seed = number + RETRY_SEED_OFFSET * retry
        if self.extend_override is not None:
            extended = await self.extend_override(trajectory, seed)
        else:
            extended = await self.policy.extend(
                trajectory, seed=seed, on_text=on_text, sampling=sampling
            )
        if len(extended.steps) > len(trajectory.steps) and not silent:
            self.emit_step(extended, number)
        return extended

    def release_trajectory(self, trajectory: Trajectory, keep: Trajectory | None = None) -> None:
        """Free what the prefix cache holds of the trajectory beyond `keep`, or its prompt."""
        self.policy.release_trajectory(trajectory, keep)

    def emit_step(self, trajectory: Trajectory, number: int) -> None:
        """Emit the last step of the trajectory with that number."""
        self.emit(step_event(trajectory, number))

    def emit_node(self, node: SearchNode) -> None:
        """Emit the current state of a node."""
        self.emit(node_event(node))

    async def finish_candidate(
        self,
        problem: Problem,
        trajectory: Trajectory,
        number: int,
        keep: Trajectory | None = None,
        *,
        extract_answer: Callable[[str], str | None] = extract_final_answer,
    ) -> Candidate:
        """The candidate of a finished trajectory, with final answer, verdicts and value score.

        Emits it, frees the prefix cache beyond `keep` (or the prompt), which other trajectories
        share, and stops the budget when the candidate is proven. `extract_answer` extracts the
        final answer from the reply. Raises what `score_trajectory` does.
        """
        verdicts = await self.verify_trajectory(
            problem, trajectory, number, show_known_answer=self.use_known_answer
        )
        finished = Candidate(
            number=number,
            trajectory=trajectory,
            final_answer=extract_answer(trajectory.prompted_answer) if trajectory.answer else None,
            verdicts=verdicts,
            value_score=await self.score_trajectory(problem, trajectory),
            is_proven=self._proves(problem, verdicts or ()),
        )
        self.emit(candidate_event(finished))
        self.release_trajectory(trajectory, keep)
        if finished.is_proven:
            self.budget.stop_all()
        return finished

    def _proves(self, problem: Problem, verdicts: Sequence[Verdict]) -> bool:
        """Whether the verdicts settle the question, or confirm the known answer or given tests."""
        if any(verdict.is_proof for verdict in verdicts):
            return True
        checkable = problem.expect is not None or problem.tests is not None
        verified = status_of_verdicts(verdicts, answered=True) is Status.VERIFIED
        return self.use_known_answer and checkable and verified

    async def verify_trajectory(
        self,
        problem: Problem,
        trajectory: Trajectory,
        number: int = 0,
        *,
        show_known_answer: bool = False,
        after_stop: bool = False,
    ) -> tuple[Verdict, ...] | None:
        """The verifiers' verdicts on a finished trajectory, which are also emitted.

        Only with `show_known_answer` the verifiers see the known answer and the given tests. With
        `late` they are called although the budget has stopped. None without plugins or an answer,
        or when the budget has stopped.
        """
        if (
            self._plugins is None
            or not trajectory.answer
            or (self.budget.is_stopped and not after_stop)
        ):
            return None
        if not show_known_answer:
            problem = without_known_answer(problem)
        verdicts = await self._plugins.verify(
            problem, submission_of_trajectory(trajectory), late=after_stop
        )
        for verdict in verdicts or ():
            self.emit(VerdictEvent(path=number, verdict=verdict))
        return verdicts

    async def verify_step(
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

    async def environment_state(
        self, problem: Problem, steps: Sequence[str]
    ) -> EnvironmentState | None:
        """The state of the problem's environment after the steps.

        None where no plugin knows the problem's rules, or where the engine returns no
        log-probabilities, from which the steps in an environment are chosen.
        """
        if self._plugins is None or not self.policy.can_score_tokens:
            return None
        return await self._plugins.environment_state(problem, steps)

    async def run_code(self, language: str, reply: str) -> ToolCall | None:
        """The record of running the reply's code; None without a tool, code, or time for it."""
        return await self._plugins.run_code(language, reply) if self._plugins else None

    async def same_answer(self, first: str, second: str) -> bool:
        """Whether two final answers mean the same."""
        if first == second:
            return True
        return await self._plugins.same_answer(first, second) if self._plugins else False

    async def score_trajectory(self, problem: Problem, trajectory: Trajectory) -> float | None:
        """The value model's score of a trajectory, in [0, 1]; None without a value model, or when
        the budget has stopped. Raises what `StepScorer.score_steps` does."""
        if self.value_scorer is None:
            return None
        try:
            scores = await self.budget.run_unless_stopped(
                self.value_scorer.score_steps(problem, trajectory)
            )
        finally:
            self.budget.set_scoring_tokens(self.value_scorer.decoded_tokens)
        return (
            None if scores is None else aggregate_step_scores(scores, self.value_scorer.aggregation)
        )

    async def ask_model(self, problem: Problem, number: int = 0) -> str:
        """The model's reply to a side question, without reasoning; nothing is emitted.

        Raises what `Policy.start_trajectory` and `Policy.extend` do.
        """
        policy = self.policy.with_limits(stop=())
        trajectory = policy.start_trajectory(problem, think=False)
        while not trajectory.is_done:
            trajectory = await policy.extend(trajectory, seed=number)
        self.release_trajectory(trajectory)
        return trajectory.answer

    async def option_probabilities(
        self, problem: Problem, options: Sequence[str]
    ) -> tuple[float, ...]:
        """The probability that the model replies with each option; uniform when the budget or the
        context does not allow to read it."""
        choice = self.policy.option_probabilities(problem, options)
        probabilities = await self.budget.run_unless_stopped(choice)
        return probabilities or tuple(1 / len(options) for _ in options)

    @property
    def _plugins(self) -> PluginCalls | None:
        if self.plugins is None:
            return None
        return PluginCalls(self.plugins, self.budget, self._known_answers)


def submission_of_trajectory(trajectory: Trajectory) -> Submission:
    """The submission of a finished trajectory."""
    return build_submission(
        trajectory.steps,
        trajectory.answer,
        extract_final_answer(trajectory.prompted_answer),
        calls=[step.call for step in trajectory.steps if step.call is not None],
    )
