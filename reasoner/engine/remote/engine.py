"""The engine interface over an OpenAI-compatible completions server.

Such servers take and return text, so token ids stand for pieces of text. Forced tokens are added
to the prompt, a halt closes the stream, banned tokens are sampled again, and scores come from the
server's most likely next tokens. Hidden states and whole distributions are not available.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from reasoner.engine.capabilities import (
    Capabilities,
    missing_capability,
    require_capabilities,
)
from reasoner.engine.constraints import Controller
from reasoner.engine.end_tokens import find_end_token
from reasoner.engine.interface import Engine, OnDecoded
from reasoner.engine.remote.completions import CompletionsClient
from reasoner.engine.remote.generation import RemoteGeneration
from reasoner.engine.remote.server_card import (
    context_length,
    fetch_properties,
    find_model_card,
    text_property,
)
from reasoner.engine.remote.text_vocabulary import TextVocabulary
from reasoner.engine.sampling import Sampling
from reasoner.errors import PromptTooLong
from reasoner.models.chat_templates import CHATML_TEMPLATE
from reasoner.settings import EngineSettings
from reasoner.types.token_statistics import TokenStatistics

__all__ = ["RemoteEngine"]

UNLISTED_LOGPROB_GAP = 3.0
"""A token that the server does not list gets the lowest listed log-probability minus this."""


class RemoteEngine:
    """Implements `Engine` for one model of a server; created by `open`, freed by `close`."""

    n_embd = 0

    def __init__(
        self,
        server: CompletionsClient,
        template: str,
        end: str,
        n_ctx: int,
        *,
        logprobs: bool = True,
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
        vocabulary = self._vocabulary = TextVocabulary(end)
        self.tokenize, self.tokenize_prompt = vocabulary.tokenize, vocabulary.tokenize_prompt
        self.split_marks, self.detokenize = vocabulary.split_marks, vocabulary.detokenize
        self.piece, self.token_id = vocabulary.piece, vocabulary.token_id
        self.is_eog, self.end_replies_at = vocabulary.is_eog, vocabulary.end_replies_at
        self.bos, self.eos = vocabulary.bos, vocabulary.eos

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
        """Connect to a server and read what it says of the model.

        `template` replaces the server's chat template. Raises UsageError when the address or the
        model name is wrong, and EngineError when the server cannot be used.
        """
        chosen = settings or EngineSettings()
        server = CompletionsClient(address, model or "", key, chosen.sequences)
        try:
            card = find_model_card(await server.fetch_json(f"{address}/models"), model, address)
            server.model = str(card["id"])
            props = await fetch_properties(server, address)
            template = template or text_property(props, "chat_template")
            if template is None:
                notice(f"{address} tells no chat template, so ChatML is used; set chat_template")
            logprobs = await server.probe_logprobs()
            if not logprobs:
                notice(f"{address} tells no log-probabilities, so nothing can be scored by it")
        except BaseException:
            await server.close()
            raise
        template = template or CHATML_TEMPLATE
        end = text_property(props, "eos_token") or find_end_token(template)
        n_ctx = chosen.context or context_length(card, props)
        return cls(server, template, end, n_ctx, logprobs=logprobs)

    @property
    def end_tokens(self) -> tuple[int, ...]:
        return self._vocabulary.end_tokens

    @property
    def control_tokens(self) -> tuple[int, ...]:
        return self._vocabulary.control_tokens

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
        ignored_ends: Collection[int] = (),
    ) -> RemoteGeneration:
        """Continue `tokens`; see `Engine.generate`. Raises UsageError for a grammar, and
        PromptTooLong."""
        if sampling.grammar is not None:
            require_capabilities(self.capabilities, "grammar")
        if len(tokens) >= self.n_ctx:
            raise PromptTooLong(len(tokens), self.n_ctx)
        limit = min(max_tokens or self.n_ctx, self.n_ctx - len(tokens))
        return RemoteGeneration(
            self._server,
            self._vocabulary,
            tokens,
            sampling,
            controller,
            limit,
            seed,
            ignored_ends,
        )

    async def token_logprobs(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        targets: Sequence[Sequence[int]],
        on_decoded: OnDecoded | None = None,
    ) -> list[tuple[float, ...]]:
        texts = [self._vocabulary.sent_text(tokens[: position + 1]) for position in positions]
        rows = await asyncio.gather(*(self._server.next_logprobs(text) for text in texts))
        if on_decoded is not None:
            on_decoded(len(tokens))
        return [
            tuple(self._token_logprob(row, target) for target in row_targets)
            for row, row_targets in zip(rows, targets, strict=True)
        ]

    def _token_logprob(self, logprobs: dict[str, float], token: int) -> float:
        text = self.detokenize([token], special=True)
        return logprobs.get(text, min(logprobs.values()) - UNLISTED_LOGPROB_GAP)

    async def top_tokens(
        self, tokens: Sequence[int], count: int, on_decoded: OnDecoded | None = None
    ) -> list[tuple[int, float]]:
        logprobs = await self._server.next_logprobs(self._vocabulary.sent_text(tokens))
        if on_decoded is not None:
            on_decoded(len(tokens))
        best = sorted(logprobs.items(), key=lambda row: -row[1])[:count]
        return [(self._vocabulary.text_token_id(text), logprob) for text, logprob in best]

    async def token_statistics(
        self, tokens: Sequence[int], begin: int, on_decoded: OnDecoded | None = None
    ) -> list[TokenStatistics]:
        raise missing_capability(self.capabilities.owner, "whole_logits")

    async def hidden_states(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        on_decoded: OnDecoded | None = None,
    ) -> npt.NDArray[np.float32]:
        raise missing_capability(self.capabilities.owner, "hidden_states")

    def release_prefix(
        self, tokens: Sequence[int], keep: int = 0, include_extensions: bool = False
    ) -> None:
        """Does nothing: a server manages its own cache."""

    async def close(self) -> None:
        await self._server.close()
