"""The main flow: a question in, an answer with its evidence out."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from reasoner.attempt import Attempt, Findings
from reasoner.budget import Budget
from reasoner.effort import planned
from reasoner.engine.sampling import Sampling
from reasoner.engine.template import render_reply
from reasoner.errors import UsageError
from reasoner.events import (
    Live,
    NoticeEvent,
    OnEvent,
    ResultEvent,
    StartEvent,
    TextEvent,
    VerdictEvent,
)
from reasoner.loaded import loaded
from reasoner.operators.tools import Tools
from reasoner.path import FinishReason
from reasoner.policy import Calling, Policy
from reasoner.problem import Problem
from reasoner.protocol.calls import choose_style
from reasoner.protocol.registry import choose_protocol
from reasoner.result import Answer, Result
from reasoner.settings import Limits, Settings
from reasoner.store.verdicts import open_verdicts
from reasoner.strategies.registry import find_strategy
from reasoner.value.open import value_model
from reasoner.verdict import Candidate, Verdict
from reasoner.verify.extract import code_blocks, extract_final
from reasoner.verify.host import Verifiers
from reasoner.verify.status import status

if TYPE_CHECKING:
    from reasoner.models.progress import Progress

__all__ = ["Solver", "asolve", "solve"]

VARIED_TEMPERATURE = 0.8
LEAST_VARIED = 0.5
"""Searches need steps that differ: a model's own temperature below the least becomes the other."""
LONGEST_ANSWER = 1024
"""Tokens that a line of a search may write beyond its reasoning budget."""


def _ignore(_event: object) -> None:
    pass


class Solver:
    """A loaded model that answers questions; several may be in flight at once.

    Opening loads the model (fetching it on first use, watched by `on_progress`) and the plugins;
    closing frees both.
    """

    def __init__(
        self,
        settings: Settings,
        on_event: OnEvent | None = None,
        on_progress: "Progress | None" = None,
    ) -> None:
        self._settings = settings
        self._on_event: OnEvent = on_event or _ignore
        self._on_progress = on_progress
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        settings = self._settings
        plan = planned(settings)
        find_strategy(plan.strategy).parse(plan.strategy_options)
        async with AsyncExitStack() as resources:
            policy = await resources.enter_async_context(
                loaded(settings.model, settings, self._notice, self._on_progress)
            )
            self._file, self._engine = policy.file, policy.engine
            spec = self._file.spec
            named = settings.protocol or (spec.protocol if spec else None)
            template = self._engine.chat_template or ""
            self._protocol = choose_protocol(self._engine, template, named)
            plugins = Verifiers(
                on_notice=self._notice,
                unsafe_exec=settings.unsafe_exec,
                kept=open_verdicts(settings),
            )
            self._verifiers = resources.enter_context(plugins)
            self._value = await resources.enter_async_context(
                value_model(settings, policy, self._notice, self._on_progress)
            )
            self._resources = resources.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._resources.aclose()

    async def ensure(self) -> None:
        """Raises EngineError when nothing more can be asked: a server has that (`serve.client`)."""

    @property
    def dated(self) -> bool:
        """Whether the model's chat template tells it the date, so that answers are a day's."""
        return "strftime_now" in (self._engine.chat_template or "")

    @property
    def n_ctx(self) -> int:
        """Tokens that the context holds."""
        return self._engine.n_ctx

    def measure(self, problem: Problem, settings: Settings) -> int:
        """How many tokens a problem's prompt has."""
        return self._policy(settings, Budget(), varied=False).measure(problem)

    async def read_ahead(self, problem: Problem, settings: Settings) -> None:
        """Read a conversation's history before its next question is known."""
        await self._policy(settings, Budget(), varied=False).read_ahead(problem)

    async def check(self, problem: Problem, result: Result) -> tuple[Verdict, ...]:
        """What the verifiers say about an earlier answer to a problem."""
        return await self._verifiers.check(problem, answered(result))

    async def solve(
        self,
        problem: Problem,
        *,
        settings: Settings | None = None,
        on_event: OnEvent | None = None,
        stop: asyncio.Event | None = None,
    ) -> Result:
        """Answer `problem`.

        Setting `stop` ends the search with what there is by then (finish_reason `interrupted`).
        `settings` replaces the solver's own for this question (limits, sampling, seed, strategy;
        not the models or the engine). Raises UsageError, PromptTooLong, ContextFull, EngineError.
        """
        chosen = planned(settings or self._settings, self._file.spec)
        emit = on_event or self._on_event
        if not problem.question.strip():
            raise UsageError('the question is empty; try: reasoner ask "What is 17 * 3?"')
        strategy = find_strategy(chosen.strategy)
        parameters = strategy.parse(chosen.strategy_options)
        emit(self._start(chosen, strategy.live))
        budget = Budget(chosen.limits.seconds, chosen.search_budget)
        streamed: set[int] = set()

        def watch(event: Any) -> None:
            if isinstance(event, TextEvent) and event.channel == "answer":
                streamed.add(event.path)
            emit(event)

        with budget.until(stop):
            tools = self.tools(chosen, budget, watch, varied=strategy.varied)
            found = (await strategy.run(problem, tools, parameters)).proven_first()
            best = found.attempts[0]
            if strategy.varied:
                tools.policy.forget_all(best.path)
            if best.path.answer and best.number not in streamed:
                emit(TextEvent(path=best.number, channel="answer", text=best.path.answer))
            verdicts = await _verdicts(problem, best, tools)
        result = self._result(problem, found, verdicts, chosen, budget)
        emit(ResultEvent(result=result))
        return result

    def tools(self, settings: Settings, budget: Budget, emit: OnEvent, *, varied: bool) -> Tools:
        """What a strategy works with on one question; with `varied`, sampling is never greedy."""
        return Tools(
            self._policy(settings, budget, varied=varied),
            budget,
            emit,
            self._verifiers if settings.verify else None,
            self._value.scorer() if self._value else None,
            open_book=settings.until_verified,
        )

    def _start(self, settings: Settings, live: Live) -> StartEvent:
        return StartEvent(
            model=self._file.name,
            effort=settings.effort,
            strategy=settings.strategy,
            strategy_options=settings.strategy_options,
            seed=settings.seed,
            live=live,
        )

    def _policy(self, settings: Settings, budget: Budget, *, varied: bool) -> Policy:
        spec = self._file.spec
        own = dict(spec.sampling) if spec else {}
        other = dict(own)
        if own.get("temperature", VARIED_TEMPERATURE) < LEAST_VARIED:
            other["temperature"] = VARIED_TEMPERATURE
        flag = {} if settings.temperature is None else {"temperature": settings.temperature}
        again = Sampling.parse(other, settings.sampling, flag)
        return Policy(
            self._engine,
            self._protocol,
            sampling=again if varied else Sampling.parse(own, settings.sampling, flag),
            again=again,
            limits=_bounded(settings.limits) if varied else settings.limits,
            budget=budget,
            seed=settings.seed,
            merge_system=bool(spec and spec.no_system),
            calling=self._calling(settings),
        )

    def _calling(self, settings: Settings) -> Calling | None:
        """How the policy may call the plugins' tools, if at all."""
        tools = () if settings.tools == "off" else self._verifiers.tools()
        if not tools:
            return None
        eos = self._engine.eos
        end = "" if eos is None else self._engine.detokenize([eos], special=True)
        template = self._engine.chat_template or ""
        named = settings.tool_style or (self._file.spec.tool_style if self._file.spec else None)
        wrapper = partial(render_reply, template, eos=end)
        style = choose_style(tools, template, named, wrapper)
        return Calling(style, self._verifiers.use, forced=settings.tools == "force")

    def _result(
        self,
        problem: Problem,
        found: Findings,
        verdicts: tuple[Verdict, ...],
        settings: Settings,
        budget: Budget,
    ) -> Result:
        attempt = found.attempts[0]
        best = attempt.path
        cut = budget.exhausted and not attempt.whole
        finish = FinishReason.BUDGET if cut else best.finish_reason
        assert finish is not None
        return Result(
            question=problem.question,
            answer=best.answer,
            final=extract_final(best.answer) if best.answer else None,
            status=status(verdicts, answered=bool(best.answer)),
            confidence=found.confidence,
            finish_reason=finish,
            reasoning=best.steps,
            candidates=tuple(map(_answer, found.attempts)),
            verdicts=verdicts,
            strategy=settings.strategy,
            model=self._file.name,
            value_model=self._value.name if self._value else None,
            seed=settings.seed,
            usage=budget.usage(
                prompt=len(best.prompt),
                reasoning=best.reasoning_tokens,
                answer=best.answer_tokens,
            ),
        )

    def _notice(self, text: str) -> None:
        self._on_event(NoticeEvent(text=text))


async def _verdicts(problem: Problem, best: Attempt, tools: Tools) -> tuple[Verdict, ...]:
    """All that is known about the chosen attempt: now the known answer, which decides alone, and
    the given tests may speak, too."""
    checked = best.verdicts
    if not tools.open_book and (problem.expect is not None or problem.tests is not None):
        checked = None
    if checked is None:
        checked = await tools.check(problem, best.path, best.number, known=True, late=best.proven)
        checked = checked or ()
    if problem.expect is not None:
        return checked
    for verdict in best.found:
        tools.emit(VerdictEvent(path=best.number, verdict=verdict))
    return (*best.found, *checked)


def answered(result: Result) -> Candidate:
    """An earlier answer as the verifiers see it."""
    return Candidate(
        steps=tuple(step.text for step in result.reasoning),
        answer=result.answer,
        final=result.final,
        code=code_blocks(result.answer),
    )


def _bounded(limits: Limits) -> Limits:
    """Limits that let no line of a search write for ever, while others wait to be heard."""
    if limits.max_tokens is not None or limits.budget is None:
        return limits
    return limits.model_copy(update={"max_tokens": limits.budget + LONGEST_ANSWER})


def _answer(attempt: Attempt) -> Answer:
    return Answer(
        number=attempt.number,
        answer=attempt.path.answer,
        final=attempt.final or extract_final(attempt.path.answer),
        score=attempt.score,
        tokens=len(attempt.path.tokens),
    )


async def asolve(
    question: str | Problem, *, on_event: OnEvent | None = None, **options: Any
) -> Result:
    """Answer one question; `options` are fields of `Settings` (model=…, budget=…, seed=…), and
    `expect`, the known answer to check against.

    Raises ReasonerError: a missing model, a prompt too long, a bad option.
    """
    expect = options.pop("expect", None)
    settings = Settings.load(**options)
    if isinstance(question, str):
        question = Problem(question=question, system=settings.system, expect=expect)
    from reasoner.serve.client import solver_for

    async with solver_for(settings, on_event) as solver:
        return await solver.solve(question)


def solve(question: str | Problem, *, on_event: OnEvent | None = None, **options: Any) -> Result:
    """`asolve` for callers without an event loop."""
    return asyncio.run(asolve(question, on_event=on_event, **options))
