"""The engine on another machine: any OpenAI-compatible completions server behind the contract.

Such servers take text and give text. So tokens here are pieces of text; what a controller forces
is added to the prompt; what it halts is no longer read; what it bans is drawn again; scores are
read from the likeliest next tokens. Hidden states there are none.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from reasoner.doubt import Doubt
from reasoner.engine.capabilities import (
    Capabilities,
    missing_capability,
    require_capabilities,
)
from reasoner.engine.completions import Completions
from reasoner.engine.control import Controller
from reasoner.engine.end_tokens import find_end_token
from reasoner.engine.engine import Engine, OnDecoded
from reasoner.engine.remote_generation import RemoteGeneration
from reasoner.engine.sampling import Sampling
from reasoner.engine.server_card import (
    context_length,
    fetch_properties,
    find_model_card,
    text_property,
)
from reasoner.engine.words import WordVocabulary
from reasoner.errors import PromptTooLong
from reasoner.settings import EngineSettings

__all__ = ["CHATML", "RemoteEngine"]

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
UNSEEN = 3.0
"""How much less likely than the least likely token that is told one is taken to be that is not."""


class RemoteEngine:
    """A server's model. `open` it, `close` it."""

    n_embd = 0

    def __init__(
        self, server: Completions, template: str, end: str, n_ctx: int, *, logprobs: bool = True
    ) -> None:
        self._server, self._template = server, template
        self.n_ctx = n_ctx
        self.capabilities = Capabilities(
            owner=f"the server at {server.address}",
            constrain=False,
            grammar=False,
            score=logprobs,
            whole_logits=False,
            hidden_states=False,
            token_ids=False,
            fork=False,
        )
        vocabulary = self._vocabulary = WordVocabulary(end)
        self.tokenize, self.detokenize = vocabulary.tokenize, vocabulary.detokenize
        self.piece, self.token_id = vocabulary.piece, vocabulary.token_id
        self.is_eog = vocabulary.is_eog
        self.bos, self.eos = vocabulary.bos, vocabulary.eos
        self.end_tokens, self.control_tokens = vocabulary.end_tokens, vocabulary.control_tokens

    @classmethod
    async def open(
        cls,
        address: str,
        model: str | None,
        settings: EngineSettings | None = None,
        *,
        key: str | None = None,
        template: str | None = None,
        notice: Callable[[str], None] = lambda _text: None,
    ) -> Self:
        """Find out what the server has. Raises UsageError or EngineError."""
        chosen = settings or EngineSettings()
        server = Completions(address, model or "", key, chosen.sequences)
        try:
            card = find_model_card(await server.get(f"{address}/models"), model, address)
            server.model = str(card["id"])
            props = await fetch_properties(server, address)
            template = template or text_property(props, "chat_template")
            if template is None:
                notice(f"{address} tells no chat template, so ChatML is used; set chat_template")
            logprobs = await server.probe()
            if not logprobs:
                notice(f"{address} tells no log-probabilities, so nothing can be scored by it")
        except BaseException:
            await server.close()
            raise
        template = template or CHATML
        end = text_property(props, "eos_token") or find_end_token(template)
        n_ctx = chosen.context or context_length(card, props)
        return cls(server, template, end, n_ctx, logprobs=logprobs)

    def same_vocabulary(self, other: Engine) -> bool:
        return False

    @property
    def chat_template(self) -> str | None:
        return self._template

    def generate(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        controller: Controller | None = None,
        max_tokens: int | None = None,
        seed: int = 0,
    ) -> RemoteGeneration:
        if sampling.grammar is not None:
            require_capabilities(self.capabilities, "grammar")
        if len(tokens) >= self.n_ctx:
            raise PromptTooLong(len(tokens), self.n_ctx)
        most = min(max_tokens or self.n_ctx, self.n_ctx - len(tokens))
        return RemoteGeneration(
            self._server, self._vocabulary, tokens, sampling, controller, most, seed
        )

    async def score(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        targets: Sequence[Sequence[int]],
        on_decoded: OnDecoded | None = None,
    ) -> list[tuple[float, ...]]:
        texts = [self.detokenize(tokens[: position + 1], special=True) for position in positions]
        found = await asyncio.gather(*(self._server.next_logprobs(text) for text in texts))
        if on_decoded is not None:
            on_decoded(len(tokens))
        return [
            tuple(self._likelihood(row, target) for target in wanted)
            for row, wanted in zip(found, targets, strict=True)
        ]

    def _likelihood(self, told: dict[str, float], token: int) -> float:
        text = self.detokenize([token], special=True)
        return told.get(text, min(told.values()) - UNSEEN)

    async def likeliest(
        self, tokens: Sequence[int], count: int, on_decoded: OnDecoded | None = None
    ) -> list[tuple[int, float]]:
        told = await self._server.next_logprobs(self.detokenize(tokens, special=True))
        if on_decoded is not None:
            on_decoded(len(tokens))
        best = sorted(told.items(), key=lambda row: -row[1])[:count]
        return [(self._vocabulary.received(text), logprob) for text, logprob in best]

    async def doubts(
        self, tokens: Sequence[int], begin: int, on_decoded: OnDecoded | None = None
    ) -> list[Doubt]:
        raise missing_capability(self.capabilities.owner, "whole_logits")

    async def hidden(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        on_decoded: OnDecoded | None = None,
    ) -> npt.NDArray[np.float32]:
        raise missing_capability(self.capabilities.owner, "hidden_states")

    def forget(self, tokens: Sequence[int], keep: int = 0, below: bool = False) -> None:
        """The server looks after its own cache."""

    async def close(self) -> None:
        await self._server.close()
