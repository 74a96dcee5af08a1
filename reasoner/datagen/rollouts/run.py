"""A run of rollouts: one engine, several exercises at once, and a file that keeps all results."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reasoner.concurrency.gather import completed_on_demand
from reasoner.datagen.rollouts.exercises import Exercise
from reasoner.datagen.rollouts.ledger import RunFacts, SolutionFile
from reasoner.datagen.rollouts.rollouts import SolutionMaker
from reasoner.datagen.rollouts.settings import RolloutPlan
from reasoner.datagen.rollouts.trajectory import TrajectorySampler
from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.errors import ContextFull, PromptTooLong, UsageError
from reasoner.models.checksum import model_checksum
from reasoner.models.resolve import ResolvedModel
from reasoner.open_model import open_model, resolve
from reasoner.plugin_host.host import PluginHost
from reasoner.policy.budget import Budget
from reasoner.policy.end_of_turn import adopt_end_of_turn
from reasoner.policy.policy import Policy
from reasoner.policy.prompt_builder import PromptOptions
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.settings import Limits, Settings
from reasoner.value.step_features import FEATURE_NAMES

if TYPE_CHECKING:
    from reasoner.models.progress import DownloadObserver

__all__ = ["RolloutRun", "open_rollout_run"]

Notice = Callable[[str], None]


class RolloutRun:
    """Makes solutions of exercises and appends them to a file."""

    def __init__(
        self,
        engine: LocalEngine,
        file: SolutionFile,
        maker: SolutionMaker,
        sampler: TrajectorySampler,
        notice: Notice,
    ) -> None:
        self._engine, self._file = engine, file
        self._maker, self._sampler, self._notice = maker, sampler, notice
        self._written_tokens = 0

    @property
    def problems(self) -> int:
        """The number of problems in the file, those of earlier runs included."""
        return len(self._file.completed_problems)

    @property
    def solutions(self) -> int:
        """The number of solutions in the file."""
        return self._file.solutions

    @property
    def tokens(self) -> int:
        """The number of tokens decoded for the file, and for the problems under way."""
        return self._file.spent_tokens + self._engine.decoded_tokens - self._written_tokens

    async def make_rollouts(
        self,
        exercises: Sequence[Exercise],
        *,
        at_once: int,
        max_tokens: int | None,
        on_exercise: Callable[[], None],
    ) -> None:
        """Make solutions of the exercises that are not in the file yet, `at_once` at a time.

        No exercise begins once `max_tokens` tokens have been decoded for the file; those under way
        are completed. `on_exercise` is called after each. Cancellation drops those under way.
        """
        remaining = [
            exercise for exercise in exercises if exercise.id not in self._file.completed_problems
        ][::-1]

        def may_start(running: int) -> bool:
            has_tokens = max_tokens is None or self.tokens < max_tokens
            return bool(remaining) and running < at_once and has_tokens

        results = completed_on_demand(lambda: self._complete(remaining.pop()), may_start)
        async with aclosing(results) as completions:
            async for _ in completions:
                on_exercise()

    async def _complete(self, exercise: Exercise) -> None:
        try:
            solutions, features = await self._maker.make_solutions(exercise, self._sampler)
        except (PromptTooLong, ContextFull) as error:
            self._notice(f"{exercise.id} is left out: {error}")
            return
        decoded_tokens = self._engine.decoded_tokens
        self._file.add_solutions(solutions, features, decoded_tokens - self._written_tokens)
        self._written_tokens = decoded_tokens


@asynccontextmanager
async def open_rollout_run(
    path: Path,
    plan: RolloutPlan,
    settings: Settings,
    notice: Notice,
    progress: "DownloadObserver | None" = None,
) -> AsyncIterator[RolloutRun]:
    """Load the model and open the file at `path`, which an earlier run may have begun.

    Raises UsageError for a model on a server, and what `resolve` and `SolutionFile` raise.
    """
    model = await resolve(settings.model, settings, notice, progress)
    async with open_model(
        model, settings, notice, keep_prompts=False, chat_template=settings.chat_template
    ) as opened:
        engine = opened.engine
        if not isinstance(engine, LocalEngine):
            raise UsageError(f"{model.name} is on a server; rollouts need a model on this machine")
        with (
            SolutionFile(path, _facts(model, plan), len(FEATURE_NAMES)) as file,
            PluginHost(on_notice=notice) as verifiers,
        ):
            adopt_end_of_turn(engine)
            policy = _policy(engine, model, plan, settings)
            sampler = TrajectorySampler(engine, policy, verifiers.same_answer)
            yield RolloutRun(engine, file, SolutionMaker(engine, plan), sampler, notice)


def _facts(model: ResolvedModel, plan: RolloutPlan) -> RunFacts:
    return {
        "model": model.name,
        "model_sha256": model_checksum(model.file),
        **plan.model_dump(mode="json"),
    }


def _policy(
    engine: LocalEngine, model: ResolvedModel, plan: RolloutPlan, settings: Settings
) -> Policy:
    """Return the policy with the settings that a search has, but with the plan's limits."""
    spec = model.spec
    protocol_name = settings.protocol or (spec.protocol if spec else None)
    marks = spec.marks if spec else None
    protocol = choose_protocol(engine, engine.chat_template or "", protocol_name, marks)
    model_sampling = dict(spec.sampling) if spec else {}
    return Policy(
        engine,
        protocol,
        sampling=Sampling.parse(model_sampling, {"temperature": plan.temperature}),
        limits=Limits(budget=plan.max_tokens, max_tokens=plan.max_tokens),
        budget=Budget(),
        seed=plan.seed,
        prompt_options=PromptOptions(
            bool(spec and spec.no_system), settings.effort, arguments=settings.template_args
        ),
    )
