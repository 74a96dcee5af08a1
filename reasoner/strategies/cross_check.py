"""Cross-checking: the answer of a reasoning against those of programs, found independently.

A program is another route to the same number (program of thoughts, Chen et al. 2022; program-aided
models, Gao et al. 2022). The two routes fail in different ways, so their agreement is evidence
that neither alone gives. Where they disagree, more lines vote until it is decided: programs,
which worked examples keep short, reasonings at length, and brief ones, which follow such examples,
too: a third route. The first line of each route takes the likeliest tokens if the model does, the
others vary. On request the model is first shown both answers and thinks once more; what it says
then is no longer independent of the program, so it confirms nothing.
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

REVISE = (
    "A program written for the same problem,\n\n{program}\n\nprints {printed}, but your answer "
    "was {answer}. One of the two is wrong. Read the problem again, find the mistake, and solve "
    "it once more step by step. Put your final answer within \\boxed{{}}."
)
NUMERIC = re.compile(r"\d")
SHORT = 60
"""Characters an answer may have that a program could print."""
LEAST, LEEWAY = 512, 2.0
"""What a further reasoning may take: so many tokens in any case, or so many times the first's. On
64 problems of GSM8K 37 of 83 were right, none of them with more than both, reply and all."""
_Kind = Literal["program", "brief", "text"]


class CrossCheck(Parameters):
    programs: int = Field(6, ge=1, le=256, description="most programs")
    reasonings: int = Field(1, ge=1, le=256, description="most reasonings at length")
    brief: int = Field(0, ge=0, le=256, description="most reasonings kept short by examples")
    """Programs take their place where a system prompt or the context leaves no room for these."""
    at_once: int = Field(4, ge=1, le=64, description="lines drawn side by side on disagreement")
    """llama.cpp multiplies four rows at a time on a CPU: four took 141 ms, three 179 (Xeon)."""
    threshold: float = Field(
        0.65, gt=0.0, le=1.0, description="confidence at which the vote is decided"
    )
    revisions: int = Field(0, ge=0, le=8, description="times to think again on disagreement")
    prune: bool = Field(False, description="draw steps again that are refuted")


async def cross_check(problem: Problem, tools: Tools, parameters: CrossCheck) -> Findings:
    """Reason, and have programs solve the same problem; where they disagree, let more vote."""
    ballot = await _opened(problem, tools, parameters)
    if problem.tests is not None or not comparable(ballot.texts[0]):
        return Findings(attempts=so_far(ballot))
    if not ballot.programs and not tools.budget.reasoning_over():
        ballot.programs.append(await program(problem, tools))
    await _revise(problem, tools, parameters, ballot)
    poll = _Poll(problem, parameters, tools, ballot)
    await poll.settle()
    async with aclosing(as_drawn(poll.draw, poll.wants)) as draws:
        async for _ in draws:
            await poll.settle()
            if poll.over:
                break
    return await judged(ballot, tools.same)


async def _opened(problem: Problem, tools: Tools, parameters: CrossCheck) -> Ballot:
    """The reasoning, and beside it the first program where the question looks like one for it.

    The program begins when the reasoning shows its first words: nobody waits longer for these.
    """
    begun = asyncio.Event()

    def emit(event: Event) -> None:
        begun.set()
        tools.emit(event)

    async def reasoning() -> Attempt:
        try:
            return await line(problem, replace(tools, emit=emit), prune=parameters.prune)
        finally:
            begun.set()

    async def beside() -> Attempt:
        await begun.wait()
        return await program(problem, tools)

    if problem.tests is not None or not NUMERIC.search(problem.question):
        return Ballot(problem.question, [await reasoning()])
    text, first = await together([reasoning(), beside()])
    return Ballot(problem.question, [text], [first])


def so_far(ballot: Ballot) -> tuple[Attempt, ...]:
    """The reasoning and its program; a number that this printed stands before a reasoning that was
    stopped or cut off."""
    half = not ballot.at_length[0].whole
    printed = [one for one in ballot.programs if half and NUMERIC.search(one.final or "")]
    return tuple(sorted(ballot.all, key=lambda one: one not in printed))


def comparable(attempt: Attempt) -> bool:
    """Whether the answer is one that a program could have printed, and not a program itself."""
    final, reply = attempt.final or "", attempt.path.answer
    told = "```" not in reply or extract_marked(reply) is not None
    return attempt.whole and len(final) <= SHORT and bool(NUMERIC.search(final)) and told


async def _revise(problem: Problem, tools: Tools, parameters: CrossCheck, ballot: Ballot) -> None:
    """Second thoughts, as long as no two of the answers agree."""
    for _ in range(parameters.revisions if ballot.programs else 0):
        groups = await aggregate(ballot.all, tools.same)
        if any(len(group.attempts) > 1 for group in groups) or tools.budget.reasoning_over():
            break
        asked = _revised(problem, [*ballot.texts, *ballot.revised][-1], ballot.programs[0])
        ballot.revised.append(await line(asked, tools, prune=parameters.prune))


def _revised(problem: Problem, attempt: Attempt, other: Attempt) -> Problem:
    """The problem with both answers on the table."""
    said = REVISE.format(
        program=other.path.answer, printed=other.final, answer=attempt.final or "missing"
    )
    history = (
        *problem.history,
        Message(role="user", content=problem.question),
        Message(role="assistant", content=attempt.path.answer),
    )
    return problem.model_copy(update={"history": history, "question": said})


class _Poll:
    """Draws further lines until the vote is decided."""

    def __init__(
        self, problem: Problem, parameters: CrossCheck, tools: Tools, ballot: Ballot
    ) -> None:
        self._problem, self._parameters, self._ballot = problem, parameters, ballot
        self._tools, self._again, self._budget = tools, tools.again(), tools.budget
        self._asked = briefly(problem, tools.policy) if parameters.brief else None
        brief = parameters.brief if self._asked else 0
        self._left: dict[_Kind, int] = {
            "program": parameters.programs + parameters.brief - brief - len(ballot.programs),
            "brief": brief,
            "text": parameters.reasonings - len(ballot.at_length),
        }
        self._running = Counter[_Kind]()
        self._votes: dict[_Kind, list[Attempt]] = {
            "program": ballot.programs,
            "brief": ballot.brief,
            "text": ballot.at_length,
        }
        self.over = not ballot.programs or not self._again.policy.varied

    async def settle(self) -> None:
        """See whether the vote is decided: no votes to come could overturn it, or need to."""
        left = sum(
            (count + self._running[kind]) * (AT_LENGTH if kind == "text" else 1.0)
            for kind, count in self._left.items()
        )
        found = await self._ballot.count(self._tools.same)
        self.over = self.over or found.decided(self._parameters.threshold, left)

    def wants(self, running: int) -> bool:
        """Whether to start another line; if so, `draw` will be called for it."""
        if self.over or running >= self._parameters.at_once or self._budget.reasoning_over():
            return False
        return any(self._left.values())

    def draw(self) -> Coroutine[Any, Any, None]:
        """A further line: of a route not heard yet, or of the kind of which most are left."""
        first = 0 < self._left["brief"] == self._parameters.brief
        kind = "brief" if first else max(self._left, key=lambda kind: self._left[kind])
        self._left[kind] -= 1
        self._running[kind] += 1
        return self._voted(kind, self._tools if first else self._again)

    async def _voted(self, kind: _Kind, tools: Tools) -> None:
        vote = await self._line(kind, tools)
        self._votes[kind].append(vote)
        self._running[kind] -= 1

    def _line(self, kind: _Kind, tools: Tools) -> Coroutine[Any, Any, Attempt]:
        if kind == "program":
            return program(self._problem, tools)
        asked = self._asked if kind == "brief" else None
        return line(self._problem, self._patient(tools), prune=self._parameters.prune, asked=asked)

    def _patient(self, tools: Tools) -> Tools:
        """For a further reasoning, which has lost its way when it takes much longer than the first
        one did; the vote would wait for it alone."""
        longest = max(LEAST, round(LEEWAY * len(self._ballot.at_length[0].path.tokens)))
        return replace(tools, policy=tools.policy.thinking(longest))
