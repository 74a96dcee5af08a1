"""The main flow: a question in, an answer with its evidence out."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Self

from reasoner.answers.extraction import extract_final_answer
from reasoner.answers.status import status_of_verdicts
from reasoner.answers.submission import build_submission
from reasoner.cache.verdicts import open_verdict_cache
from reasoner.engine.capabilities import require_capabilities
from reasoner.models.progress import DownloadObserver
from reasoner.open_model import open_model, resolve
from reasoner.plugin_host.host import PluginHost
from reasoner.policy.budget import Budget
from reasoner.policy.builder import build_policy
from reasoner.policy.end_of_turn import adopt_end_of_turn
from reasoner.policy.policy import Policy
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.search.context import SearchContext
from reasoner.search.request import ValidatedRequest, validate_request
from reasoner.settings import Settings
from reasoner.solver.context_notice import context_notice
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.events import (
    Event,
    NoticeEvent,
    OnEvent,
    ResultEvent,
    StartEvent,
    TextEvent,
    VerdictEvent,
)
from reasoner.types.problem import Problem
from reasoner.types.result import CandidateSummary, Result
from reasoner.types.trajectory import FinishReason
from reasoner.types.verdict import Verdict
from reasoner.value.open import open_value_model

__all__ = ["LocalSolver"]


class LocalSolver:
    """A solver whose policy, value model, search and plugins run in this process.

    Entering it loads the model (fetching it on first use, reported to `on_progress`) and the
    plugins. The policy's engine may itself be a completions server elsewhere.
    """

    def __init__(
        self,
        settings: Settings,
        on_event: OnEvent | None = None,
        on_progress: DownloadObserver | None = None,
    ) -> None:
        self._settings = settings
        self._on_event: OnEvent = on_event or (lambda _event: None)
        self._on_progress = on_progress
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        settings, notice = self._settings, self._notice
        validate_request(settings)
        async with AsyncExitStack() as resources:
            model = await resolve(settings.model, settings, notice, self._on_progress)
            opened = open_model(model, settings, notice, chat_template=settings.chat_template)
            self._model = await resources.enter_async_context(opened)
            await asyncio.to_thread(adopt_end_of_turn, self._model.engine)
            self._protocol = choose_protocol(
                self._model.engine,
                self._model.engine.chat_template or "",
                settings.protocol or (model.spec.protocol if model.spec else None),
                model.spec.marks if model.spec else None,
            )
            self._verifiers = resources.enter_context(
                PluginHost(
                    on_notice=notice,
                    unsafe_exec=settings.unsafe_exec,
                    verdict_cache=open_verdict_cache(settings),
                )
            )
            self._value = await resources.enter_async_context(
                open_value_model(settings, self._model, notice, self._on_progress)
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

    @property
    def n_ctx(self) -> int:
        """The number of tokens that the context holds."""
        return self._model.engine.n_ctx

    @property
    def prompt_has_date(self) -> bool:
        """Whether the model's chat template writes the current date into prompts."""
        return "strftime_now" in (self._model.engine.chat_template or "")

    async def ping(self) -> None:
        """Raise EngineError when the engine no longer decodes."""
        engine = self._model.engine
        if not engine.capabilities.score:
            return
        tokens = engine.tokenize("a")
        await engine.token_logprobs(tokens, [len(tokens) - 1], [[tokens[0]]])

    def count_prompt_tokens(self, problem: Problem, settings: Settings) -> int:
        """Return the number of tokens of a problem's prompt."""
        return self._policy(settings, Budget(), varied=False).count_prompt_tokens(problem)

    async def prefill(self, problem: Problem, settings: Settings) -> None:
        """Read a conversation's history into the KV cache before its next question is known."""
        await self._policy(settings, Budget(), varied=False).prefill_history(problem)

    async def verify(self, problem: Problem, result: Result) -> tuple[Verdict, ...]:
        """Return the verdicts of the verifiers on an earlier answer to a problem."""
        submission = build_submission(result.reasoning, result.answer, result.final)
        return await self._verifiers.check(problem, submission)

    async def solve(
        self,
        problem: Problem,
        *,
        settings: Settings | None = None,
        on_event: OnEvent | None = None,
        stop: asyncio.Event | None = None,
    ) -> Result:
        """Answer `problem`; see `Solver.solve`.

        Raises UsageError, PromptTooLong, ContextFull, EngineError.
        """
        request = validate_request(settings or self._settings, self._model.spec, problem)
        if request.strategy.judges_states and self._value is None:
            require_capabilities(self._model.engine.capabilities, "score")
        watch = _AnswerWatch(on_event or self._on_event)
        watch.emit(self._start_event(request))
        budget = Budget(request.settings.limits.seconds, request.settings.search_budget)
        with budget.stop_on(stop):
            context = self.search_context(
                request.settings, budget, watch.on_event, varied=request.strategy.needs_sampling
            )
            self._tell_short_context(problem, request.settings, watch.emit)
            outcome = await request.strategy.search(problem, context, request.parameters)
            outcome = outcome.with_proven_first()
            best = outcome.candidates[0]
            if request.strategy.needs_sampling:
                context.policy.release_prompt(best.trajectory)
            watch.show_answer(best)
            verdicts = await _final_verdicts(problem, best, context)
        result = self._result(problem, outcome, verdicts, request.settings, budget)
        watch.emit(ResultEvent(result=result))
        return result

    def _tell_short_context(self, problem: Problem, settings: Settings, emit: OnEvent) -> None:
        count_prompt_tokens = partial(self.count_prompt_tokens, problem, settings)
        if text := context_notice(settings, count_prompt_tokens, self.n_ctx):
            emit(NoticeEvent(text=text))

    def search_context(
        self, settings: Settings, budget: Budget, emit: OnEvent, *, varied: bool
    ) -> SearchContext:
        """Return the search context of one question; with `varied`, sampling is never greedy."""
        return SearchContext(
            self._policy(settings, budget, varied=varied),
            budget,
            emit,
            self._verifiers if settings.verify else None,
            self._value.new_scorer() if self._value else None,
            use_known_answer=settings.until_verified,
        )

    def _policy(self, settings: Settings, budget: Budget, *, varied: bool) -> Policy:
        return build_policy(
            self._model, self._protocol, settings, budget, varied=varied, plugins=self._verifiers
        )

    def _start_event(self, request: ValidatedRequest) -> StartEvent:
        settings = request.settings
        return StartEvent(
            model=self._model.model.name,
            effort=settings.effort,
            strategy=settings.strategy,
            strategy_options=settings.strategy_options,
            seed=settings.seed,
            live=request.strategy.live,
        )

    def _result(
        self,
        problem: Problem,
        outcome: SearchOutcome,
        verdicts: tuple[Verdict, ...],
        settings: Settings,
        budget: Budget,
    ) -> Result:
        candidate = outcome.candidates[0]
        best = candidate.trajectory
        exhausted = budget.is_exhausted and not candidate.is_complete
        finish_reason = FinishReason.BUDGET if exhausted else best.finish_reason
        assert finish_reason is not None
        return Result(
            question=problem.question,
            answer=best.answer,
            final=extract_final_answer(best.prompted_answer) if best.answer else None,
            status=status_of_verdicts(verdicts, answered=bool(best.answer)),
            confidence=outcome.confidence,
            finish_reason=finish_reason,
            reasoning=best.steps,
            candidates=tuple(map(_summary, outcome.candidates)),
            verdicts=verdicts,
            strategy=settings.strategy,
            model=self._model.model.name,
            value_model=self._value.name if self._value else None,
            seed=settings.seed,
            usage=budget.usage(
                prompt_tokens=len(best.prompt),
                reasoning_tokens=best.reasoning_tokens,
                answer_tokens=best.answer_tokens,
            ),
        )

    def _notice(self, text: str) -> None:
        self._on_event(NoticeEvent(text=text))


class _AnswerWatch:
    """Passes events on, and notes which trajectories streamed their answer already."""

    def __init__(self, emit: OnEvent) -> None:
        self.emit = emit
        self._streamed: set[int] = set()

    def on_event(self, event: Event) -> None:
        if isinstance(event, TextEvent) and event.channel == "answer":
            self._streamed.add(event.path)
        self.emit(event)

    def show_answer(self, best: Candidate) -> None:
        """Emit the chosen answer, unless it was streamed while it was generated."""
        if best.trajectory.answer and best.number not in self._streamed:
            self.emit(TextEvent(path=best.number, channel="answer", text=best.trajectory.answer))


async def _final_verdicts(
    problem: Problem, best: Candidate, context: SearchContext
) -> tuple[Verdict, ...]:
    """Return all verdicts on the chosen candidate.

    Now the known answer, which decides alone, and the given tests may be used as well.
    """
    checked = best.verdicts
    if not context.use_known_answer and (problem.expect is not None or problem.tests is not None):
        checked = None
    if checked is None:
        checked = await context.verify_trajectory(
            problem, best.trajectory, best.number, show_known_answer=True, after_stop=best.is_proven
        )
        checked = checked or ()
    if problem.expect is not None:
        return checked
    for verdict in best.search_verdicts:
        context.emit(VerdictEvent(path=best.number, verdict=verdict))
    return (*best.search_verdicts, *checked)


def _summary(candidate: Candidate) -> CandidateSummary:
    return CandidateSummary(
        number=candidate.number,
        answer=candidate.trajectory.answer,
        final=candidate.final_answer or extract_final_answer(candidate.trajectory.prompted_answer),
        score=candidate.score,
        tokens=len(candidate.trajectory.tokens),
    )
