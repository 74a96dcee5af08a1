"""The tools of the trade: all that a strategy may do to the world."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar

from reasoner.attempt import Attempt
from reasoner.budget import Budget
from reasoner.engine.sampling import Sampling
from reasoner.events import (
    CandidateEvent,
    Channel,
    NodeEvent,
    OnEvent,
    StepEvent,
    TextEvent,
    VerdictEvent,
)
from reasoner.frame import Frame
from reasoner.operators.node import Node
from reasoner.path import FinishReason, Path
from reasoner.policy import Policy
from reasoner.problem import Problem
from reasoner.result import Status
from reasoner.tool import ToolCall
from reasoner.value.aggregate import aggregate
from reasoner.value.scorer import Scorer
from reasoner.verdict import Candidate, Outcome, Verdict
from reasoner.verify.extract import code_blocks, extract_final
from reasoner.verify.host import Verifiers
from reasoner.verify.status import standing, status

__all__ = ["Tools", "candidate"]

CHECK_SECONDS = 10.0
STEP_SECONDS = 2.0
RETRY = 1_000_003
"""Sets the seeds of a repeated round apart from every other path's."""
T = TypeVar("T")


@dataclass(frozen=True)
class Tools:
    """What a strategy works with. It holds no cache, no batch and no model.

    `verifiers` is None when nothing shall be checked, `value` without a value model. With
    `open_book` a search may see the known answer and the given tests, and ends once they confirm
    a line; otherwise these judge its result only, and do not help to find it. It always ends once a
    check that needs neither settles the question. `root` is where a
    search begins that was started in the middle of another one's path.
    """

    policy: Policy
    budget: Budget
    emit: OnEvent
    verifiers: Verifiers | None = None
    value: Scorer | None = None
    open_book: bool = False
    root: Path | None = None
    grow: Callable[[Path, int], Awaitable[Path]] | None = None
    """What makes a path longer by a step in place of the policy: path, seed."""
    numbers: Iterator[int] = field(default_factory=count)
    """Gives each line of thought its number."""
    _same: dict[frozenset[str], bool] = field(default_factory=dict)

    @property
    def checks_steps(self) -> bool:
        return self.verifiers is not None and self.verifiers.offers("verify_step")

    def again(self) -> "Tools":
        """The same tools for what was drawn before and shall come out differently."""
        return replace(self, policy=self.policy.again())

    def start(self, problem: Problem) -> Path:
        """Where the search begins: the empty path, or the one it was given."""
        return self.root or self.policy.start(problem)

    async def extend(
        self,
        path: Path,
        number: int = 0,
        *,
        retry: int = 0,
        sampling: Sampling | None = None,
        silent: bool = False,
    ) -> Path:
        """Continue line `number` by a round and, unless `silent`, tell everybody what was
        written. A `retry` draws anew what an earlier call with the same path and number drew."""

        def on_text(channel: Channel, text: str) -> None:
            if not silent:
                self.emit(TextEvent(path=number, channel=channel, text=text))

        seed = number + RETRY * retry
        if self.grow is not None:
            longer = await self.grow(path, seed)
        else:
            longer = await self.policy.extend(path, seed=seed, on_text=on_text, sampling=sampling)
        if len(longer.steps) > len(path.steps) and not silent:
            self.tell_step(longer, number)
        return longer

    def drop(self, path: Path, keep: Path | None = None) -> None:
        """Nobody will continue the path beyond `keep`: free what the cache holds of it."""
        self.policy.forget(path, keep)

    def tell_step(self, path: Path, number: int) -> None:
        """Tell everybody the last step of line `number`."""
        index = len(path.steps) - 1
        self.emit(StepEvent(path=number, index=index, step=path.steps[index]))

    def tell(self, node: Node) -> None:
        """Tell everybody where a node stands."""
        above = node.parent
        event = NodeEvent(
            path=node.number,
            parent=above.number if above else None,
            depth=node.depth,
            forked=len(above.path.steps) if above else 0,
            steps=len(node.path.steps),
            done=node.path.done,
            same=node.same.number if node.same else None,
            value=node.score,
            visits=node.visits,
            pruned=node.pruned,
        )
        self.emit(event)

    async def attempt(
        self,
        problem: Problem,
        path: Path,
        number: int,
        keep: Path | None = None,
        *,
        final: Callable[[str], str | None] = extract_final,
    ) -> Attempt:
        """A finished path with its final answer, its verdicts and its value, told to everybody.

        `final` finds the final answer in the reply. What the cache holds of the path is freed, but
        for `keep` (or the prompt), which others share.
        """
        verdicts = await self.check(problem, path, number, known=self.open_book)
        made = Attempt(
            number=number,
            path=path,
            final=final(path.answer) if path.answer else None,
            verdicts=verdicts,
            value=await self.score(problem, path),
            proven=any(verdict.proves for verdict in verdicts or ())
            or (self.open_book and _known(problem) and _passed(verdicts)),
        )
        self.emit(_event(made))
        self.drop(path, keep)
        if made.proven:
            self.budget.stop()
        return made

    async def check(
        self,
        problem: Problem,
        path: Path,
        number: int = 0,
        *,
        known: bool = False,
        late: bool = False,
    ) -> tuple[Verdict, ...] | None:
        """What the verifiers say about a finished path; None when nobody could be asked.

        Only with `known` are they told the known answer and the given tests. With `late` they are
        asked although all is stopped: a proof ends a search, not what is to be said about it.
        """
        if self.verifiers is None or not path.answer or (self.budget.stopped and not late):
            return None
        if not known:
            problem = problem.model_copy(update={"expect": None, "tests": None})
        asked = self.verifiers.check(problem, candidate(path), self._seconds(CHECK_SECONDS))
        verdicts = await (asked if late else self.budget.unless_stopped(asked))
        self.budget.tool_calls += len(verdicts or ())
        for verdict in verdicts or ():
            self.emit(VerdictEvent(path=number, verdict=verdict))
        return verdicts

    async def check_step(
        self, text: str, number: int = 0, step: int | None = None
    ) -> Verdict | None:
        """The verdict that refutes a step, or None; only a refutation is told, as one about the
        step with that index."""
        if self.verifiers is None or not text.strip():
            return None
        asked = self.verifiers.check_step(text, self._seconds(STEP_SECONDS))
        verdicts = await self.budget.unless_stopped(asked) or ()
        self.budget.tool_calls += len(verdicts)
        refuted = next((v for v in verdicts if v.outcome is Outcome.FAIL), None)
        if refuted is not None:
            self.emit(VerdictEvent(path=number, step=step, verdict=refuted))
        return refuted

    async def frame(self, problem: Problem, steps: Sequence[str]) -> Frame | None:
        """How a plugin would have the problem thought on in small steps, if one knows its kind."""
        if self.verifiers is None or not self.verifiers.offers("describe_environment"):
            return None
        problem = problem.model_copy(update={"expect": None, "tests": None})
        asked = self.verifiers.frame(problem, tuple(steps), self._seconds(STEP_SECONDS))
        return await self.budget.unless_stopped(asked)

    async def run(self, language: str, reply: str) -> ToolCall | None:
        """What the code in a reply does, by the tool for its language; None when there is no such
        tool, no code, or no time."""
        blocks = code_blocks(reply)
        if self.verifiers is None or not blocks:
            return None
        tool = next((tool for tool in self.verifiers.tools() if tool.fence == language), None)
        if tool is None:
            return None
        self.budget.tool_calls += 1
        seconds = self._seconds(CHECK_SECONDS)
        return await self.budget.unless_stopped(
            self.verifiers.use(tool.name, blocks[:-1], blocks[-1], seconds)
        )

    async def score(self, problem: Problem, path: Path) -> float | None:
        """What the value model gives for a path; None without one, or once all is stopped."""
        if self.value is None:
            return None
        try:
            scores = await self.budget.unless_stopped(self.value.score(problem, path))
        finally:
            self.budget.read_value(self.value.tokens)
        return None if scores is None else aggregate(scores, self.value.aggregation)

    async def ask(self, problem: Problem, number: int = 0) -> str:
        """The model's reply to something asked beside the lines of thought; never told."""
        path = self.policy.start(problem, think=False)
        while not path.done:
            path = await self.policy.extend(path, seed=number)
        self.drop(path)
        return path.answer

    async def choose(self, problem: Problem, options: Sequence[str]) -> tuple[float, ...]:
        """How likely the model would reply with each option; all alike when it cannot be asked."""
        chosen = await self.budget.unless_stopped(self.policy.choose(problem, options))
        return chosen or tuple(1 / len(options) for _ in options)

    async def same(self, left: str, right: str) -> bool:
        """Whether two final answers mean the same; each pair is asked about once."""
        pair = frozenset((left, right))
        if len(pair) == 1:
            return True
        if pair not in self._same:
            asked = self.verifiers and self.verifiers.same_answer(left, right, STEP_SECONDS)
            self._same[pair] = bool(asked and await self.budget.unless_stopped(asked))
        return self._same[pair]

    def _seconds(self, most: float) -> float:
        left = self.budget.remaining
        return most if left is None else max(0.1, min(most, left))


def _known(problem: Problem) -> bool:
    return problem.expect is not None or problem.tests is not None


def _passed(verdicts: tuple[Verdict, ...] | None) -> bool:
    return status(verdicts or (), answered=True) is Status.VERIFIED


def _event(made: Attempt) -> CandidateEvent:
    return CandidateEvent(
        path=made.number,
        final=made.final,
        finish_reason=made.path.finish_reason or FinishReason.INTERRUPTED,
        tokens=len(made.path.tokens),
        standing=None if made.verdicts is None else standing(made.verdicts),
        value=made.value,
    )


def candidate(path: Path) -> Candidate:
    """A finished path as the verifiers see it."""
    return Candidate(
        steps=tuple(step.text for step in path.steps),
        answer=path.answer,
        final=extract_final(path.answer),
        code=code_blocks(path.answer),
        calls=tuple(step.call for step in path.steps if step.call is not None),
    )
