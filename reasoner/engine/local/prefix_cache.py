"""The prefix cache: which sequences the KV cache holds, and which prefix a request can reuse."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic

import numpy as np
import numpy.typing as npt

from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.request import Request

__all__ = ["PrefixCache", "Sequence", "common_prefix"]

TokenArray = npt.NDArray[np.int32]

BUSY_LINGER_SECONDS, IDLE_LINGER_SECONDS = 2.0, 0.1
"""Seconds for which a sequence is expected to be continued after a round of its trajectory, while
other sequences are running and while none is."""


def common_prefix(first: TokenArray, second: TokenArray) -> int:
    """How many leading tokens two id arrays share."""
    size = min(len(first), len(second))
    differ = np.flatnonzero(first[:size] != second[:size])
    return int(differ[0]) if differ.size else size


@dataclass(eq=False, slots=True)
class Sequence:
    """A sequence of the KV cache: its id, the tokens in its cells, and the request it serves."""

    id: int
    tokens: "array[int]" = field(default_factory=lambda: array("i"))
    cells: "array[int]" = field(default_factory=lambda: array("q"))
    """A serial number for each token's cell; a fork has the same numbers as its parent."""
    request: Request | None = None
    checkpoints: list[int] = field(default_factory=list)
    """Lengths, ascending, at which its prefill pauses so that the state there can be kept."""
    is_trunk: bool = False
    """Whether it keeps the state of a prefix that several requests are expected to continue."""
    last_used: int = 0
    """Logical time of the last use, for the eviction of the least recently used."""
    round_end_time: float = 0.0
    """Monotonic time at which a round ended that is likely to be continued, else 0."""

    @property
    def remaining_tokens(self) -> int:
        """Number of tokens of its request that are not in its cells yet."""
        return len(self.request.tokens) - len(self.tokens) if self.request else 0

    def token_array(self) -> TokenArray:
        """The tokens as an array view; it must be dropped before `tokens` grows."""
        return np.frombuffer(self.tokens, dtype=np.int32) if self.tokens else np.empty(0, np.int32)


class PrefixCache:
    """All sequences. Idle ones stay for reuse and are evicted least recently used first."""

    states_move = False
    """Whether a decode moves the states of sequences that are not in its batch, so that one that
    fails harms them."""

    def __init__(self, context: LlamaContext) -> None:
        self._context = context
        self._free_ids = list(range(context.n_sequences - 1, -1, -1))
        self._sequences: dict[int, Sequence] = {}
        self._clock = 0
        self._serial = 0
        self._last_reply: tuple[Sequence, int] | None = None

    def running_sequences(self) -> list[Sequence]:
        """Running sequences in the order in which their requests arrived."""
        sequences = [
            sequence for sequence in self._sequences.values() if sequence.request is not None
        ]
        return sorted(
            sequences, key=lambda sequence: sequence.request.arrival if sequence.request else 0
        )

    def reserved_sequences(self) -> list[Sequence]:
        """Running sequences and those whose trajectories are between two rounds."""
        since = monotonic() - (
            BUSY_LINGER_SECONDS if self.running_sequences() else IDLE_LINGER_SECONDS
        )
        return [
            s for s in self._sequences.values() if s.request is not None or s.round_end_time > since
        ]

    def idle_sequences(self) -> list[Sequence]:
        """Idle sequences, least recently used first."""
        sequences = [sequence for sequence in self._sequences.values() if sequence.request is None]
        return sorted(sequences, key=lambda sequence: sequence.last_used)

    def sequences(self) -> list[Sequence]:
        """Every sequence, running or idle."""
        return list(self._sequences.values())

    @property
    def full(self) -> bool:
        """Whether every sequence id serves a running request."""
        return not self._free_ids and all(s.request is not None for s in self._sequences.values())

    def prepare_step(self, waiting: Iterable[Request]) -> None:
        """Called before each step with the requests that are waiting."""

    def count_cells(self, sequences: Iterable[Sequence]) -> int:
        """Number of cells that the sequences occupy together, shared ones counted once."""
        cells = [np.frombuffer(s.cells, np.int64) for s in sequences if s.cells]
        if not cells:
            return 0
        ordered = np.sort(np.concatenate(cells))  # np.unique loads 9 ms worth of modules
        return 1 + int(np.count_nonzero(np.diff(ordered)))

    def append_tokens(self, sequence: Sequence, count: int) -> None:
        """Record that the next `count` tokens of the sequence's request are in its cells."""
        assert sequence.request is not None
        begin = len(sequence.tokens)
        sequence.tokens.extend(sequence.request.tokens[begin : begin + count])
        sequence.cells.extend(self._new_cells(count))

    def _new_cells(self, count: int) -> "array[int]":
        """Serial numbers for `count` cells that were filled."""
        self._serial += count
        return array("q", range(self._serial - count, self._serial))

    # -- allocation ---------------------------------------------------------------------

    def longest_prefix(self, request: Request, min_tokens: int = 0) -> tuple[Sequence | None, int]:
        """Return the sequence with the longest prefix of the request, and the prefix length.

        At equal length an idle sequence is preferred: it can be continued without a fork.
        Prefixes of fewer than `min_tokens` tokens are skipped after a cheap comparison.
        """
        ids = request.token_array[: request.max_cached_tokens]
        best, length = None, 0
        if min_tokens > len(ids):
            return best, length
        # a memoryview compares token by token and stops at a difference
        min_prefix = memoryview(ids.data)[:min_tokens]
        for sequence in self._sequences.values():
            if min_tokens and memoryview(sequence.tokens)[:min_tokens] != min_prefix:
                continue
            shared = common_prefix(sequence.token_array(), ids)
            is_continuable = sequence.request is None and shared == len(sequence.tokens)
            is_better = shared > length or (shared == length > 0 and is_continuable)
            if shared >= min_tokens and is_better and self._context.has_window(sequence.id, shared):
                best, length = sequence, shared
        return best, length

    def longest_pending_prefix(self, request: Request) -> int:
        """Longest prefix of the request that a running sequence will prefill."""
        ids = request.token_array[: request.max_cached_tokens]
        longest = 0
        for sequence in self._sequences.values():
            if sequence.request is not None:
                shared = common_prefix(sequence.request.prompt, ids)
                if shared > max(longest, len(sequence.tokens)):
                    longest = shared
        return longest

    def can_reuse(self, parent: Sequence | None, shared: int) -> bool:
        """Whether a request can continue `parent` itself: the sequence is idle and holds nothing
        but the `shared` tokens."""
        return parent is not None and parent.request is None and shared == len(parent.tokens)

    def allocate(self, request: Request, parent: Sequence | None, shared: int) -> Sequence | None:
        """Assign the request a sequence with the `shared` tokens of `parent`: the parent itself
        where it holds nothing else, or a fork. Returns None when every id is in use."""
        sequence = parent if self.can_reuse(parent, shared) else self._fork(parent, shared)
        if sequence is not None:
            self._assign(sequence, request)
        return sequence

    def _assign(self, sequence: Sequence, request: Request) -> None:
        """Let a sequence serve a request; a last reply that is continued is none any more."""
        if self._last_reply is not None and self._last_reply[0] is sequence:
            self._last_reply = None
        sequence.request = request
        self.touch(sequence)

    def _fork(self, parent: Sequence | None, shared: int) -> Sequence | None:
        idle = self.idle_sequences()
        if not self._free_ids and not idle:
            return None
        if not self._free_ids:
            victim = next((s for s in idle if s is not parent), idle[0])
            if victim is parent:
                return victim if self.truncate(victim, shared) else None
            self.evict(victim)
        sequence = Sequence(self._free_ids.pop())
        self._sequences[sequence.id] = sequence
        if parent is not None:
            self.touch(parent)
            self._context.copy(parent.id, sequence.id, shared)
            sequence.tokens, sequence.cells = parent.tokens[:shared], parent.cells[:shared]
        return sequence

    def restore(self, tokens: TokenArray, cells: bytes) -> None:
        """Add an idle sequence with `tokens` and their saved KV state; no-op when it cannot."""
        sequence = self._fork(None, 0)
        if sequence is None:
            return
        if not self._context.restore(sequence.id, cells):
            self.evict(sequence)
            return
        sequence.tokens = array("i", tokens.tolist())
        sequence.cells = self._new_cells(len(tokens))
        self.touch(sequence)

    # -- eviction -------------------------------------------------------------------------

    def touch(self, sequence: Sequence) -> None:
        """Mark a sequence as the most recently used."""
        self._clock += 1
        sequence.last_used = self._clock

    def release(self, sequence: Sequence, complete: bool) -> None:
        """End the request of a sequence; its cells stay for requests with the same prefix.

        Idle cells slow every decode down. A `complete` reply, which only a next turn could
        continue, therefore stays until the next one completes and is then truncated to its
        prompt; and at most half of the cache stays idle.
        """
        request = sequence.request
        sequence.request = None
        self.touch(sequence)
        sequence.round_end_time = 0.0 if complete else monotonic()
        if complete and request is not None:
            self._truncate_last_reply()
            self._last_reply = (sequence, len(request.prompt))
        spare = self._context.n_cells // 2 + self.count_cells(self.reserved_sequences())
        for old in self.idle_sequences()[:-1]:
            if self.count_cells(self._sequences.values()) <= spare:
                return
            self.evict(old)

    def _truncate_last_reply(self) -> None:
        """Truncate the last complete reply to its prompt, unless it is being continued."""
        sequence, length = self._last_reply or (None, 0)
        known = sequence is not None and self._sequences.get(sequence.id) is sequence
        if sequence is not None and known and sequence.request is None:
            self._drop_reply(sequence, min(length, len(sequence.tokens)))
        self._last_reply = None

    def _drop_reply(self, sequence: Sequence, prompt_tokens: int) -> None:
        """Truncate a sequence to its prompt, or evict it where that cannot be."""
        if not self.truncate(sequence, prompt_tokens):
            self.evict(sequence)

    def release_prefix(
        self, tokens: TokenArray, keep: int, include_extensions: bool = False
    ) -> None:
        """Truncate idle sequences that hold nothing but `tokens`, or with `include_extensions`
        anything that begins with them, to their first `keep` tokens, which other requests may
        continue.

        A sequence may hold one token more than its trajectory: the end token.
        """
        for sequence in self.idle_sequences():
            size = len(sequence.tokens)
            shared = common_prefix(sequence.token_array(), tokens)
            if size > keep and (
                shared >= size - 1 or (include_extensions and shared == len(tokens))
            ):
                self._truncate_or_evict(sequence, keep)

    def _truncate_or_evict(self, sequence: Sequence, keep: int) -> None:
        """Truncate a sequence, or evict it where another one holds the same prefix."""
        others = (other for other in self._sequences.values() if other is not sequence)
        begin = sequence.token_array()[:keep].copy()
        spare = any(common_prefix(other.token_array(), begin) == keep for other in others)
        if spare or not self.truncate(sequence, keep):
            self.evict(sequence)

    def evict(self, sequence: Sequence) -> None:
        """Free the sequence's cells and its id."""
        self._context.truncate(sequence.id, 0)
        del self._sequences[sequence.id]
        self._free_ids.append(sequence.id)

    def truncate(self, sequence: Sequence, length: int) -> bool:
        """Truncate a sequence's cells to `length` tokens; False where it could not be continued
        from there, as its memory is recurrent or the cells of a sliding window are gone."""
        has_window = self._context.has_window(sequence.id, length)
        if not has_window or not self._context.truncate(sequence.id, length):
            return False
        del sequence.tokens[length:], sequence.cells[length:]
        return True
