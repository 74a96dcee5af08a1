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

from reasoner.attempt import Attempt, Findings
from reasoner.events import Event
from reasoner.operators.aggregate import aggregate
from reasoner.operators.together import as_drawn, together
from reasoner.operators.tools import Tools
from reasoner.problem import Message, Problem
from reasoner.strategies.line import line
from reasoner.strategies.parameters import Parameters
from reasoner.strategies.program import program
from reasoner.strategies.routes import AT_LENGTH, Ballot, judged
from reasoner.strategies.shots import briefly
from reasoner.verify.extract import extract_marked

__all__ = ["CrossCheck", "comparable", "cross_check", "so_far"]

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


class CrossCheck(Parameters):
    """The parameters of cross-checking."""

    programs: int = Field(6, ge=1, le=256, description="most programs")
    reasonings: int = Field(1, ge=1, le=256, description="most reasonings at length")
    brief: int = Field(0, ge=0, le=256, description="most reasonings kept short by examples")
    """Programs replace them where a system prompt or the context size rules out examples."""
    at_once: int = Field(4, ge=1, le=64, description="lines drawn side by side on disagreement")
    """llama.cpp multiplies four rows at a time on a CPU: four took 141 ms, three 179 (Xeon)."""
    threshold: float = Field(
        0.65, gt=0.0, le=1.0, description="confidence at which the vote is decided"
    )
    revisions: int = Field(0, ge=0, le=8, description="times to think again on disagreement")
    prune: bool = Field(False, description="draw steps again that are refuted")


async def cross_check(problem: Problem, context: Tools, parameters: CrossCheck) -> Findings:
    """Reason, and have programs solve the same problem; where they disagree, let more vote."""
    ballot = await _first_candidates(problem, context, parameters)
    if problem.tests is not None or not comparable(ballot.texts[0]):
        return Findings(attempts=so_far(ballot))
    if not ballot.programs and not context.budget.reasoning_over():
        ballot.programs.append(await program(problem, context))
    await _revise(problem, context, parameters, ballot)
    vote = _AdaptiveVote(problem, parameters, context, ballot)
    await vote.update()
    async with aclosing(as_drawn(vote.start_rollout, vote.wants_more)) as rollouts:
        async for _ in rollouts:
            await vote.update()
            if vote.over:
                break
    return await judged(ballot, context.same)


async def _first_candidates(problem: Problem, context: Tools, parameters: CrossCheck) -> Ballot:
    """The first reasoning and, where the question has a number in it, the first program.

    The program starts at the first event of the reasoning, so that it does not delay the text
    which is shown first.
    """
    reasoning_started = asyncio.Event()

    def emit(event: Event) -> None:
        reasoning_started.set()
        context.emit(event)

    async def reasoning() -> Attempt:
        try:
            return await line(problem, replace(context, emit=emit), prune=parameters.prune)
        finally:
            reasoning_started.set()

    async def first_program() -> Attempt:
        await reasoning_started.wait()
        return await program(problem, context)

    if problem.tests is not None or not NUMERIC.search(problem.question):
        return Ballot(problem.question, [await reasoning()])
    text, printed = await together([reasoning(), first_program()])
    return Ballot(problem.question, [text], [printed])


def so_far(ballot: Ballot) -> tuple[Attempt, ...]:
    """All candidates, the reasoning first; but programs that printed a number precede a reasoning
    that is incomplete."""
    incomplete = not ballot.at_length[0].whole
    printed = [
        program for program in ballot.programs if incomplete and NUMERIC.search(program.final or "")
    ]
    return tuple(sorted(ballot.all, key=lambda candidate: candidate not in printed))


def comparable(candidate: Attempt) -> bool:
    """Whether a program could have printed the candidate's answer, and it is no program itself."""
    final, reply = candidate.final or "", candidate.path.answer
    stated = "```" not in reply or extract_marked(reply) is not None
    short = len(final) <= MAX_ANSWER_CHARACTERS
    return candidate.whole and short and bool(NUMERIC.search(final)) and stated


async def _revise(problem: Problem, context: Tools, parameters: CrossCheck, ballot: Ballot) -> None:
    """Add revised reasonings, up to the requested number, while no two candidates agree."""
    for _ in range(parameters.revisions if ballot.programs else 0):
        groups = await aggregate(ballot.all, context.same)
        if any(len(group.attempts) > 1 for group in groups) or context.budget.reasoning_over():
            break
        last_reasoning = [*ballot.texts, *ballot.revised][-1]
        revision = _revision(problem, last_reasoning, ballot.programs[0])
        ballot.revised.append(await line(revision, context, prune=parameters.prune))


def _revision(problem: Problem, reasoning: Attempt, printed: Attempt) -> Problem:
    """The problem as a conversation in which the model sees its answer and the program's."""
    question = REVISE_PROMPT.format(
        program=printed.path.answer, printed=printed.final, answer=reasoning.final or "missing"
    )
    history = (
        *problem.history,
        Message(role="user", content=problem.question),
        Message(role="assistant", content=reasoning.path.answer),
    )
    return problem.model_copy(update={"history": history, "question": question})


class _AdaptiveVote:
    """Adds candidates of all routes until the vote is decided."""

    def __init__(
        self, problem: Problem, parameters: CrossCheck, context: Tools, ballot: Ballot
    ) -> None:
        self._problem, self._parameters, self._ballot = problem, parameters, ballot
        self._context, self._varied_context = context, context.again()
        self._brief_problem = briefly(problem, context.policy) if parameters.brief else None
        brief = parameters.brief if self._brief_problem else 0
        self._remaining: dict[_Route, int] = {
            "program": parameters.programs + parameters.brief - brief - len(ballot.programs),
            "brief": brief,
            "text": parameters.reasonings - len(ballot.at_length),
        }
        self._running = Counter[_Route]()
        self._candidates: dict[_Route, list[Attempt]] = {
            "program": ballot.programs,
            "brief": ballot.brief,
            "text": ballot.at_length,
        }
        self.over = not ballot.programs or not self._varied_context.policy.varied

    async def update(self) -> None:
        """Set `over` once the votes to come cannot overturn the answer or are not needed."""
        remaining_weight = sum(
            (count + self._running[route]) * (AT_LENGTH if route == "text" else 1.0)
            for route, count in self._remaining.items()
        )
        count = await self._ballot.count(self._context.same)
        self.over = self.over or count.decided(self._parameters.threshold, remaining_weight)

    def wants_more(self, running: int) -> bool:
        """Whether to start another rollout; if so, `start_rollout` is called for it."""
        over = self.over or self._context.budget.reasoning_over()
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

    async def _vote(self, route: _Route, context: Tools) -> None:
        candidate = await self._rollout(route, context)
        self._candidates[route].append(candidate)
        self._running[route] -= 1

    def _rollout(self, route: _Route, context: Tools) -> Coroutine[Any, Any, Attempt]:
        if route == "program":
            return program(self._problem, context)
        prompt_problem = self._brief_problem if route == "brief" else None
        limited = self._with_reasoning_limit(context)
        return line(self._problem, limited, prune=self._parameters.prune, asked=prompt_problem)

    def _with_reasoning_limit(self, context: Tools) -> Tools:
        """The context with a limit on a further reasoning: one that takes much longer than the
        first is rarely right, and the vote would wait for it alone."""
        first_tokens = len(self._ballot.at_length[0].path.tokens)
        limit = max(MIN_REASONING_LIMIT_TOKENS, round(REASONING_LIMIT_FACTOR * first_tokens))
        return replace(context, policy=context.policy.thinking(limit))
