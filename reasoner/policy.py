"""Engine and protocol together: "continue this path by a round"."""

from codecs import getincrementaldecoder
from collections.abc import Callable
from zlib import crc32

from reasoner.budget import Budget
from reasoner.engine.engine import Engine, Generation
from reasoner.engine.request import Finish, Token
from reasoner.engine.sampling import Sampling
from reasoner.engine.template import render
from reasoner.errors import BadModelFile, PromptTooLong, UsageError
from reasoner.events import Channel
from reasoner.path import Path, Phase
from reasoner.problem import Message, Problem
from reasoner.protocol.protocol import Round, StepProtocol
from reasoner.protocol.room import Room
from reasoner.settings import Limits

__all__ = ["OnText", "Policy"]

OnText = Callable[[Channel, str], None]
"""Called with the text as it is written."""

ANSWER_TOKENS = 512
"""Tokens kept free for the answer, or a quarter of the room where that is less."""
STEP_TOKENS = 12
"""The least a step takes: its marks."""


class Policy:
    """A model that thinks in steps."""

    def __init__(
        self,
        engine: Engine,
        protocol: StepProtocol,
        *,
        sampling: Sampling,
        limits: Limits,
        budget: Budget,
        seed: int,
        merge_system: bool = False,
    ) -> None:
        self._engine, self._protocol = engine, protocol
        self._sampling, self._limits = sampling, limits
        self._budget, self._seed = budget, seed
        self._merge_system = merge_system
        self._think = limits.think and limits.budget != 0 and sampling.grammar is None

    @property
    def varied(self) -> bool:
        """Whether two samples of the same step can differ at all."""
        return self._sampling.temperature > 0.0

    def start(self, problem: Problem) -> Path:
        """The empty path of a problem. Raises PromptTooLong, or UsageError when the least
        number of steps cannot fit."""
        prompt = self._prompt(problem)
        room = self._engine.n_ctx - len(prompt)
        if room <= 1:
            raise PromptTooLong(len(prompt), self._engine.n_ctx)
        if self._limits.min_steps * STEP_TOKENS > room:
            raise UsageError(
                f"{self._limits.min_steps} steps need at least "
                f"{self._limits.min_steps * STEP_TOKENS} tokens, the context has {room} left; "
                "lower --min-steps or raise --context"
            )
        phase = Phase.REASONING if self._think else Phase.ANSWER
        return Path(prompt=tuple(prompt), phase=phase)

    async def extend(
        self,
        path: Path,
        *,
        seed: int = 0,
        on_text: OnText = lambda _channel, _text: None,
        sampling: Sampling | None = None,
    ) -> Path:
        """One round further: a step more, or the answer. `seed` tells paths apart; `sampling`
        replaces the policy's own for this round."""
        room = self._room(path)
        round_ = self._protocol.round(path, self._limits, room)
        generation = self._engine.generate(
            path.prompt + path.tokens,
            sampling or self._sampling,
            None if self._sampling.grammar else round_,
            max_tokens=max(1, self._left(path)),
            seed=self._round_seed(path, seed),
        )
        tokens = await self._collect(generation, round_, on_text, unread=1 if path.tokens else 0)
        return round_.conclude(tokens, generation.finish or Finish.CANCELLED)

    async def _collect(
        self, generation: Generation, round_: Round, on_text: OnText, unread: int
    ) -> list[Token]:
        """Drain a generation, telling its text as characters complete."""
        decoder = getincrementaldecoder("utf-8")(errors="replace")
        tokens: list[Token] = []
        self._budget.track(generation)
        try:
            async for token in generation:
                tokens.append(token)
                self._budget.write()
                if text := decoder.decode(self._engine.piece(token.id)):
                    on_text(round_.channel, text)
        finally:
            self._budget.settle(generation, unread)
        return tokens

    def _prompt(self, problem: Problem) -> list[int]:
        template = self._engine.chat_template
        if template is None:
            raise BadModelFile(
                "the model has no chat template, so it was not made to answer questions; "
                "choose an instruction-tuned one (reasoner models list)"
            )
        messages = self._protocol.messages(problem, self._think)
        text = render(
            template,
            [self._disarmed(message) for message in self._merged(messages)],
            bos=self._name(self._engine.bos),
            eos=self._name(self._engine.eos),
            think=self._think,
        )
        return self._engine.tokenize(text + self._protocol.opening(text, self._think))

    def _merged(self, messages: list[Message]) -> list[Message]:
        """For models that were trained without system prompts."""
        if not self._merge_system or len(messages) < 2 or messages[0].role != "system":
            return messages
        merged = f"{messages[0].content}\n\n{messages[1].content}"
        return [messages[1].model_copy(update={"content": merged}), *messages[2:]]

    def _disarmed(self, message: Message) -> Message:
        """Text that spells a control token must not act as one: break its name up."""
        special = {
            token
            for token in self._engine.tokenize(message.content)
            if self._engine.piece(token) != self._engine.piece(token, special=True)
        }
        content = message.content
        for name in {self._engine.piece(token, special=True).decode() for token in special}:
            content = content.replace(name, f"{name[:1]}\u200b{name[1:]}")
        return message if not special else message.model_copy(update={"content": content})

    def _name(self, token: int | None) -> str:
        return "" if token is None else self._engine.detokenize([token], special=True)

    def _left(self, path: Path) -> int:
        """Tokens the path may still write in all."""
        left = self._engine.n_ctx - len(path.prompt) - len(path.tokens)
        if self._limits.max_tokens is not None:
            left = min(left, self._limits.max_tokens - len(path.tokens))
        return left

    def _room(self, path: Path) -> Room:
        total = self._left(path) + len(path.tokens)
        hard = max(0, total - min(ANSWER_TOKENS, total // 3))
        reasoning = hard if self._limits.budget is None else min(hard, self._limits.budget)
        return Room(reasoning, hard, self._left(path), self._budget.reasoning_over)

    def _round_seed(self, path: Path, seed: int) -> int:
        """A seed for every round of every path, so that no two rounds draw the same numbers."""
        return crc32(f"{self._seed}/{seed}/{len(path.tokens)}".encode()) % (2**32 - 2)
