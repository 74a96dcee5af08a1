"""Continuous batching: schedule requests, run the model, postprocess its outputs.

Everything runs on the engine's worker thread. Each step admits waiting requests, decodes the batch
of chunks that the planner returns, and samples the next token of each sequence that has logits.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic

from reasoner.engine.constraints import FREE, Force, Halt
from reasoner.engine.local.batch_planner import MAX_DECODE_TOKENS, BatchPlanner
from reasoner.engine.local.chunk import Chunk
from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.prefix_cache import PrefixCache, Sequence
from reasoner.engine.local.prompt_cache import PromptCache, PromptCacheStore
from reasoner.engine.local.request import GenerateRequest, PrefillRequest, Request
from reasoner.engine.local.sampler import TokenSampler
from reasoner.engine.local.state_cache import StateCache
from reasoner.engine.token import Finish, Token
from reasoner.errors import ContextFull, EngineError, ReasonerError

__all__ = ["Scheduler"]

GROWTH_FRACTION_DIVISOR = 128
"""For each running sequence 1/MARGIN of the cells stays free when another is admitted: space to
grow, without which a sequence would soon be preempted."""

ADMISSION_INTERVAL_SECONDS = 0.05
"""Seconds between two attempts to admit waiting requests while no cells were freed."""


class Scheduler:
    """The waiting and running requests of one context. Each `step` decodes one batch."""

    def __init__(self, context: LlamaContext, prompt_store: PromptCacheStore | None = None) -> None:
        self.context = context
        self.cache = StateCache(context) if context.is_recurrent else PrefixCache(context)
        self.planner = BatchPlanner(context)
        self.prompt_cache = PromptCache(context, self.cache, prompt_store)
        self.waiting: deque[Request] = deque()
        self.decoded_tokens = 0
        self.in_flight: tuple[Request, ...] = ()
        self._arrivals = 0
        self._next_admission_time = 0.0
        """Monotonic time of the next admission; 0 means at once, as the state has changed."""

    @property
    def busy(self) -> bool:
        """Whether any request is waiting or running."""
        return bool(self.waiting) or bool(self.cache.running_sequences())

    def submit(self, request: Request) -> None:
        """Append a request to the waiting ones."""
        self._arrivals += 1
        request.arrival = self._arrivals
        self.waiting.append(request)
        self._next_admission_time = 0.0

    def abort_all(self, reason: Finish | EngineError) -> None:
        """End every request with `reason` and evict its sequence."""
        requests = [
            *self.waiting,
            *(s.request for s in self.cache.running_sequences() if s.request),
        ]
        for sequence in self.cache.running_sequences():
            self.cache.evict(sequence)
        self.waiting.clear()
        for request in requests:
            request.close()
            request.emit(reason)

    def step(self) -> None:
        """Run one step: admit, plan, decode, postprocess."""
        self.prompt_cache.store_prompts()
        self._drop_cancelled()
        self.cache.prepare_step(self.waiting)
        self._admit()
        chunks = self.planner.plan_batch(self.cache.running_sequences())
        if chunks and (indices := self._decode(chunks)) is not None:
            for chunk, start in zip(chunks, indices, strict=True):
                self._run_guarded(chunk.sequence, partial(self._postprocess, chunk, start))

    # -- admission -------------------------------------------------------------------------

    def _drop_cancelled(self) -> None:
        for sequence in self.cache.running_sequences():
            if sequence.request is not None and sequence.request.cancelled:
                self._finish(sequence, Finish.CANCELLED)
        for request in [r for r in self.waiting if r.cancelled]:
            self.waiting.remove(request)
            request.close()
            request.emit(Finish.CANCELLED)

    def _admit(self) -> None:
        """Start waiting requests in order of arrival while there are free cells.

        A request that continues an idle sequence is always admitted, and one that forks a cached
        prefix may overtake requests that need more cells.
        """
        now = monotonic()
        if not self.waiting or now < self._next_admission_time:
            return
        self._next_admission_time = now + ADMISSION_INTERVAL_SECONDS
        blocked = crowded = False
        for request in list(self.waiting):
            if self.cache.full:
                return
            self.prompt_cache.restore_prefix(request)
            size = len(request.tokens)
            parent, shared = self.cache.longest_prefix(
                request, size - MAX_DECODE_TOKENS if blocked else 0
            )
            if blocked and parent is None:
                continue
            if self.cache.longest_pending_prefix(request) > shared + MAX_DECODE_TOKENS:
                continue  # another sequence prefills these tokens: fork it afterwards
            few = size - shared <= MAX_DECODE_TOKENS
            if not (few and self.cache.can_reuse(parent, shared)):
                if crowded or (blocked and not few):
                    continue
                if not self._has_free_cells(size - shared):
                    blocked, crowded = True, few
                    continue
            sequence = self.cache.allocate(request, parent, shared)
            if sequence is not None:
                self.waiting.remove(request)
                self._run_guarded(sequence, partial(self._start, sequence, request))

    def _has_free_cells(self, needed: int) -> bool:
        """Whether `needed` cells are free or held by sequences that can be evicted. A sequence
        between two rounds is not evicted, as all its tokens would be prefilled again."""
        active, at_work = self.cache.running_sequences(), self.cache.reserved_sequences()
        unread = sum(sequence.remaining_tokens for sequence in active)
        held = (
            self.cache.count_cells(at_work)
            + unread
            + self.context.n_cells // GROWTH_FRACTION_DIVISOR * len(at_work)
        )
        return not at_work or held + needed <= self.context.n_cells

    def _start(self, sequence: Sequence, request: Request) -> None:
        """Create the sampler and append the tokens that are forced before any logits."""
        if isinstance(request, GenerateRequest):
            request.sampler = request.sampler or TokenSampler(
                self.context, request.sampling, request.seed, request.tokens
            )
            self._append_tokens(sequence, request, None)

    # -- decoding --------------------------------------------------------------------------

    def _decode(self, chunks: list[Chunk]) -> list[int] | None:
        """Decode the chunks. Return the batch index where each starts, or None on failure."""
        entries: list[tuple[int, int, int, bool]] = []
        starts: list[int] = []
        for chunk in chunks:
            starts.append(len(entries))
            entries += chunk.entries()
        requests = [chunk.sequence.request for chunk in chunks]
        hidden = any(isinstance(request, PrefillRequest) and request.hidden for request in requests)
        self.in_flight = tuple(filter(None, requests))
        start_time = monotonic()
        code = self.context.decode(entries, hidden)
        self.in_flight = ()
        if code == 0:
            self._record_decode(chunks, len(entries), monotonic() - start_time)
            return starts
        self._handle_decode_failure(chunks, code)
        return None

    def _record_decode(self, chunks: list[Chunk], count: int, seconds: float) -> None:
        self.decoded_tokens += count
        self.planner.record_duration(chunks, seconds)
        for chunk in chunks:
            sequence, request = chunk.sequence, chunk.sequence.request
            assert request is not None
            begin = len(sequence.tokens)
            self.cache.append_tokens(sequence, chunk.count)
            prompt_tokens = min(begin + chunk.count, len(request.prompt)) - begin
            request.decoded_tokens += max(0, prompt_tokens)
            if prompt_tokens > MAX_DECODE_TOKENS:
                self._next_admission_time = 0.0  # waiting requests may fork what was prefilled
            self.prompt_cache.record_prefill(sequence, request)

    def _handle_decode_failure(self, chunks: list[Chunk], code: int) -> None:
        """Handle llama.cpp's result code: free cells, undo an aborted batch, or fail it."""
        if code == 1:
            self._free_cells()
            return
        for sequence in (chunk.sequence for chunk in chunks):
            if code < 0:
                self._fail(sequence, EngineError(f"llama.cpp failed to decode (code {code})"))
            elif not self.cache.truncate(sequence, len(sequence.tokens)):
                self._preempt(sequence)
        for sequence in self.cache.sequences() if self.cache.states_move else ():
            self.cache.evict(sequence) if sequence.request is None else self._preempt(sequence)

    def _free_cells(self) -> None:
        """Evict the least recently used idle sequence, else preempt the request with the fewest
        tokens; the only request fails with ContextFull."""
        if idle := self.cache.idle_sequences():
            self.cache.evict(idle[0])
            return
        active = self.cache.running_sequences()
        if len(active) > 1:
            self._preempt(min(reversed(active), key=lambda sequence: len(sequence.tokens)))
        else:
            request = active[0].request
            needed = len(request.tokens) if request else 0
            self._fail(active[0], ContextFull(needed, self.context.n_cells))

    # -- continuing ------------------------------------------------------------------------

    def _postprocess(self, chunk: Chunk, start: int) -> None:
        """Postprocess the output rows of a decoded chunk."""
        sequence, request = chunk.sequence, chunk.sequence.request
        if isinstance(request, GenerateRequest) and sequence.remaining_tokens == 0:
            self._append_tokens(sequence, request, start + chunk.count - 1)
        elif isinstance(request, PrefillRequest):
            begin = len(sequence.tokens) - chunk.count
            row = self.context.hidden if request.hidden else self.context.logits
            for i in range(chunk.count):
                if begin + i in request.positions:
                    request.on_row(begin + i, row(start + i))
            if sequence.remaining_tokens == 0:
                self._finish(sequence, Finish.STOP)

    def _append_tokens(
        self, sequence: Sequence, request: GenerateRequest, index: int | None
    ) -> None:
        """Append forced and sampled tokens until the next one needs logits not yet computed."""
        while True:
            constraint = request.controller.constrain() if request.controller else FREE
            if isinstance(constraint, Halt):
                return self._finish(sequence, Finish.HALT)
            if isinstance(constraint, Force):
                tokens = [Token(token, 0.0, forced=True) for token in constraint.tokens]
            elif index is None:
                return None
            else:
                assert request.sampler is not None
                tokens = [request.sampler.sample(index, constraint)]
            index = None
            for token in tokens:
                if finish := self._append_token(request, token):
                    return self._finish(sequence, finish)

    def _append_token(self, request: GenerateRequest, token: Token) -> Finish | None:
        request.tokens.append(token.id)
        request.emit(token)
        if request.controller is not None:
            request.controller.accept(token.id)
        if token.forced and request.sampler is not None:
            request.sampler.accept(token.id)
        is_end = not token.forced and self.context.vocabulary.is_eog(token.id)
        if is_end and token.id not in request.ignored_ends:
            return Finish.STOP
        if (
            request.generated_tokens >= request.max_tokens
            or len(request.tokens) >= self.context.n_ctx
        ):
            return Finish.LENGTH
        return None

    # -- leaving ---------------------------------------------------------------------------

    def _run_guarded(self, sequence: Sequence, action: Callable[[], None]) -> None:
        """Run `action`; an exception fails only the request of this sequence."""
        try:
            action()
        except ReasonerError as error:
            self._fail(sequence, error)
        except Exception as error:
            self._fail(sequence, EngineError(f"{type(error).__name__}: {error}"))

    def _finish(self, sequence: Sequence, finish: Finish) -> None:
        request = sequence.request
        assert request is not None
        self._next_admission_time = 0.0
        self.cache.release(sequence, complete=finish is not Finish.HALT)
        request.close()
        request.emit(finish)

    def _fail(self, sequence: Sequence, error: BaseException) -> None:
        request = sequence.request
        assert request is not None
        self._next_admission_time = 0.0
        self.cache.evict(sequence)
        request.close()
        request.emit(error)

    def _preempt(self, sequence: Sequence) -> None:
        """Preempt a running request: evict its cells; its tokens are prefilled again later."""
        assert sequence.request is not None
        self._next_admission_time = 0.0
        self.cache.evict(sequence)
        self.waiting.appendleft(sequence.request)
