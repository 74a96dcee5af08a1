"""Answers the questions of an evaluation and compares each answer with the known one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from reasoner.answers.status import status_of_verdicts
from reasoner.answers.submission import build_submission
from reasoner.batch.record import BatchRecord
from reasoner.batch.run import run_batch
from reasoner.evaluation.question import EvalQuestion
from reasoner.evaluation.record import EvalRecord
from reasoner.plugin_host.host import PluginHost
from reasoner.types.problem import Problem
from reasoner.types.result import Result, Status
from reasoner.types.verdict import Verdict

__all__ = ["check_answer", "evaluate"]


async def evaluate(
    questions: Sequence[EvalQuestion],
    solve: Callable[[Problem], Awaitable[Result]],
    verifiers: PluginHost,
    max_concurrency: int,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[EvalRecord, None]:
    """Yield the record of each question as it is answered, `max_concurrency` at a time.

    The known answer is withheld from `solve`, so that the status is the one that a user gets who
    does not know it. Raises what `run_batch` raises.
    """
    by_item = {id(question.item): question for question in questions}
    items = [question.item for question in questions]
    async with aclosing(
        run_batch(items, solve, max_concurrency, in_order=False, stop=stop)
    ) as records:
        async for record in records:
            yield await _score_record(by_item[id(record.item)], record, verifiers)


async def _score_record(
    question: EvalQuestion, record: BatchRecord, verifiers: PluginHost
) -> EvalRecord:
    if record.result is None:
        return EvalRecord(question, record)
    correct, verdicts = await check_answer(question.known, record.result, verifiers)
    return EvalRecord(question, record, correct, verdicts)


async def check_answer(
    known: Problem, result: Result, verifiers: PluginHost
) -> tuple[bool | None, tuple[Verdict, ...]]:
    """Return whether the answer is right by the known one or the tests of `known`, and the
    verdicts. An empty answer is wrong; None means that no check decided."""
    if not result.answer:
        return False, ()
    submission = build_submission(result.reasoning, result.answer, result.final)
    verdicts = await verifiers.check(known, submission)
    status = status_of_verdicts(verdicts, answered=True)
    return {Status.VERIFIED: True, Status.REFUTED: False}.get(status), verdicts
