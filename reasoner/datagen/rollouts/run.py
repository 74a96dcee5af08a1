"""A run of rollouts: one engine, many exercises at once, everything that is done on disk."""

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
from reasoner.policy.policy import Policy
from reasoner.protocol.registry import choose_protocol
from reasoner.settings import Limits, Settings
from reasoner.value.doubts import FEATURE_NAMES

if TYPE_CHECKING:
    from reasoner.models.progress import DownloadObserver

__all__ = ["RolloutRun", "open_rollout_run"]

Notice = Callable[[str], None]


class RolloutRun:
    """Works through exercises. `problems`, `solutions` and `tokens` count what there is by now,
    that of earlier runs into the same file included."""

    def __init__(
        self,
        engine: LocalEngine,
        ledger: SolutionFile,
        rollouts: SolutionMaker,
        grower: TrajectorySampler,
        notice: Notice,
    ) -> None:
        self._engine, self._ledger = engine, ledger
        self._rollouts, self._grower, self._notice = rollouts, grower, notice
        self._counted = 0

    @property
    def problems(self) -> int:
        return len(self._ledger.completed_problems)

    @property
    def solutions(self) -> int:
        return self._ledger.solutions

    @property
    def tokens(self) -> int:
        return self._ledger.spent_tokens + self._engine.decoded_tokens - self._counted

    async def make_rollouts(
        self,
        exercises: Sequence[Exercise],
        *,
        at_once: int,
        max_tokens: int | None,
        on_exercise: Callable[[], None],
    ) -> None:
        """Do those that are not done yet, until `tokens` are spent in all; what is under way by
        then is finished. `watch` is called after each. To cancel it drops what is under way."""
        left = [one for one in exercises if one.id not in self._ledger.completed_problems][::-1]

        def more(running: int) -> bool:
            return (
                bool(left)
                and running < at_once
                and (max_tokens is None or self.tokens < max_tokens)
            )

        async with aclosing(completed_on_demand(lambda: self._one(left.pop()), more)) as done:
            async for _ in done:
                on_exercise()

    async def _one(self, exercise: Exercise) -> None:
        try:
            solutions, features = await self._rollouts.make_solutions(exercise, self._grower)
        except (PromptTooLong, ContextFull) as error:
            self._notice(f"{exercise.id} is left out: {error}")
            return
        decoded = self._engine.decoded_tokens
        self._ledger.add_solutions(solutions, features, decoded - self._counted)
        self._counted = decoded


@asynccontextmanager
async def open_rollout_run(
    path: Path,
    plan: RolloutPlan,
    settings: Settings,
    notice: Notice,
    progress: "DownloadObserver | None" = None,
) -> AsyncIterator[RolloutRun]:
    """Load the model and open the file at `path`, which may have been begun by an earlier run.

    Raises UsageError for a model on a server, and what `resolve_model` and `SolutionFile` raise.
    """
    model = await resolve(settings.model, settings, notice, progress)
    async with open_model(model, settings, notice, keep_prompts=False) as opened:
        engine = opened.engine
        if not isinstance(engine, LocalEngine):
            raise UsageError(f"{model.name} is on a server; rollouts need a model on this machine")
        with (
            SolutionFile(path, _facts(model, plan), len(FEATURE_NAMES)) as ledger,
            PluginHost(on_notice=notice) as verifiers,
        ):
            policy = _policy(engine, model, plan, settings)
            grower = TrajectorySampler(engine, policy, verifiers.same_answer)
            yield RolloutRun(engine, ledger, SolutionMaker(engine, plan), grower, notice)


def _facts(model: ResolvedModel, plan: RolloutPlan) -> RunFacts:
    return {
        "model": model.name,
        "model_sha256": model_checksum(model.file),
        **plan.model_dump(mode="json"),
    }


def _policy(
    engine: LocalEngine, model: ResolvedModel, plan: RolloutPlan, settings: Settings
) -> Policy:
    """The policy as a search would set it up, but for the limit on a solution's length."""
    spec = model.spec
    named = settings.protocol or (spec.protocol if spec else None)
    protocol = choose_protocol(engine, engine.chat_template or "", named)
    own = dict(spec.sampling) if spec else {}
    return Policy(
        engine,
        protocol,
        sampling=Sampling.parse(own, {"temperature": plan.temperature}),
        limits=Limits(budget=plan.max_tokens, max_tokens=plan.max_tokens),
        budget=Budget(),
        seed=plan.seed,
        merge_system=bool(spec and spec.no_system),
    )
