"""Cross-checking: the answer of a reasoning against those of programs, found independently.

A program is another route to the same number (program of thoughts, Chen et al. 2022; program-aided
models, Gao et al. 2022). The two routes fail in different ways, so their agreement is evidence that
neither alone gives. Where they disagree, more candidates vote until the vote is decided: programs,
which few-shot examples keep short, full reasonings, and brief reasonings with few-shot examples, a
third route. The first candidate of each route uses the model's own sampling, which may be greedy;
the others vary. On request the model is first shown both answers and reasons once more; as such a
reasoning is not independent of the program, it confirms nothing.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from reasoner.answers.extraction import extract_marked_answer
from reasoner.concurrency.gather import completed_on_demand, gather_all
from reasoner.search.context import SearchContext
from reasoner.search.operators.aggregate import group_by_answer
from reasoner.search.rollout import rollout
from reasoner.search.strategies.cross_check.ballot import (
    FULL_REASONING_WEIGHT,
    RouteCandidates,
    choose_answer,
)
from reasoner.search.strategies.cross_check.few_shot import with_brief_examples
from reasoner.search.strategies.cross_check.program import rollout_program
from reasoner.search.strategies.parameters import StrategyParameters
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.events import Event
from reasoner.types.problem import Message, Problem

__all__ = ["CrossCheckParameters", "cross_check", "is_printable_answer", "undecided_candidates"]

REVISE_PROMPT = (
    "A program written for the same problem,\n\n{program}\n\nprints {printed}, but your answer "
    "was {answer}. One of the two is wrong. Read the problem again, find the mistake, and solve "
    "it once more step by step. Put your final answer within \\boxed{{}}."
)
NUMERIC = re.compile(r"\d")
MAX_ANSWER_CHARACTERS = 60
"""The maximum length of an answer that a program could have printed."""
MIN_REASONING_LIMIT_TOKENS = 512
REASONING_LIMIT_FACTOR = 2.0
"""A further reasoning is limited to this multiple of the first trajectory's tokens, but not to less
than the minimum. On 64 problems of GSM8K 37 of 83 were right, none of them beyond this limit."""
_Route = Literal["program", "brief", "text"]


class CrossCheckParameters(StrategyParameters):
    """The parameters of cross-checking."""

    programs: int = Field(6, ge=1, le=256, description="most programs")
    reasonings: int = Field(1, ge=1, le=256, description="most reasonings at length")
    brief: int = Field(0, ge=0, le=256, description="most reasonings kept short by examples")
    """Programs replace them where a system prompt or the context size rules out examples."""
    at_once: int = Field(
        4, ge=1, le=64, description="candidates generated side by side on disagreement"
    )
    """llama.cpp multiplies four rows at a time on a CPU: four took 141 ms, three 179 (Xeon)."""
    threshold: float = Field(
        0.65, gt=0.0, le=1.0, description="confidence at which the vote is decided"
    )
    revisions: int = Field(0, ge=0, le=8, description="times to think again on disagreement")
    prune: bool = Field(False, description="draw steps again that are refuted")


async def cross_check(
    problem: Problem, context: SearchContext, parameters: CrossCheckParameters
) -> SearchOutcome:
    """Reason, and have programs solve the same problem; where they disagree, let more vote."""
    ballot = await _first_candidates(problem, context, parameters)
    if problem.tests is not None or not is_printable_answer(ballot.independent_reasonings[0]):
        return SearchOutcome(candidates=undecided_candidates(ballot))
    if not ballot.programs and not context.budget.is_reasoning_over():
        ballot.programs.append(await rollout_program(problem, context))
    await _revise(problem, context, parameters, ballot)
    vote = _AdaptiveVote(problem, parameters, context, ballot)
    await vote.update()
    async with aclosing(completed_on_demand(vote.start_rollout, vote.wants_more)) as rollouts:
        async for _ in rollouts:
            await vote.update()
            if vote.over:
                break
    return await choose_answer(ballot, context.same_answer)


async def _first_candidates(
    problem: Problem, context: SearchContext, parameters: CrossCheckParameters
) -> RouteCandidates:
    """The first reasoning and, where the question has a number in it, the first program.

    The program starts at the first event of the reasoning, so that it does not delay the text
    which is shown first.
    """
    reasoning_started = asyncio.Event()

    def emit(event: Event) -> None:
        reasoning_started.set()
        context.emit(event)

    async def reasoning() -> Candidate:
        try:
            return await rollout(
                problem, replace(context, emit=emit), drop_refuted=parameters.prune
            )
        finally:
            reasoning_started.set()

    async def first_program() -> Candidate:
        await reasoning_started.wait()
        return await rollout_program(problem, context)

    if problem.tests is not None or not NUMERIC.search(problem.question):
        return RouteCandidates(problem.question, [await reasoning()])
    text, printed = await gather_all([reasoning(), first_program()])
    return RouteCandidates(problem.question, [text], [printed])


def undecided_candidates(ballot: RouteCandidates) -> tuple[Candidate, ...]:
    """All candidates, the reasoning first; but programs that printed a number precede a reasoning
    that is incomplete."""
    incomplete = not ballot.full_reasonings[0].is_complete
    printed = [
        program
        for program in ballot.programs
        if incomplete and NUMERIC.search(program.final_answer or "")
    ]
    return tuple(sorted(ballot.all_candidates, key=lambda candidate: candidate not in printed))


def is_printable_answer(candidate: Candidate) -> bool:
    """Whether a program could have printed the candidate's answer, and it is no program itself."""
    final, reply = candidate.final_answer or "", candidate.trajectory.answer
    stated = "```" not in reply or extract_marked_answer(reply) is not None
    short = len(final) <= MAX_ANSWER_CHARACTERS
    return candidate.is_complete and short and bool(NUMERIC.search(final)) and stated


async def _revise(
    problem: Problem,
    context: SearchContext,
    parameters: CrossCheckParameters,
    ballot: RouteCandidates,
) -> None:
    """Add revised reasonings, up to the requested number, while no two candidates agree."""
    for _ in range(parameters.revisions if ballot.programs else 0):
        groups = await group_by_answer(ballot.all_candidates, context.same_answer)
        if any(len(group.candidates) > 1 for group in groups) or context.budget.is_reasoning_over():
            break
        last_reasoning = [*ballot.independent_reasonings, *ballot.revised_reasonings][-1]
        revision = _revision(problem, last_reasoning, ballot.programs[0])
        ballot.revised_reasonings.append(
            await rollout(revision, context, drop_refuted=parameters.prune)
        )


def _revision(problem: Problem, reasoning: Candidate, printed: Candidate) -> Problem:
    """The problem as a conversation in which the model sees its answer and the program's."""
    question = REVISE_PROMPT.format(
        rollout_program=printed.trajectory.answer,
        printed=printed.final_answer,
        answer=reasoning.final_answer or "missing",
    )
    history = (
        *problem.history,
        Message(role="user", content=problem.question),
        Message(role="assistant", content=reasoning.trajectory.answer),
    )
    return problem.model_copy(update={"history": history, "question": question})


class _AdaptiveVote:
    """Adds candidates of all routes until the vote is decided."""

    def __init__(
        self,
        problem: Problem,
        parameters: CrossCheckParameters,
        context: SearchContext,
        ballot: RouteCandidates,
    ) -> None:
        self._problem, self._parameters, self._ballot = problem, parameters, ballot
        self._context, self._varied_context = context, context.with_varied_sampling()
        self._brief_problem = (
            with_brief_examples(problem, context.policy) if parameters.brief else None
        )
        brief = parameters.brief if self._brief_problem else 0
        self._remaining: dict[_Route, int] = {
            "program": parameters.programs + parameters.brief - brief - len(ballot.programs),
            "brief": brief,
            "text": parameters.reasonings - len(ballot.full_reasonings),
        }
        self._running = Counter[_Route]()
        self._candidates: dict[_Route, list[Candidate]] = {
            "program": ballot.programs,
            "brief": ballot.brief_reasonings,
            "text": ballot.full_reasonings,
        }
        self.over = not ballot.programs or not self._varied_context.policy.is_stochastic

    async def update(self) -> None:
        """Set `over` once the votes to come cannot overturn the answer or are not needed."""
        remaining_weight = sum(
            (count + self._running[route]) * (FULL_REASONING_WEIGHT if route == "text" else 1.0)
            for route, count in self._remaining.items()
        )
        count = await self._ballot.tally_votes(self._context.same_answer)
        self.over = self.over or count.is_decided(self._parameters.threshold, remaining_weight)

    def wants_more(self, running: int) -> bool:
        """Whether to start another rollout; if so, `start_rollout` is called for it."""
        over = self.over or self._context.budget.is_reasoning_over()
        if over or running >= self._parameters.at_once:
            return False
        return any(self._remaining.values())

    def start_rollout(self) -> Coroutine[Any, Any, None]:
        """Another candidate: of the brief route if it has none yet, else of the route with the most
        remaining rollouts."""
        first_brief = 0 < self._remaining["brief"] == self._parameters.brief
        largest = max(self._remaining, key=lambda route: self._remaining[route])
        route: _Route = "brief" if first_brief else largest
        self._remaining[route] -= 1
        self._running[route] += 1
        return self._vote(route, self._context if first_brief else self._varied_context)

    async def _vote(self, route: _Route, context: SearchContext) -> None:
        candidate = await self._rollout(route, context)
        self._candidates[route].append(candidate)
        self._running[route] -= 1

    def _rollout(self, route: _Route, context: SearchContext) -> Coroutine[Any, Any, Candidate]:
        if route == "program":
            return rollout_program(self._problem, context)
        prompt_problem = self._brief_problem if route == "brief" else None
        limited = self._with_reasoning_limit(context)
        return rollout(
            self._problem,
            limited,
            drop_refuted=self._parameters.prune,
            prompt_problem=prompt_problem,
        )

    def _with_reasoning_limit(self, context: SearchContext) -> SearchContext:
        """The context with a limit on a further reasoning: one that takes much longer than the
        first is rarely right, and the vote would wait for it alone."""
        first_tokens = len(self._ballot.full_reasonings[0].trajectory.tokens)
        limit = max(MIN_REASONING_LIMIT_TOKENS, round(REASONING_LIMIT_FACTOR * first_tokens))
        return replace(context, policy=context.policy.with_max_reasoning_tokens(limit))
